import type { Hours, ListedDelivery, Overview, Destination as Settings } from '@clickrelay/client';
import { useRoute } from 'preact-iso/router';
import { useLoad } from '../load.ts';
import { DeliveryTable } from '../parts/delivery-table.tsx';
import { DestinationActions } from '../parts/destination-actions.tsx';
import { Durations } from '../parts/durations.tsx';
import { HourBlocks } from '../parts/hour-blocks.tsx';
import { Json } from '../parts/json.tsx';
import { Outcomes } from '../parts/outcomes.tsx';
import { Empty, Failed, Skeleton } from '../parts/page-state.tsx';
import { PullCard } from '../parts/pull-card.tsx';
import { State } from '../parts/state.tsx';
import { WhyNot } from '../parts/why-not.tsx';
import { call, may } from '../session.ts';
import { clockTime, duration, now } from '../time.ts';

const LOOK_MS = 5_000;
const SHOWN = 50;

interface View {
  readonly settings: Settings;
  readonly figures: Overview['destinations'][number] | undefined;
  readonly hours: Hours['items'];
  readonly undelivered: readonly ListedDelivery[];
  readonly dead: readonly ListedDelivery[];
}

const read = async (id: string, signal: AbortSignal): Promise<View> => {
  const common = { destination: id, limit: SHOWN, reveal: 'false' } as const;
  const [settings, overview, hours, undelivered, dead] = await Promise.all([
    call('GET /v1/destinations/{id}', { path: { id }, signal }),
    call('GET /v1/overview', { signal }),
    call('GET /v1/destinations/{id}/hours', { path: { id }, query: { hours: 24 }, signal }),
    call('GET /v1/deliveries', { query: { ...common, order: 'next' }, signal }),
    call('GET /v1/deliveries', { query: { ...common, state: 'dead_letter' }, signal }),
  ]);
  return {
    settings,
    figures: overview.destinations.find((one) => one.id === id),
    hours: hours.items,
    undelivered: undelivered.items,
    dead: dead.items,
  };
};

/** Why did Y not get it? */
const DestinationPage = () => {
  const { id = '' } = useRoute().params;
  const loaded = useLoad(id, (signal) => read(id, signal), { everyMs: LOOK_MS });
  const view = loaded.data;
  return (
    <>
      <div class="head">
        <div class="grow">
          <p class="small">
            <a href="/destinations">Destinations</a> / {view?.settings.type}
          </p>
          <h1 class="title">
            {id}
            {view !== undefined && <Standing view={view} />}
          </h1>
          {view !== undefined && <p>{reasonOf(view)}</p>}
        </div>
        {view !== undefined && may('admin') && (
          <DestinationActions settings={view.settings} figures={view.figures} onDone={loaded.reload} />
        )}
      </div>
      <Failed loaded={loaded} />
      {view === undefined ? loaded.error === undefined && <Skeleton /> : <Body view={view} />}
    </>
  );
};

const Standing = ({ view: { settings } }: { view: View }) => {
  if (settings.paused !== null) return <State name="paused" />;
  return <State name={settings.held?.reason ?? 'healthy'} />;
};

const reasonOf = ({ settings, figures, undelivered }: View): string => {
  const waiting = `${(figures?.waiting ?? 0).toLocaleString('en')} wait for it`;
  const last = undelivered.find(({ attempts }) => attempts > 0);
  const why = last === undefined ? '' : ` The last answer: ${last.status ?? last.errorCode ?? 'none'}.`;
  if (settings.paused !== null) return `Paused: ${settings.paused}. ${waiting}.`;
  if (settings.held?.reason === 'failing') {
    const inMs = Date.parse(settings.held.until) - now.value;
    return `It fails, so only probes are sent; the next ${inMs > 0 ? `in ${duration(inMs)}` : 'now'}. ${waiting}.${why}`;
  }
  if (settings.held?.reason === 'throttled') {
    return `It asked for a pause until ${clockTime(settings.held.until, { millis: false })}. ${waiting}.`;
  }
  return `${waiting}.${why}`;
};

const Body = ({ view: { settings, figures, hours, undelivered, dead } }: { view: View }) => (
  <div class="cols facts-beside">
    <div class="stack">
      <section class="card">
        <header>
          <h2 class="grow">The last 24 hours</h2>
          <span class="muted small">
            {figures?.last24h.delivered.toLocaleString('en')} delivered, {figures?.last24h.failed.toLocaleString('en')}{' '}
            attempts failed
          </span>
        </header>
        <div class="body">
          <HourBlocks hours={hours} name={settings.id} />
        </div>
      </section>
      <Outcomes hours={hours} of={settings.id} />
      <Durations hours={hours} of={settings.id} />
      <section class="card">
        <header>
          <h2>{settings.type === 'pull' ? 'Leased, or waits to be' : 'Undelivered'}</h2>
          <span class="count">{figures?.waiting.toLocaleString('en')}</span>
          <span class="grow" />
          <span class="muted small">those that are due first</span>
        </header>
        {undelivered.length === 0 ? <Empty title="Nothing waits" /> : <DeliveryTable deliveries={undelivered} />}
      </section>
      <section class="card">
        <header>
          <h2>Dead letters</h2>
          <span class={`count ${dead.length > 0 ? 'bad' : ''}`}>{figures?.deadLetters.toLocaleString('en')}</span>
        </header>
        {dead.length === 0 ? (
          <Empty title="Nothing ended without success" />
        ) : (
          <>
            <p class="body small">
              <a href={`/dead-letters?destination=${settings.id}`}>Look at them, and send them again</a>
            </p>
            <DeliveryTable deliveries={dead} />
          </>
        )}
      </section>
    </div>
    <div class="stack">
      {settings.type === 'pull' && <PullCard id={settings.id} />}
      <WhyNot destinationId={settings.id} />
      <section class="card">
        <header>
          <h2>Settings</h2>
        </header>
        <div class="body">
          <Json value={settings} />
        </div>
      </section>
    </div>
  </div>
);

export default DestinationPage;
