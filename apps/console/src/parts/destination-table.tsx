import type { Condition, Hours, Overview } from '@clickrelay/client';
import { duration, now } from '../time.ts';
import { sentence } from '../words.ts';
import { HourBlocks } from './hour-blocks.tsx';
import { Empty } from './page-state.tsx';
import { State, type StateName } from './state.tsx';
import { type Column, Table } from './table.tsx';

type Destination = Overview['destinations'][number];

const STATE: Readonly<Record<Destination['state'], StateName>> = {
  active: 'healthy',
  failing: 'failing',
  throttled: 'throttled',
  paused: 'paused',
};

/** The worst first. */
const ORDER: readonly Destination['state'][] = ['failing', 'paused', 'throttled', 'active'];

const worstFirst = (a: Destination, b: Destination): number =>
  ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || b.deadLetters - a.deadLetters || b.waiting - a.waiting;

const percent = (share: number | null): string =>
  share === null ? '—' : `${(100 * share).toFixed(share === 1 ? 0 : 2)} %`;

export interface DestinationTableProps {
  readonly destinations: readonly Destination[];
  /** What needs somebody, of the health model: this table judges nothing by itself. */
  readonly conditions: readonly Condition[];
  /** Draws a column of the last 24 hours. */
  readonly hours?: Hours['destinations'] | undefined;
}

const worstOf = (conditions: readonly Condition[], id: string): Condition | undefined =>
  conditions.find(({ subject }) => subject.kind === 'destination' && subject.id === id);

export const DestinationTable = ({ destinations, conditions, hours }: DestinationTableProps) => {
  if (destinations.length === 0) {
    return (
      <Empty title="There is no destination yet">
        <p>Events are kept, and go nowhere: clickrelay destinations add crm --url https://crm.example.com/clickatell</p>
      </Empty>
    );
  }
  const byId = new Map(hours?.map(({ id, items }) => [id, items]));
  const drawn: Column<Destination> = {
    head: 'Last 24 hours',
    cell: ({ id }) => <HourBlocks hours={byId.get(id) ?? []} name={id} />,
  };
  return (
    <Table
      name="List of destinations"
      rows={[...destinations].sort(worstFirst)}
      keyOf={({ id }) => id}
      columns={[
        {
          head: 'State',
          class: 'cell2',
          cell: (one) => <Standing destination={one} worst={worstOf(conditions, one.id)} />,
        },
        {
          head: 'Destination',
          class: 'cell2 wraps',
          cell: (one) => <Name destination={one} worst={worstOf(conditions, one.id)} />,
        },
        ...(hours === undefined ? [] : [drawn]),
        ...FIGURES,
      ]}
    />
  );
};

const FIGURES: readonly Column<Destination>[] = [
  { head: 'Delivered, 24 h', num: true, cell: ({ last24h }) => last24h.delivered.toLocaleString('en') },
  { head: 'At first try', num: true, cell: ({ last24h }) => percent(last24h.firstTryShare) },
  { head: 'p50', num: true, cell: ({ last24h: { p50Ms } }) => (p50Ms === null ? '—' : duration(p50Ms)) },
  { head: 'p95', num: true, cell: ({ last24h: { p95Ms } }) => (p95Ms === null ? '—' : duration(p95Ms)) },
  {
    head: 'Undelivered',
    num: true,
    cell: ({ id, waiting }) => <Count to={`/deliveries?state=pending&destination=${id}`} count={waiting} />,
  },
  {
    head: 'Oldest',
    num: true,
    cell: ({ oldestAt }) => (oldestAt === null ? '—' : duration(Math.max(now.value - Date.parse(oldestAt), 0))),
  },
  {
    head: 'Dead letters',
    num: true,
    cell: ({ id, deadLetters }) => <Count to={`/dead-letters?destination=${id}`} count={deadLetters} />,
  },
];

/** A number that leads to its list; 0 leads nowhere. */
const Count = ({ to, count }: { to: string; count: number }) =>
  count === 0 ? <>0</> : <a href={to}>{count.toLocaleString('en')}</a>;

interface OneProps {
  readonly destination: Destination;
  readonly worst: Condition | undefined;
}

const Standing = ({ destination: { state, until }, worst }: OneProps) => (
  <>
    <State name={state === 'active' && worst !== undefined ? worst.severity : STATE[state]} />
    {until !== null && Date.parse(until) > now.value && (
      <small>tried again in {duration(Date.parse(until) - now.value)}</small>
    )}
  </>
);

const Name = ({ destination: { id, type }, worst }: OneProps) => (
  <>
    <a href={`/destinations/${id}`}>
      <b>{id}</b>
    </a>
    <small>{worst === undefined ? type : sentence(worst.sentence, id)}</small>
  </>
);
