import { DAY_MS, DeliveryError } from '@clickrelay/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asDeliveryError, deadLetterKind, outcomeOf } from './outcome.ts';

const SCHEDULE = [0, 5_000, 30_000];

const failure = (retryAfterMs?: number, retryable = true) =>
  new DeliveryError('destination_rejected', 'answered 503', {
    retryable,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });

describe('an attempt', () => {
  it('that succeeded is delivered, whatever its number', () => {
    for (const attempt of [1, 3, 99])
      expect(outcomeOf(undefined, attempt, SCHEDULE, 0.5)).toEqual({ kind: 'delivered' });
  });

  it.each([
    ['the first, with the shortest wait', 1, 0, 0],
    ['the first, in the middle', 1, 0.5, 2_500],
    ['the first, with the longest wait', 1, 0.9999999, 5_000],
    ['the second', 2, 0.1, 3_000],
  ])('that failed is retried within the schedule: %s', (_, attempt, random, delayMs) => {
    expect(outcomeOf(failure(), attempt, SCHEDULE, random)).toEqual({ kind: 'retry', delayMs });
  });

  it('that failed as the last of the schedule, or after it, is a dead letter', () => {
    expect(outcomeOf(failure(), 3, SCHEDULE, 0.5)).toEqual({ kind: 'dead_letter' });
    expect(outcomeOf(failure(), 4, SCHEDULE, 0.5)).toEqual({ kind: 'dead_letter' });
    expect(outcomeOf(failure(60_000), 3, SCHEDULE, 0.5)).toEqual({ kind: 'dead_letter' });
    expect(outcomeOf(failure(), 1, [0], 0.5)).toEqual({ kind: 'dead_letter' });
  });

  it('that cannot succeed later is a dead letter at once', () => {
    expect(outcomeOf(failure(undefined, false), 1, SCHEDULE, 0.5)).toEqual({ kind: 'dead_letter' });
    expect(outcomeOf(failure(1_000, false), 1, SCHEDULE, 0.5)).toEqual({ kind: 'dead_letter' });
  });
});

describe('Retry-After', () => {
  it.each([
    ['is a floor under the wait', 20_000, 20_000],
    ['shortens no wait', 100, 2_500],
    ['counts up to a day', 3 * DAY_MS, DAY_MS],
    ['counts up to a day when it is infinite', Number.POSITIVE_INFINITY, DAY_MS],
    ['is ignored when it is zero', 0, 2_500],
    ['is ignored when it is negative', -60_000, 2_500],
    ['is ignored when it is minus infinity', Number.NEGATIVE_INFINITY, 2_500],
    ['is ignored when it is not a number', Number.NaN, 2_500],
  ])('%s', (_, retryAfterMs, delayMs) => {
    expect(outcomeOf(failure(retryAfterMs), 1, SCHEDULE, 0.5)).toEqual({ kind: 'retry', delayMs });
  });

  it('never makes a wait longer than a day or the schedule, nor shorter than nothing', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const schedule = fc.array(fc.nat(100 * DAY_MS), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        schedule,
        fc.integer({ min: 1, max: 14 }),
        fc.option(fc.double()),
        random,
        (waits, attempt, after, r) => {
          const outcome = outcomeOf(failure(after ?? undefined), attempt, waits, r);
          if (attempt >= waits.length) {
            expect(outcome).toEqual({ kind: 'dead_letter' });
            return;
          }
          expect(outcome.kind).toBe('retry');
          const { delayMs } = outcome as { delayMs: number };
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(Math.max(waits[attempt] as number, DAY_MS));
          if (after !== null && after > 0) expect(delayMs).toBeGreaterThanOrEqual(Math.min(after, DAY_MS));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('a dead letter', () => {
  it.each([
    ['destination_rejected', 'refused'],
    ['destination_refused', 'refused'],
    ['nacked', 'refused'],
    ['delivery_not_built', 'not_built'],
    ['crashes_consumer', 'crashes_consumer'],
  ] as const)('by %s is %s', (code, kind) => {
    expect(deadLetterKind(new DeliveryError(code, 'why', { retryable: false }))).toBe(kind);
  });
});

describe('an error that is no DeliveryError', () => {
  it('is retried, and leaves nothing of its text', () => {
    const cause = new TypeError('cannot read 27999000001');
    const error = asDeliveryError(cause);
    expect([error.code, error.retryable, error.message]).toEqual([
      'delivery_not_built',
      true,
      'delivery ended by an internal TypeError',
    ]);
    expect(error.cause).toBe(cause);
    expect(asDeliveryError('27999000001').message).toBe('delivery ended by an internal error');
  });

  it('stays itself when it is one', () => {
    const error = failure();
    expect(asDeliveryError(error)).toBe(error);
  });
});
