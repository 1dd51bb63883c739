import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAILURES_TO_HOLD, Pace } from './pace.ts';

const SCHEDULE = [0, 5_000, 30_000, 120_000, 600_000, 7_200_000];
const start = (random = () => 1): Pace => new Pace({ concurrency: 32, schedule: SCHEDULE, random });
const failUntilHeld = (pace: Pace, at: number): void => {
  for (let count = 0; count < FAILURES_TO_HOLD; count++) pace.onFailed({ status: 500, retryAfterMs: undefined }, at);
};
const failed = { status: 500, retryAfterMs: undefined };

describe('a destination that asks for time', () => {
  it('gets nothing before its Retry-After is over, and then one attempt at first', () => {
    const pace = start();
    expect(pace.onFailed({ status: 429, retryAfterMs: 3_000 }, 1_000)).toEqual({ reason: 'throttled', until: 4_000 });
    expect(pace.limit(3_999)).toBe(0);
    expect(pace.limit(4_000)).toBe(1);
    pace.onDelivered();
    expect(pace.limit(4_000)).toBe(2);
  });

  it('is held for the longest wait that it asked for, and not again for attempts that were under way', () => {
    const pace = start();
    pace.onFailed({ status: 429, retryAfterMs: 3_000 }, 0);
    expect(pace.onFailed({ status: 429, retryAfterMs: 1_000 }, 10)).toBeUndefined();
    pace.onDelivered();
    expect(pace.limit(2_999)).toBe(0);
  });

  it('is tried less and less often when it does not say for how long', () => {
    const pace = start();
    const waits: number[] = [];
    for (let now = 0, round = 0; round < 8; round++) {
      now = (pace.onFailed({ status: 429, retryAfterMs: undefined }, now)?.until ?? 0) + 1;
      waits.push(now);
    }
    const steps = waits.map((at, index) => at - (waits[index - 1] ?? 0) - 1);
    expect(steps).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('cannot ask for more than an hour at a time', () => {
    expect(start().onFailed({ status: 503, retryAfterMs: 86_400_000 }, 0)?.until).toBe(3_600_000);
  });
});

describe('a destination that fails', () => {
  it('is left alone after many failures in a row, but not after a few', () => {
    const pace = start();
    for (let count = 1; count < FAILURES_TO_HOLD; count++) expect(pace.onFailed(failed, 0)).toBeUndefined();
    expect(pace.limit(0)).toBe(32);
    expect(pace.onFailed(failed, 0)).toEqual({ reason: 'failing', until: 5_000 });
  });

  it('is not held while some attempts succeed', () => {
    const pace = start();
    for (let count = 0; count < 1_000; count++) {
      expect(pace.onFailed(failed, 0)).toBeUndefined();
      if (count % (FAILURES_TO_HOLD - 1) === 0) pace.onDelivered();
    }
  });

  it('is tried by one attempt at a time, less and less often, but at least every five minutes', () => {
    const pace = start();
    failUntilHeld(pace, 0);
    let now = 0;
    for (const wait of [5_000, 30_000, 120_000, 300_000, 300_000, 300_000]) {
      expect(pace.limit(now + wait - 1)).toBe(0);
      now += wait;
      expect(pace.limit(now)).toBe(1);
      pace.onFailed(failed, now);
    }
  });

  it('is held no longer because of failed attempts that had begun before', () => {
    const pace = start();
    failUntilHeld(pace, 0);
    for (let count = 0; count < 100; count++) expect(pace.onFailed(failed, 100)).toBeUndefined();
    expect(pace.limit(5_000)).toBe(1);
  });

  it('recovers with the first success, and then gets more and more at once', () => {
    const pace = start();
    failUntilHeld(pace, 0);
    pace.onDelivered();
    expect(pace.hold).toBeUndefined();
    for (let allowed = 2; allowed <= 40; allowed++) {
      expect(pace.limit(1)).toBe(Math.min(allowed, 32));
      pace.onDelivered();
    }
  });

  it('is tried by many processes at different times', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (random) => {
        const pace = start(() => random);
        failUntilHeld(pace, 0);
        expect(pace.hold?.until).toBeGreaterThanOrEqual(2_500);
        expect(pace.hold?.until).toBeLessThanOrEqual(5_000);
      }),
    );
  });
});

it('a destination is always tried again: whatever happens, an attempt is allowed within the hour', () => {
  const step = fc.oneof(
    fc.constant('delivered' as const),
    fc.record({
      status: fc.constantFrom(429, 503, 500, undefined),
      retryAfterMs: fc.option(fc.nat(100_000_000), { nil: undefined }),
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(100_000)), { maxLength: 200 }), (steps) => {
      const pace = start(Math.random);
      let now = 0;
      for (const [what, later] of steps) {
        now += later;
        if (what === 'delivered') pace.onDelivered();
        else pace.onFailed(what, now);
        expect(pace.limit(now + 3_600_000)).toBeGreaterThanOrEqual(1);
        expect(pace.limit(now + 3_600_000)).toBeLessThanOrEqual(32);
      }
    }),
  );
});
