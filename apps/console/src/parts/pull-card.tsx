import { may } from '../session.ts';

/** How a program gets the deliveries of a pull destination, and what becomes of those that it does not answer. */
export const PullCard = ({ id }: { id: string }) => (
  <section class="card">
    <header>
      <h2>Leases</h2>
    </header>
    <div class="body stack small">
      <p>
        A program leases deliveries, and answers each with an ack or a nack. One that it does not answer comes back by
        itself when its lease ends; nobody has to release it.
      </p>
      <p>
        The list beside shows what is leased now, then what would be leased next, and takes nothing. With the text of
        its events a key with the scope lease sees it: <code>GET /v1/destinations/{id}/peek</code>
      </p>
      {may('admin') && (
        <a class="btn" href={`/keys?lease=${id}`}>
          Make a key for its program
        </a>
      )}
    </div>
  </section>
);
