import { DeliveryError } from '@clickrelay/core';

/** What follows from an attempt. */
export type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'dead_letter' };

/** The longest wait before each attempt, in ms; its length is the number of attempts. */
export type RetrySchedule = readonly number[];

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** At once, 5 s, 30 s, 2 min, 10 min, 30 min, 2 h, 5 h, 10 h, 24 h: ten attempts over at most 41 hours. */
export const DEFAULT_RETRY_SCHEDULE: RetrySchedule = [
  0,
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  24 * HOUR,
];

/** A destination may ask for a pause, not for ever: `Retry-After` counts up to a day. */
const LONGEST_RETRY_AFTER_MS = 24 * HOUR;

/**
 * The one place that turns an attempt into what happens next.
 *
 * Waits have full jitter (anything between 0 and the schedule's value), so that what failed together does not come
 * back together; a `Retry-After` is a floor under the wait.
 *
 * @param attempt Number of the attempt that just ended, from 1.
 * @param random From 0 up to 1.
 */
export const outcomeOf = (
  error: DeliveryError | undefined,
  attempt: number,
  schedule: RetrySchedule,
  random: number,
): Outcome => {
  if (error === undefined) return { kind: 'delivered' };
  const longestMs = schedule[attempt];
  if (!error.retryable || longestMs === undefined) return { kind: 'dead_letter' };
  const floorMs = Math.min(Math.max(error.retryAfterMs ?? 0, 0), LONGEST_RETRY_AFTER_MS);
  return { kind: 'retry', delayMs: Math.max(Math.round(longestMs * random), floorMs) };
};

/** Anything that is not a DeliveryError is a fault of ours: retried, and its text kept to its name. */
export const asDeliveryError = (error: unknown): DeliveryError =>
  error instanceof DeliveryError
    ? error
    : new DeliveryError(
        'delivery_aborted',
        `delivery ended by an internal ${error instanceof Error ? error.name : 'error'}`,
        {
          retryable: true,
          cause: error,
        },
      );
