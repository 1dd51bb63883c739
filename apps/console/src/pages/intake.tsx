import type { Intake as Figures, Lag, Overview } from '@clickrelay/client';
import { useLocation } from 'preact-iso/router';
import { intakeSeries, pointsOf } from '../intake.ts';
import { useLoad } from '../load.ts';
import { Bars } from '../parts/bars.tsx';
import { Legend } from '../parts/chart.tsx';
import { CopyCall } from '../parts/copy-call.tsx';
import { Lines } from '../parts/lines.tsx';
import { Empty, Failed, Skeleton } from '../parts/page-state.tsx';
import { Receivers } from '../parts/receivers.tsx';
import { Refusals } from '../parts/refusals.tsx';
import { Table } from '../parts/table.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { call } from '../session.ts';
import { duration } from '../time.ts';
import { withQuery } from '../url.ts';

const LOOK_MS = 10_000;
const HOUR_MS = 3_600_000;

const SPANS = [
  { hours: 1, name: 'Last hour', step: 'minute' },
  { hours: 24, name: 'Last 24 hours', step: 'hour' },
  { hours: 168, name: 'Last 7 days', step: 'hour' },
] as const;

/** What came, what was refused and why, and how late does Clickatell hand over? */
const IntakePage = () => {
  const { query, route, path } = useLocation();
  const span = SPANS.find(({ hours }) => hours === Number(query['hours'])) ?? SPANS[0];
  const asked = () => ({ since: new Date(Date.now() - span.hours * HOUR_MS).toISOString(), step: span.step });
  const intake = useLoad(`${span.hours}`, (signal) => call('GET /v1/intake', { query: asked(), signal }), {
    everyMs: LOOK_MS,
  });
  const lagHours = Math.max(span.hours, 24);
  const lag = useLoad(`${lagHours}`, (signal) => call('GET /v1/lag', { query: { hours: lagHours }, signal }), {
    everyMs: 60_000,
  });
  const parts = useLoad('parts', (signal) => call('GET /v1/parts', { signal }), { everyMs: LOOK_MS });
  const figures = useLoad('overview', (signal) => call('GET /v1/overview', { signal }), { everyMs: LOOK_MS });
  const receivers = parts.data?.items.filter((part) => part.role === 'receiver');
  const title = `Callbacks per ${span.step}`;
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Intake</h1>
          <p>What Clickatell sent, what was refused and why, and how late it came.</p>
        </div>
        {SPANS.map(({ name, hours }) => (
          <button
            key={hours}
            class="btn s"
            type="button"
            aria-pressed={span.hours === hours}
            onClick={() => route(withQuery(path, query, { hours: hours === 1 ? undefined : String(hours) }))}
          >
            {name}
          </button>
        ))}
        <CopyCall path="/v1/intake" query={asked()} />
      </div>
      <section class="card">
        <header>
          <h2>{title}</h2>
          <span class="grow" />
          <Legend series={intakeSeries} />
        </header>
        <Failed loaded={intake} />
        <div class="body">
          {intake.data === undefined ? (
            intake.error === undefined && <Skeleton rows={3} />
          ) : (
            <Bars
              title={title}
              stepName={span.step === 'minute' ? 'Minute' : 'Hour'}
              series={intakeSeries}
              points={pointsOf(intake.data)}
            />
          )}
        </div>
      </section>
      <div class="cols even">
        <section class="card">
          <header>
            <h2 class="grow">What was refused</h2>
            <span class="muted small">{span.name.toLowerCase()}</span>
          </header>
          {intake.data === undefined ? intake.error === undefined && <Skeleton /> : <Refusals intake={intake.data} />}
        </section>
        <section class="card">
          <header>
            <h2>What came</h2>
          </header>
          {intake.data === undefined ? intake.error === undefined && <Skeleton /> : <Came intake={intake.data} />}
          <header>
            <h2>Waits to be split</h2>
          </header>
          <Failed loaded={figures} />
          {figures.data === undefined ? (
            figures.error === undefined && <Skeleton rows={2} />
          ) : (
            <Waiting title="What waits in each lane" queues={lanesOf(figures.data)} />
          )}
        </section>
      </div>
      <section class="card">
        <header>
          <h2>Clickatell's own lag</h2>
          <span class="muted small">from when it happened there to when it came here, {lagHours} hours</span>
          <span class="grow" />
          <Legend series={LAG_SERIES} isLine />
        </header>
        <Failed loaded={lag} />
        {lag.data === undefined ? lag.error === undefined && <Skeleton /> : <OwnLag lag={lag.data} />}
      </section>
      <section class="card">
        <header>
          <h2>Receivers</h2>
          <span class="count">{receivers?.length ?? 0}</span>
        </header>
        <Failed loaded={parts} />
        {receivers === undefined ? (
          parts.error === undefined && <Skeleton rows={2} />
        ) : (
          <Receivers receivers={receivers} />
        )}
      </section>
    </>
  );
};

const LANES = [
  { lane: 'messages', name: 'Messages' },
  { lane: 'statuses', name: 'Statuses' },
] as const;

const lanesOf = ({ ingest, ingestOldestAt }: Overview) =>
  LANES.map(({ lane, name }) => ({ id: lane, name, waiting: ingest[lane], oldestAt: ingestOldestAt[lane] }));

const Came = ({ intake }: { intake: Figures }) => {
  const rows = LANES.map(({ lane, name }) => {
    const sumOf = (what: 'callbacks' | 'events' | 'repeats'): number =>
      intake.items.reduce((sum, item) => sum + item[lane][what], 0);
    return { name, callbacks: sumOf('callbacks'), events: sumOf('events'), repeats: sumOf('repeats') };
  });
  const number = (what: 'callbacks' | 'events' | 'repeats', head: string) => ({
    head,
    num: true,
    cell: (row: (typeof rows)[number]) => row[what].toLocaleString('en'),
  });
  return (
    <Table
      name="What came, by lane"
      rows={rows}
      keyOf={({ name }) => name}
      columns={[
        { head: 'Lane', cell: ({ name }) => name },
        number('callbacks', 'Callbacks'),
        number('events', 'New events'),
        number('repeats', 'Repeats dropped'),
      ]}
    />
  );
};

const LAG_SERIES = [
  { name: 'Messages, p95', tone: 'first' },
  { name: 'Statuses, p95', tone: 'second' },
] as const;

const late = (ms: number | null): string => (ms === null ? '—' : duration(ms));

const OwnLag = ({ lag: { rows, hours } }: { lag: Lag }) => {
  const ours = hours.filter((hour) => hour.ours).length;
  return (
    <>
      <div class="body">
        <Lines
          title="Clickatell's own lag"
          stepName="Hour"
          series={LAG_SERIES}
          points={hours.map(({ at, lanes }) => ({ at, values: [lanes.messages.p95Ms, lanes.statuses.p95Ms] }))}
        />
        {ours > 0 && (
          <p class="small muted">
            In {ours} of these hours callbacks were refused here, so some came late by that. The table leaves those
            hours out.
          </p>
        )}
      </div>
      {rows.length === 0 ? (
        <Empty
          title={
            ours > 0
              ? 'Callbacks were refused here in every hour in which something came'
              : 'Nothing came whose time says something'
          }
        />
      ) : (
        <Table
          name="Clickatell's own lag by lane and channel"
          rows={rows}
          keyOf={({ lane, channel, class: statusClass }) => `${lane} ${channel} ${statusClass}`}
          columns={[
            { head: 'Lane', cell: ({ lane }) => lane },
            { head: 'Channel', cell: ({ channel }) => channel },
            { head: 'Status', cell: (row) => row.class ?? '—' },
            { head: 'Events', num: true, cell: ({ events }) => events.toLocaleString('en') },
            { head: 'Median', num: true, cell: ({ medianMs }) => late(medianMs) },
            { head: 'p95', num: true, cell: ({ p95Ms }) => late(p95Ms) },
            { head: 'Clock ahead', num: true, cell: ({ early }) => early.toLocaleString('en') },
          ]}
        />
      )}
    </>
  );
};

export default IntakePage;
