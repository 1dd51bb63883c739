import { STATUS_TYPE } from './callback.ts';
import { compareStatuses, currentStatus, type TimedStatus } from './current-status.ts';
import type { StatusData } from './data.ts';
import type { Event } from './event.ts';
import { classifyStatus } from './status-codes.ts';

/** One status update of a message. */
export interface TimelineStatus extends TimedStatus {
  readonly name: string | null;
  /** Received after a status that happened later. It is shown where it happened, and undoes nothing. */
  readonly late: boolean;
}

/** Everything known about a message. */
export interface MessageTimeline {
  readonly messageId: string;
  /** Your own id for it. */
  readonly clientMessageId: string | null;
  readonly channel: string | null;
  /** Where it stands; null while there is no status. See `currentStatus`. */
  readonly current: TimelineStatus | null;
  /** In the order they happened. */
  readonly statuses: readonly TimelineStatus[];
  /** The message itself, when a customer sent it; several events when it came as several. */
  readonly received: readonly Event[];
  /** Customers' replies to it, in the order they happened. */
  readonly replies: readonly Event[];
}

/**
 * Arranges the events of a message as its story.
 *
 * @param events that name the message, in any order; others are skipped
 */
export const describeMessage = (messageId: string, events: Iterable<Event>): MessageTimeline => {
  const statusEvents: Event[] = [];
  const received: Event[] = [];
  const replies: Event[] = [];
  for (const event of events) {
    if (event.messageId === messageId) (event.type === STATUS_TYPE ? statusEvents : received).push(event);
    else if (event.relatedMessageId === messageId) replies.push(event);
  }
  const statuses = markLate(statusEvents.map(toStatus).sort(compareStatuses));
  const named = [...statusEvents, ...received];
  return {
    messageId,
    clientMessageId: named.find((event) => event.clientMessageId !== null)?.clientMessageId ?? null,
    channel: named.find((event) => event.channel !== null)?.channel ?? null,
    current: currentStatus(statuses) ?? null,
    statuses,
    received: received.sort(compareEvents),
    replies: replies.sort(compareEvents),
  };
};

const toStatus = ({ id, data, valid, occurredAt, receivedAt }: Event): TimelineStatus => {
  // An update that does not fit its type has no data: something happened, but we cannot tell what.
  const status = valid === false ? classifyStatus({}) : (data as StatusData);
  const { code, name, class: statusClass, final } = status;
  return { id, code, name, class: statusClass, final, occurredAt, receivedAt, late: false };
};

/** @param statuses in the order they happened */
const markLate = (statuses: readonly TimelineStatus[]): TimelineStatus[] => {
  let earliestAfter: string | undefined;
  const marked: TimelineStatus[] = [];
  for (const status of [...statuses].reverse()) {
    marked.push({ ...status, late: earliestAfter !== undefined && status.receivedAt > earliestAfter });
    if (earliestAfter === undefined || status.receivedAt < earliestAfter) earliestAfter = status.receivedAt;
  }
  return marked.reverse();
};

const compareEvents = (a: Event, b: Event): number => {
  const [first, second] = [a.occurredAt ?? a.receivedAt, b.occurredAt ?? b.receivedAt];
  return first < second ? -1 : first > second ? 1 : a.id < b.id ? -1 : 1;
};
