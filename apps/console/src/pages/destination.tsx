import type { Hours, ListedDelivery, Overview, Destination as Settings, TestResult } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso/router';
import { useLoad } from '../load.ts';
import { DeliveryTable } from '../parts/delivery-table.tsx';
import { Durations } from '../parts/durations.tsx';
import { HourBlocks } from '../parts/hour-blocks.tsx';
import { Icon } from '../parts/icon.tsx';
import { Json } from '../parts/json.tsx';
import { say } from '../parts/live-region.tsx';
import { Outcomes } from '../parts/outcomes.tsx';
import { Empty, Failed, Skeleton } from '../parts/page-state.tsx';
import { State } from '../parts/state.tsx';
import { WhyNot } from '../parts/why-not.tsx';
import { call, may } from '../session.ts';
import { clockTime, duration, now } from '../time.ts';
import { wordsOf } from '../words.ts';

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
        {view !== undefined && may('admin') && <Actions view={view} onDone={loaded.reload} />}
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

const Actions = ({ view: { settings }, onDone }: { view: View; onDone: () => void }) => {
  const { id, paused, type } = settings;
  const [result, setResult] = useState<TestResult>();
  const run = async (what: () => Promise<unknown>, done: string): Promise<void> => {
    try {
      await what();
      say(done);
    } catch (error) {
      say(wordsOf(error));
    }
    onDone();
  };
  const pause = (): Promise<void> =>
    run(() => call('POST /v1/destinations/{id}/pause', { path: { id }, body: {} }), `${id} is paused: its events wait`);
  const resume = (): Promise<void> =>
    run(() => call('POST /v1/destinations/{id}/resume', { path: { id } }), `${id} is sent to again`);
  const test = (): Promise<void> =>
    run(async () => {
      setResult(await call('POST /v1/destinations/{id}/test', { path: { id }, body: {} }));
    }, 'One sample was sent; it is not kept');
  return (
    <>
      {paused === null ? (
        <button class="btn" type="button" onClick={pause}>
          <Icon name="pause" />
          Pause
        </button>
      ) : (
        <button class="btn primary" type="button" onClick={resume}>
          <Icon name="right" />
          Resume
        </button>
      )}
      {type === 'webhook' && (
        <button class="btn" type="button" onClick={test}>
          Send one test
        </button>
      )}
      {result !== undefined && <Tested result={result} />}
    </>
  );
};

const Tested = ({ result: { delivered, status, durationMs, error, response } }: { result: TestResult }) => (
  <p role="status" class="small">
    <State name={delivered ? 'delivered' : 'failing'}>
      {delivered ? `answered ${status}` : (error?.code ?? `answered ${status}`)} in {duration(durationMs)}
    </State>{' '}
    {!delivered && <span class="muted clip">{response.slice(0, 200)}</span>}
  </p>
);

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
          <h2>Undelivered</h2>
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
            <p class="body small muted">
              Send them again with: <code>clickrelay replay --destination {settings.id}</code>
            </p>
            <DeliveryTable deliveries={dead} />
          </>
        )}
      </section>
    </div>
    <div class="stack">
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
