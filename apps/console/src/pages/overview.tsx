import type { Condition, Overview as Figures, Health, Intake } from '@clickrelay/client';
import { isForSomebody, isKnown } from '../conditions.ts';
import { intakeSeries, pointsOf, sumRefused } from '../intake.ts';
import { readLedger, sumParts } from '../ledger.ts';
import { useLoad } from '../load.ts';
import { Bars } from '../parts/bars.tsx';
import { Legend } from '../parts/chart.tsx';
import { DestinationTable } from '../parts/destination-table.tsx';
import { Icon } from '../parts/icon.tsx';
import { LedgerLine } from '../parts/ledger-sum.tsx';
import { Needs } from '../parts/needs.tsx';
import { Outcomes } from '../parts/outcomes.tsx';
import { Failed, Skeleton } from '../parts/page-state.tsx';
import { STATES } from '../parts/state.tsx';
import { Table } from '../parts/table.tsx';
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
  const hours = useLoad('hours', (signal) => call('GET /v1/hours', { query: { hours: 24 }, signal }), {
    everyMs: 15_000,
  });
  const ledger = useLoad('ledger', (signal) => readLedger(since(DAY_MS), signal), { everyMs: WALK_MS });
  const raised = health.data?.conditions.filter(isForSomebody) ?? [];
  const known = health.data?.conditions.filter(isKnown) ?? [];
  return (
    <>
      <section class="card">
        <Failed loaded={health} />
        {health.data === undefined ? (
          <Skeleton rows={2} />
        ) : (
          <Headline health={health.data} raised={raised} known={known.length} />
        )}
        {ledger.data !== undefined && <LedgerLine sum={sumParts(ledger.data)} />}
      </section>
      <div class="cols even">
        <Needs open={raised} known={known} onChange={health.reload} />
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
          <h2>
            <a class="plain" href="/intake">
              Callbacks per minute
            </a>
          </h2>
          <span class="grow" />
          <Legend series={intakeSeries} />
        </header>
        <div class="body">
          {intake.data === undefined ? (
            <Skeleton />
          ) : (
            <Bars title="Callbacks per minute" stepName="Minute" series={intakeSeries} points={pointsOf(intake.data)} />
          )}
        </div>
      </section>
      <Outcomes hours={hours.data?.items} loaded={hours} />
      <section class="card">
        <header>
          <h2>Destinations</h2>
          <span class="count">{figures.data?.destinations.length ?? 0}</span>
        </header>
        {figures.data === undefined ? (
          <Skeleton />
        ) : (
          <DestinationTable
            destinations={figures.data.destinations}
            conditions={raised}
            hours={hours.data?.destinations ?? []}
          />
        )}
      </section>
    </>
  );
};

/** Where nothing is raised that nobody knows of. */
const HEADLINE = { ok: 'healthy', unknown: 'unknown' } as const;

interface HeadlineProps {
  readonly health: Health;
  readonly raised: readonly Condition[];
  /** How many somebody looks at already. */
  readonly known: number;
}

const Headline = ({ health, raised, known }: HeadlineProps) => {
  const [worst] = raised;
  const name =
    worst?.severity ?? (health.state === 'ok' || health.state === 'unknown' ? HEADLINE[health.state] : 'healthy');
  const unknown = health.conditions.find(({ state, inhibitedBy }) => state === 'unknown' && inhibitedBy === null);
  const title =
    worst?.sentence ??
    (health.state === 'unknown' ? unknown?.sentence : undefined) ??
    (known > 0 ? 'Nothing else needs you' : 'Everything arrives');
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
  const refusedNow = sumRefused(refused.lastMinute);
  const rows = [
    ...LANES.map(({ lane, name }) => ({
      name,
      minute: minute?.[lane].callbacks ?? 0,
      waiting: ingest[lane],
      oldest: age(ingestOldestAt[lane]),
    })),
    {
      name: 'Repeats dropped',
      minute: (minute?.messages.repeats ?? 0) + (minute?.statuses.repeats ?? 0),
      waiting: undefined,
      oldest: '—',
    },
    { name: 'Refused', minute: refusedNow, waiting: undefined, oldest: '—' },
    { name: 'Quarantined', minute: undefined, waiting: quarantined, oldest: '—' },
  ];
  return (
    <Table
      name="Lanes"
      rows={rows}
      keyOf={({ name }) => name}
      columns={[
        { head: 'Lane', cell: ({ name }) => name },
        {
          head: 'Last minute',
          num: true,
          class: ({ name, minute: count }) => (name === 'Refused' && count !== 0 ? 'bad' : ''),
          cell: ({ minute: count }) => count?.toLocaleString('en') ?? '—',
        },
        { head: 'Waiting', num: true, cell: ({ waiting }) => waiting?.toLocaleString('en') ?? '—' },
        { head: 'Oldest', num: true, cell: ({ oldest }) => oldest },
      ]}
    />
  );
};

const LANES = [
  { lane: 'messages', name: 'Messages' },
  { lane: 'statuses', name: 'Statuses' },
] as const;

export default Overview;
