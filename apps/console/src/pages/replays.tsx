import { useLoad } from '../load.ts';
import { ListCard } from '../parts/page-state.tsx';
import { selectionOf } from '../parts/replay-card.tsx';
import { Ago } from '../parts/time.tsx';
import { call } from '../session.ts';

const LOOK_MS = 5_000;

const Replays = () => {
  const loaded = useLoad('replays', (signal) => call('GET /v1/replays', { query: { reveal: 'false' }, signal }), {
    everyMs: LOOK_MS,
  });
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Replays</h1>
          <p>What was sent again on request, newest first.</p>
        </div>
      </div>
      <ListCard loaded={loaded} empty="Nothing was replayed yet">
        {(items) => (
          <section class="scroll" tabIndex={0} aria-label="List of replays">
            <table>
              <thead>
                <tr>
                  <th scope="col">Begun</th>
                  <th scope="col">What</th>
                  <th scope="col">State</th>
                  <th scope="col" class="num">
                    Delivered
                  </th>
                  <th scope="col" class="num">
                    Failed again
                  </th>
                  <th scope="col">By</th>
                </tr>
              </thead>
              <tbody>
                {items.map((replay) => (
                  <tr key={replay.id}>
                    <td>
                      <a href={`/replays/${replay.id}`}>
                        <Ago at={replay.createdAt} />
                      </a>
                    </td>
                    <td>{selectionOf(replay)}</td>
                    <td>{replay.state}</td>
                    <td class="num">{replay.delivered.toLocaleString('en')}</td>
                    <td class="num">{replay.failed.toLocaleString('en')}</td>
                    <td>{replay.by}</td>
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

export default Replays;
