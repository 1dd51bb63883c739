import type { Condition, Overview as Figures, Health, Intake } from '@clickrelay/client';
import { isForSomebody } from '../conditions.ts';
import { readLedger, sumParts } from '../ledger.ts';
import { useLoad } from '../load.ts';
import { Bars } from '../parts/bars.tsx';
import { DestinationTable } from '../parts/destination-table.tsx';
import { Icon } from '../parts/icon.tsx';
import { LedgerLine } from '../parts/ledger-sum.tsx';
import { Needs } from '../parts/needs.tsx';
import { Failed, Skeleton } from '../parts/page-state.tsx';
import { STATES } from '../parts/state.tsx';
import { call } from '../session.ts';
import { ago, duration, now } from '../time.ts';
import { sentence } from '../words.ts';

const LOOK_MS = 5_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The ledger walks the log: less often. */
const WALK_MS = 60_000;

const since = (ms: number): string => new Date(Date.now() - ms).toISOString();

/** Is anything stuck? Did we lose anything? */
const Overview = () => {
  const health = useLoad('health', (signal) => call('GET /v1/health', { signal }), { everyMs: LOOK_MS });
  const figures = useLoad('overview', (signal) => call('GET /v1/overview', { signal }), { everyMs: LOOK_MS });
  const intake = useLoad(
    'intake',
    (signal) => call('GET /v1/intake', { query: { since: since(HOUR_MS), step: 'minute' }, signal }),
    { everyMs: 15_000 },
  );
  const ledger = useLoad('ledger', (signal) => readLedger(since(DAY_MS), signal), { everyMs: WALK_MS });
  const raised = health.data?.conditions.filter(isForSomebody) ?? [];
  return (
    <>
      <section class="card">
        <Failed loaded={health} />
        {health.data === undefined ? <Skeleton rows={2} /> : <Headline health={health.data} raised={raised} />}
        {ledger.data !== undefined && <LedgerLine sum={sumParts(ledger.data)} />}
      </section>
      <div class="cols even">
        <Needs conditions={raised} />
        <section class="card">
          <header>
            <h2>Coming in</h2>
            <span class="grow" />
            {figures.data?.lastEventAt != null && (
              <span class="muted small">last event {ago(figures.data.lastEventAt)}</span>
            )}
          </header>
          <Failed loaded={figures} />
          {figures.data === undefined ? <Skeleton /> : <ComingIn figures={figures.data} intake={intake.data} />}
        </section>
      </div>
      <section class="card">
        <header>
          <h2>Callbacks per minute</h2>
          <span class="grow" />
          <Legend />
        </header>
        <div class="body">{intake.data === undefined ? <Skeleton /> : <Minutes intake={intake.data} />}</div>
      </section>
      <section class="card">
        <header>
          <h2>Destinations</h2>
          <span class="count">{figures.data?.destinations.length ?? 0}</span>
        </header>
        {figures.data === undefined ? (
          <Skeleton />
        ) : (
          <DestinationTable destinations={figures.data.destinations} conditions={raised} />
        )}
      </section>
    </>
  );
};

const Headline = ({ health, raised }: { health: Health; raised: readonly Condition[] }) => {
  const [worst] = raised;
  const name = health.state === 'ok' ? 'healthy' : health.state;
  const unknown = health.conditions.find(({ state, inhibitedBy }) => state === 'unknown' && inhibitedBy === null);
  const title = worst?.sentence ?? (health.state === 'unknown' ? unknown?.sentence : undefined) ?? 'Everything arrives';
  return (
    <div class="verdict">
      <Icon name={STATES[name].icon} class={STATES[name].tone} />
      <div class="grow">
        <h1>{sentence(title, worst?.subject.id)}</h1>
        <p>
          {raised.length > 1 && `${raised.length - 1} more below. `}
          Looked at {ago(health.checkedAt)}.
        </p>
      </div>
    </div>
  );
};

const lastMinute = (intake: Intake | undefined): Intake['items'][number] | undefined => {
  const minute = Math.floor(now.value / 60_000) * 60_000 - 60_000;
  return intake?.items.find(({ at }) => Date.parse(at) === minute);
};

const ComingIn = ({ figures, intake }: { figures: Figures; intake: Intake | undefined }) => {
  const { ingest, ingestOldestAt, quarantined, refused } = figures;
  const minute = lastMinute(intake);
  const age = (at: string | null): string => (at === null ? '—' : duration(Math.max(now.value - Date.parse(at), 0)));
  const refusedNow = Object.values(refused.lastMinute).reduce((sum, count) => sum + count, 0);
  return (
    <div class="scroll">
      <table aria-label="Lanes">
        <thead>
          <tr>
            <th scope="col">Lane</th>
            <th scope="col" class="num">
              Last minute
            </th>
            <th scope="col" class="num">
              Waiting
            </th>
            <th scope="col" class="num">
              Oldest
            </th>
          </tr>
        </thead>
        <tbody>
          {(['messages', 'statuses'] as const).map((lane) => (
            <tr key={lane}>
              <td>{lane === 'messages' ? 'Messages' : 'Statuses'}</td>
              <td class="num">{minute?.[lane].callbacks ?? 0}</td>
              <td class="num">{ingest[lane]}</td>
              <td class="num">{age(ingestOldestAt[lane])}</td>
            </tr>
          ))}
          <tr>
            <td>Repeats dropped</td>
            <td class="num">{(minute?.messages.repeats ?? 0) + (minute?.statuses.repeats ?? 0)}</td>
            <td class="num">—</td>
            <td class="num">—</td>
          </tr>
          <tr>
            <td>Refused</td>
            <td class={`num ${refusedNow > 0 ? 'bad' : ''}`}>{refusedNow}</td>
            <td class="num">—</td>
            <td class="num">—</td>
          </tr>
          <tr>
            <td>Quarantined</td>
            <td class="num">—</td>
            <td class="num">{quarantined}</td>
            <td class="num">—</td>
          </tr>
        </tbody>
      </table>
    </div>
  );
};

const SERIES = [
  { name: 'Messages', tone: 'messages' },
  { name: 'Statuses', tone: 'statuses' },
  { name: 'Refused', tone: 'refused' },
] as const;

const Legend = () => (
  <span class="small muted legend">
    {SERIES.map(({ name, tone }) => (
      <span key={name}>
        <svg class="bars" viewBox="0 0 12 12" aria-hidden="true">
          <rect class={tone} width="12" height="12" />
        </svg>
        {name}
      </span>
    ))}
  </span>
);

/** Each minute of the hour, also those in which nothing came. */
const Minutes = ({ intake: { from, to, items } }: { intake: Intake }) => {
  const byMinute = new Map(items.map((item) => [Date.parse(item.at), item]));
  const first = Math.floor(Date.parse(from) / 60_000);
  const last = Math.ceil(Date.parse(to) / 60_000);
  const bars = Array.from({ length: Math.max(last - first, 0) }, (_, index) => {
    const ms = (first + index) * 60_000;
    const item = byMinute.get(ms);
    const refused = item === undefined ? 0 : Object.values(item.refused).reduce((sum, count) => sum + count, 0);
    const values = [item?.messages.callbacks ?? 0, item?.statuses.callbacks ?? 0, refused];
    return { at: new Date(ms).toISOString(), values };
  });
  return <Bars title="Callbacks per minute" series={SERIES} bars={bars} />;
};

export default Overview;
