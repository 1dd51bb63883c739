import { DeliveryError, type RetrySchedule } from '@clickrelay/core';

/** What follows from an attempt. */
export type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'dead_letter' };

/**
 * Why a delivery is a dead letter: the destination did not take it (`refused`: it answered otherwise, or not at all, might
 * not be called, or its consumer gave it back), or it never came so far (`not_built`: mend the transform, or whatever the
 * error says, and replay), or fifty leases of it ended in silence (`crashes_consumer`).
 */
export const DEAD_LETTER_KINDS = ['refused', 'not_built', 'crashes_consumer'] as const;

export type DeadLetterKind = (typeof DEAD_LETTER_KINDS)[number];

/** @param error What its last attempt ended with. */
export const deadLetterKind = (error: { readonly code: string } | undefined): DeadLetterKind => {
  if (error?.code === 'delivery_not_built') return 'not_built';
  return error?.code === 'crashes_consumer' ? 'crashes_consumer' : 'refused';
};

/** A destination may ask for a pause, not for ever: `Retry-After` counts up to a day. */
const LONGEST_RETRY_AFTER_MS = 24 * 60 * 60_000;

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
  // `||`: a Retry-After that is no number asks for nothing.
  const floorMs = Math.min(Math.max(error.retryAfterMs || 0, 0), LONGEST_RETRY_AFTER_MS);
  return { kind: 'retry', delayMs: Math.max(Math.round(longestMs * random), floorMs) };
};

/** Anything that is not a DeliveryError is a fault of ours: retried, and its text kept to its name. */
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
