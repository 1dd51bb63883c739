import type { ListedEvent } from '@clickrelay/client';
import { iconOf, summaryOf } from '../event-words.ts';
import { Icon } from './icon.tsx';
import { Marks } from './marks.tsx';
import { Time } from './time.tsx';

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
  <section class="scroll" tabIndex={0} aria-label="List of events">
    <table aria-rowcount={total ?? -1}>
      <thead>
        <tr>
          <th scope="col">Received</th>
          <th scope="col">Type</th>
          <th scope="col">From</th>
          <th scope="col">What</th>
          <th scope="col">Message</th>
          <th scope="col">Deliveries</th>
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <tr
            key={event.id}
            aria-selected={event.id === selected}
            onClick={({ target }) => {
              if (!(target as HTMLElement).closest('a')) onSelect?.(event.id);
            }}
          >
            <td>
              <a class="plain" href={`/events/${event.id}`}>
                <Time at={event.receivedAt} />
              </a>
            </td>
            <td>
              <span class={`kind ${event.type === 'messageStatusUpdate' ? 'muted' : ''}`}>
                <Icon name={iconOf(event)} />
                {event.type}
              </span>
            </td>
            <td class="mono masked">{event.from ?? <span class="muted">—</span>}</td>
            <td>
              <span class="what">
                <span class="clip">{summaryOf(event)}</span>
                {event.valid === false && <span class="tag warn">misfit</span>}
              </span>
            </td>
            <td class="mono">
              {event.messageId !== null && (
                <a href={`/messages/${encodeURIComponent(event.messageId)}`}>{shortId(event.messageId)}</a>
              )}
            </td>
            <td>
              <Marks deliveries={event.deliveries ?? []} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

/** `9f0c…e21a` */
export const shortId = (id: string): string => (id.length <= 12 ? id : `${id.slice(0, 4)}…${id.slice(-4)}`);
