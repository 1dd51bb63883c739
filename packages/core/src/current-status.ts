import type { StatusClass } from './status-codes.ts';

/** A status with its times, which decide where a message stands. */
export interface TimedStatus {
  /** Breaks ties, so that the result never depends on the order in which statuses arrived. */
  readonly id: string;
  readonly code: number | null;
  readonly class: StatusClass;
  readonly final: boolean;
  /** ISO 8601 in UTC. Null when Clickatell sent none; `receivedAt` counts instead. */
  readonly occurredAt: string | null;
  readonly receivedAt: string;
}

/** How far a message has come. An unknown status is no progress. */
const RANKS: Readonly<Record<StatusClass, number>> = { unknown: 0, pending: 1, delivered: 2, read: 3, failed: 4 };

/** When it happened. ISO 8601 times in UTC of equal length sort as text. */
const timeOf = ({ occurredAt, receivedAt }: TimedStatus): string => occurredAt ?? receivedAt;

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Sorts statuses by when they happened, not by when they arrived; at equal times, the more advanced comes last. */
export const compareStatuses = (a: TimedStatus, b: TimedStatus): number =>
  compareText(timeOf(a), timeOf(b)) ||
  RANKS[a.class] - RANKS[b.class] ||
  (a.code ?? -1) - (b.code ?? -1) ||
  compareText(a.id, b.id);

/** Whether `a` outranks `b` as the current status. A total order, so that statuses may arrive in any order. */
const outranks = (a: TimedStatus, b: TimedStatus): boolean => {
  if (a.final !== b.final) return a.final;
  if (a.final) {
    // The first final status ended the message; at equal times, a failure wins.
    return (compareText(timeOf(a), timeOf(b)) || RANKS[b.class] - RANKS[a.class] || -compareStatuses(a, b)) < 0;
  }
  return (RANKS[a.class] - RANKS[b.class] || compareStatuses(a, b)) > 0;
};

/**
 * Finds where a message stands: the first final status by its own time (a failure stays final, and so does READ), else
 * the most advanced one, so that a late SENT_TO_SUPPLIER never undoes DEVICE_ACK.
 *
 * @param statuses of one message, in any order; duplicates are fine
 * @returns undefined when there are none
 */
export const currentStatus = <Status extends TimedStatus>(statuses: Iterable<Status>): Status | undefined => {
  let current: Status | undefined;
  for (const status of statuses) if (current === undefined || outranks(status, current)) current = status;
  return current;
};
