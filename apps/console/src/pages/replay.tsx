import { useRoute } from 'preact-iso/router';
import { useLoad } from '../load.ts';
import { Empty, Failed, Skeleton } from '../parts/page-state.tsx';
import { ReplayCard } from '../parts/replay-card.tsx';
import { call } from '../session.ts';

const LOOK_MS = 2_000;

/** How far a replay is, and what failed again. */
const ReplayPage = () => {
  const { id = '' } = useRoute().params;
  const loaded = useLoad(
    id,
    async (signal) => {
      const [replay, failed] = await Promise.all([
        call('GET /v1/replays/{id}', { path: { id }, query: { reveal: 'false' }, signal }),
        call('GET /v1/replays/{id}/failed', { path: { id }, query: { limit: 100 }, signal }),
      ]);
      return { replay, failed: failed.items };
    },
    { everyMs: LOOK_MS },
  );
  const view = loaded.data;
  return (
    <>
      <div class="head">
        <div class="grow">
          <p class="small">
            <a href="/replays">Replays</a> / {id}
          </p>
          <h1>Replay</h1>
        </div>
      </div>
      <Failed loaded={loaded} />
      {view === undefined ? (
        loaded.error === undefined && <Skeleton />
      ) : (
        <>
          <ReplayCard replay={view.replay} onChange={loaded.reload} />
          <section class="card">
            <header>
              <h2>Failed again</h2>
              <span class="count">{view.replay.failed}</span>
            </header>
            {view.failed.length === 0 ? (
              <Empty title="Nothing failed again" />
            ) : (
              <ul>
                {view.failed.map((deliveryId) => (
                  <li class="notice" key={deliveryId}>
                    <a class="mono" href={`/deliveries/${deliveryId}`}>
                      {deliveryId}
                    </a>
                  </li>
                ))}
              </ul>
            )}
          </section>
        </>
      )}
    </>
  );
};

export default ReplayPage;
