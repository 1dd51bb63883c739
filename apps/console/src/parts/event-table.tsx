import type { ListedEvent } from '@clickrelay/client';
import { iconOf, summaryOf } from '../event-words.ts';
import { Icon } from './icon.tsx';
import { Marks } from './marks.tsx';
import { type Column, Table } from './table.tsx';
import { Time } from './time.tsx';

/** `9f0c…e21a` */
export const shortId = (id: string): string => (id.length <= 12 ? id : `${id.slice(0, 4)}…${id.slice(-4)}`);

const COLUMNS: readonly Column<ListedEvent>[] = [
  {
    head: 'Received',
    cell: ({ id, receivedAt }) => (
      <a class="plain" href={`/events/${id}`}>
        <Time at={receivedAt} />
      </a>
    ),
  },
  {
    head: 'Type',
    cell: (event) => (
      <span class={`kind ${event.type === 'messageStatusUpdate' ? 'muted' : ''}`}>
        <Icon name={iconOf(event)} />
        {event.type}
      </span>
    ),
  },
  { head: 'From', class: 'mono masked', cell: ({ from }) => from ?? <span class="muted">—</span> },
  {
    head: 'What',
    cell: (event) => (
      <span class="what">
        <span class="clip">{summaryOf(event)}</span>
        {event.valid === false && <span class="tag warn">misfit</span>}
      </span>
    ),
  },
  {
    head: 'Message',
    class: 'mono',
    cell: ({ messageId }) =>
      messageId !== null && <a href={`/messages/${encodeURIComponent(messageId)}`}>{shortId(messageId)}</a>,
  },
  { head: 'Deliveries', cell: ({ deliveries }) => <Marks deliveries={deliveries ?? []} /> },
];

export interface EventTableProps {
  readonly events: readonly ListedEvent[];
  /** The id of the one that is shown beside the list. */
  readonly selected?: string | undefined;
  readonly onSelect?: (id: string) => void;
  /** How many there are in all, as far as that is known. */
  readonly total?: number | undefined;
}

/** Events, newest first. The time is a link to the event's own page; the rest of a row shows it beside the list. */
export const EventTable = ({ events, selected, onSelect, total }: EventTableProps) => (
  <Table
    name="List of events"
    rows={events}
    columns={COLUMNS}
    keyOf={({ id }) => id}
    isSelected={({ id }) => id === selected}
    onSelect={({ id }) => onSelect?.(id)}
    total={total ?? -1}
  />
);
