import type { StatusClass } from './status-codes.ts';

/** A status with its times: what decides where a message stands. */
export interface TimedStatus {
  /** Breaks ties, so that the answer never depends on the order in which statuses came in. */
  readonly id: string;
  readonly code: number | null;
  readonly class: StatusClass;
  readonly final: boolean;
  /** ISO 8601 in UTC. Null when Clickatell named none: then it counts as of `receivedAt`. */
  readonly occurredAt: string | null;
  readonly receivedAt: string;
}

/** How far a message has come. What nobody knows is no progress. */
const RANKS: Readonly<Record<StatusClass, number>> = { unknown: 0, pending: 1, delivered: 2, read: 3, failed: 4 };

/** When it happened. ISO 8601 in UTC of the same length sorts as text. */
const timeOf = ({ occurredAt, receivedAt }: TimedStatus): string => occurredAt ?? receivedAt;

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Sorts statuses by the time at which they happened, whenever they came in; of one time, the one further on is last. */
export const compareStatuses = (a: TimedStatus, b: TimedStatus): number =>
  compareText(timeOf(a), timeOf(b)) ||
  RANKS[a.class] - RANKS[b.class] ||
  (a.code ?? -1) - (b.code ?? -1) ||
  compareText(a.id, b.id);

/** Whether `a` says better than `b` where the message stands: a total order, so that statuses may come in any order. */
const outranks = (a: TimedStatus, b: TimedStatus): boolean => {
  if (a.final !== b.final) return a.final;
  if (a.final) {
    // What came first ended it; of one time, a failure is believed.
    return (compareText(timeOf(a), timeOf(b)) || RANKS[b.class] - RANKS[a.class] || -compareStatuses(a, b)) < 0;
  }
  return (RANKS[a.class] - RANKS[b.class] || compareStatuses(a, b)) > 0;
};

/**
 * Where a message stands: the first final status by its own time (a failure stays final, and so does READ); else the
 * furthest one, so that a late SENT_TO_SUPPLIER never takes back DEVICE_ACK.
 *
 * @param statuses of one message, in any order, also with repetitions
 * @returns undefined when there is none
 */
export const currentStatus = <Status extends TimedStatus>(statuses: Iterable<Status>): Status | undefined => {
  let current: Status | undefined;
  for (const status of statuses) if (current === undefined || outranks(status, current)) current = status;
  return current;
};
