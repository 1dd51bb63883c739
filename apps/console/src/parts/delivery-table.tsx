import type { ListedDelivery } from '@clickrelay/client';
import { duration, now } from '../time.ts';
import { deliveryState, State } from './state.tsx';
import { type Column, Table } from './table.tsx';
import { Time } from './time.tsx';

const COLUMNS: readonly Column<ListedDelivery>[] = [
  {
    head: 'Received',
    cell: ({ eventId, receivedAt }) => (
      <a class="plain" href={`/events/${eventId}`}>
        {receivedAt === null ? 'no longer known' : <Time at={receivedAt} />}
      </a>
    ),
  },
  { head: 'Event', cell: ({ eventType }) => eventType },
  { head: 'State', cell: ({ state, attempts }) => <State name={deliveryState(state, attempts)} /> },
  { head: 'Attempts', num: true, cell: ({ attempts }) => attempts },
  {
    head: 'Last answer',
    cell: ({ status, errorCode, error }) => (
      <span class="what wide">
        <span class="mono">{status ?? errorCode ?? '—'}</span> <span class="muted small clip">{error ?? ''}</span>
      </span>
    ),
  },
  { head: 'Next attempt', cell: ({ nextAttemptAt }) => <Next at={nextAttemptAt} /> },
];

const DESTINATION: Column<ListedDelivery> = {
  head: 'Destination',
  cell: ({ destinationId }) => <a href={`/destinations/${destinationId}`}>{destinationId}</a>,
};

const Next = ({ at }: { at: string | null }) => {
  if (at === null) return <>—</>;
  const inMs = Date.parse(at) - now.value;
  return (
    <time dateTime={at} title={at}>
      {inMs > 0 ? `in ${duration(inMs)}` : 'now'}
    </time>
  );
};

export interface DeliveryTableProps {
  readonly deliveries: readonly ListedDelivery[];
  /** Whether the list is of several destinations, and names each. */
  readonly ofSeveral?: boolean;
}

/** Deliveries: where each stands, and why. */
export const DeliveryTable = ({ deliveries, ofSeveral = false }: DeliveryTableProps) => (
  <Table
    name="List of deliveries"
    rows={deliveries}
    keyOf={({ id }) => id}
    columns={ofSeveral ? [...COLUMNS.slice(0, 2), DESTINATION, ...COLUMNS.slice(2)] : COLUMNS}
  />
);
