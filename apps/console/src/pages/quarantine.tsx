import { useLoad } from '../load.ts';
import { ListCard } from '../parts/page-state.tsx';
import { Time } from '../parts/time.tsx';
import { call } from '../session.ts';

const LOOK_MS = 10_000;

/** What could not be read? */
const Quarantine = () => {
  const loaded = useLoad('quarantine', (signal) => call('GET /v1/quarantine', { query: { limit: 100 }, signal }), {
    everyMs: LOOK_MS,
  });
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Quarantine</h1>
          <p>Callbacks with the right credential that could not be read. Kept whole until somebody decides.</p>
        </div>
      </div>
      <ListCard loaded={loaded} empty="Every callback could be read">
        {(items) => (
          <section class="scroll" tabIndex={0} aria-label="List of quarantined callbacks">
            <table>
              <thead>
                <tr>
                  <th scope="col">Received</th>
                  <th scope="col">Why it could not be read</th>
                  <th scope="col" class="num">
                    Bytes
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map(({ id, receivedAt, reason, bytes }) => (
                  <tr key={id}>
                    <td>
                      <a href={`/quarantine/${id}`}>
                        <Time at={receivedAt} />
                      </a>
                    </td>
                    <td>{reason}</td>
                    <td class="num">{bytes.toLocaleString('en')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )}
      </ListCard>
    </>
  );
};

export default Quarantine;
