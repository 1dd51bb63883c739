import type { DestinationLedger, Ledger } from '@clickrelay/client';
import { useLocation } from 'preact-iso/router';
import { readLedger, sumParts } from '../ledger.ts';
import { useLoad } from '../load.ts';
import { CopyCall, commandOf } from '../parts/copy-call.tsx';
import { LedgerLine } from '../parts/ledger-sum.tsx';
import { Empty, Failed, Skeleton } from '../parts/page-state.tsx';
import { Table } from '../parts/table.tsx';
import { clockTime } from '../time.ts';
import { withQuery } from '../url.ts';

const SPANS = [
  { name: 'Last hour', hours: 1 },
  { name: 'Last 24 hours', hours: 24 },
  { name: 'Last 7 days', hours: 168 },
] as const;

const COLUMNS = ['accepted', 'delivered', 'pending', 'retrying', 'parked', 'dead', 'removed', 'unaccounted'] as const;

/** Did we lose anything? */
const LedgerPage = () => {
  const { query, route, path } = useLocation();
  const hours = Number(query['hours'] ?? 24);
  const loaded = useLoad(String(hours), (signal) =>
    readLedger(new Date(Date.now() - hours * 3_600_000).toISOString(), signal),
  );
  const parts = loaded.data;
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Ledger</h1>
          <p>Every accepted event that a destination wants is delivered, waits, or ended where somebody can see it.</p>
        </div>
        <CopyCall path="/v1/ledger" command={commandOf('ledger', { since: `${hours}h` })} />
        {SPANS.map(({ name, hours: span }) => (
          <button
            key={span}
            class="btn s"
            type="button"
            aria-pressed={hours === span}
            onClick={() => route(withQuery(path, query, { hours: String(span) }))}
          >
            {name}
          </button>
        ))}
      </div>
      <section class="card">
        <Failed loaded={loaded} />
        {parts === undefined ? loaded.error === undefined && <Skeleton /> : <Balance parts={parts} />}
      </section>
      {parts !== undefined && <ByDestination parts={parts} />}
    </>
  );
};

const Balance = ({ parts }: { parts: readonly Ledger[] }) => {
  const sum = sumParts(parts);
  const completeSince = parts.at(-1)?.completeSince ?? null;
  return (
    <>
      <div class="verdict">
        <div class="grow">
          <h2>{sum.unaccounted === 0 ? 'Nothing is unaccounted for' : `${sum.unaccounted} are unaccounted for`}</h2>
          <p>
            {sum.isWhole ? 'The whole span was walked.' : 'The log is long: this is the sum so far.'}
            {completeSince !== null && ` The log is complete since ${clockTime(completeSince, { millis: false })}.`}
          </p>
        </div>
      </div>
      <LedgerLine sum={sum} />
    </>
  );
};

const addUp = (parts: readonly Ledger[]): DestinationLedger[] => {
  const all = Map.groupBy(
    parts.flatMap(({ destinations }) => destinations),
    ({ id }) => id,
  );
  return [...all].map(([id, rows]) => {
    const sumOf = (name: (typeof COLUMNS)[number]): number => rows.reduce((sum, row) => sum + row[name], 0);
    const numbers = Object.fromEntries(COLUMNS.map((name) => [name, sumOf(name)])) as Record<
      (typeof COLUMNS)[number],
      number
    >;
    return { id, ...numbers, differing: rows.flatMap(({ differing }) => differing) };
  });
};

const ByDestination = ({ parts }: { parts: readonly Ledger[] }) => {
  const rows = addUp(parts);
  if (rows.length === 0) return <Empty title="No event was wanted by anybody" />;
  return (
    <section class="card">
      <header>
        <h2>By destination</h2>
      </header>
      <Table
        name="Ledger by destination"
        rows={rows}
        keyOf={({ id }) => id}
        columns={[
          { head: 'Destination', cell: ({ id }) => <a href={`/destinations/${id}`}>{id}</a> },
          ...COLUMNS.map((name) => ({
            head: name === 'dead' ? 'dead letters' : name === 'pending' ? 'waiting' : name,
            num: true,
            class: (row: DestinationLedger) => (name === 'unaccounted' && row[name] > 0 ? 'bad' : ''),
            cell: (row: DestinationLedger) => row[name].toLocaleString('en'),
          })),
        ]}
      />
      {rows
        .flatMap(({ differing }) => differing)
        .map(({ deliveryId, eventId, problem }) => (
          <p class="notice" key={deliveryId}>
            <a class="mono" href={`/events/${eventId}`}>
              {deliveryId}
            </a>
            {problem.replaceAll('_', ' ')}
          </p>
        ))}
    </section>
  );
};

export default LedgerPage;
