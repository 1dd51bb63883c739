import { DAY_MS, DeliveryError, type RetrySchedule } from '@clickrelay/core';

/* About deliveries. It is here because `settle` writes the kind of a dead letter, and rooms import downwards only. */

/** What happens after an attempt. */
export type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'dead_letter' };

/**
 * Why a delivery is a dead letter:
 * - `refused`: the destination did not take it. It answered otherwise, or not at all, was not allowed to be called, or
 *   its consumer nacked it.
 * - `not_built`: it was never sent. Mend the transform, or what else the error names, and replay it.
 * - `crashes_consumer`: fifty leases of it ended unanswered.
 */
export const DEAD_LETTER_KINDS = ['refused', 'not_built', 'crashes_consumer'] as const;

export type DeadLetterKind = (typeof DEAD_LETTER_KINDS)[number];

/** @param error of the last attempt */
export const deadLetterKind = (error: { readonly code: string } | undefined): DeadLetterKind => {
  if (error?.code === 'delivery_not_built') return 'not_built';
  return error?.code === 'crashes_consumer' ? 'crashes_consumer' : 'refused';
};

/** A destination may ask for a pause, but not forever: `Retry-After` counts up to a day. */
const LONGEST_RETRY_AFTER_MS = DAY_MS;

/**
 * The one place that turns an attempt into what happens next.
 *
 * Waits have full jitter (anything between 0 and the schedule's value), so that deliveries that failed together do not
 * come back together; a `Retry-After` is a floor under the wait.
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
  // `||`: a Retry-After that is not a number asks for nothing.
  const floorMs = Math.min(Math.max(error.retryAfterMs || 0, 0), LONGEST_RETRY_AFTER_MS);
  return { kind: 'retry', delayMs: Math.max(Math.round(longestMs * random), floorMs) };
};

/** Anything else than a DeliveryError is a fault of ours: it is retried, and only its name is kept. */
export const asDeliveryError = (error: unknown): DeliveryError =>
  error instanceof DeliveryError
    ? error
    : new DeliveryError(
        'delivery_not_built',
        `delivery ended by an internal ${error instanceof Error ? error.name : 'error'}`,
        {
          retryable: true,
          cause: error,
        },
      );
