import { isForSomebody } from '../conditions.ts';
import { useLoad } from '../load.ts';
import { DestinationTable } from '../parts/destination-table.tsx';
import { Icon } from '../parts/icon.tsx';
import { Failed, Skeleton } from '../parts/page-state.tsx';
import { call, may } from '../session.ts';

const LOOK_MS = 5_000;

/** Every destination, the worst first. */
const Destinations = () => {
  const health = useLoad('health', (signal) => call('GET /v1/health', { signal }), { everyMs: LOOK_MS });
  const figures = useLoad('overview', (signal) => call('GET /v1/overview', { signal }), { everyMs: LOOK_MS });
  const hours = useLoad('hours', (signal) => call('GET /v1/hours', { query: { hours: 24 }, signal }), {
    everyMs: 60_000,
  });
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Destinations</h1>
          <p>Where events go, the worst first.</p>
        </div>
        {may('admin') && (
          <a class="btn primary" href="/destinations/new">
            <Icon name="plus" />
            New destination
          </a>
        )}
      </div>
      <section class="card">
        <Failed loaded={figures} />
        {figures.data === undefined ? (
          figures.error === undefined && <Skeleton />
        ) : (
          <DestinationTable
            destinations={figures.data.destinations}
            conditions={health.data?.conditions.filter(isForSomebody) ?? []}
            hours={hours.data?.destinations ?? []}
          />
        )}
      </section>
    </>
  );
};

export default Destinations;
