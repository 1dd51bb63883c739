import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LevelMemory, MEMORY_MS, NEVER, QUIET_MS, stepLevel } from './level.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const START = Date.parse('2026-11-30T12:00:00.000Z');
const WAITS = { forMs: 30 * SECOND, keepMs: MINUTE };

/** A level, and the time. */
const begin = (waits = WAITS) => {
  let level: LevelMemory = NEVER;
  let now = START;
  const step = (raises: boolean, holds: boolean, sinceMs: number | undefined): LevelMemory => {
    level = stepLevel(level, { raises, holds, sinceMs, ...waits }, now);
    return level;
  };
  return {
    true: (sinceMs?: number) => step(true, true, sinceMs),
    held: () => step(false, true, undefined),
    false: () => step(false, false, undefined),
    pass: (ms: number) => {
      now += ms;
    },
  };
};

describe('a level', () => {
  it('is raised when it has been true for so long, and not a moment sooner', () => {
    const level = begin();
    expect(level.true().isRaised).toBe(false);
    level.pass(WAITS.forMs - 1);
    expect(level.true().isRaised).toBe(false);
    level.pass(1);
    expect(level.true()).toMatchObject({ isRaised: true, trueSince: START });
  });

  it('begins anew when it was false in between', () => {
    const level = begin();
    level.true();
    level.pass(WAITS.forMs - 1);
    level.false();
    level.pass(1);
    expect(level.true().isRaised).toBe(false);
  });

  it('has been true since the facts say so', () => {
    const level = begin();
    expect(level.true(START - WAITS.forMs)).toMatchObject({ isRaised: true, trueSince: START - WAITS.forMs });
  });

  it('is not true since a time to come', () => {
    expect(begin().true(START + MINUTE)).toMatchObject({ isRaised: false, trueSince: START });
  });

  it('ends when it has been false for so long, and not a moment sooner', () => {
    const level = begin({ ...WAITS, forMs: 0 });
    level.true();
    level.false();
    level.pass(WAITS.keepMs - 1);
    expect(level.false().isRaised).toBe(true);
    level.pass(1);
    expect(level.false()).toEqual({ ...NEVER, raisedAt: [START], endedAt: START + WAITS.keepMs });
  });

  it('does not end between its two thresholds, and is not raised there', () => {
    const level = begin({ ...WAITS, forMs: 0 });
    expect(level.held().isRaised).toBe(false);
    level.true();
    level.pass(10 * MINUTE);
    level.held();
    level.pass(10 * MINUTE);
    expect(level.held()).toMatchObject({ isRaised: true, falseSince: null });
  });

  it('waits after an end, whatever the facts say of the past', () => {
    const level = begin();
    level.true(START - MINUTE);
    level.false();
    level.pass(WAITS.keepMs);
    level.false();
    expect(level.true(START - MINUTE).isRaised).toBe(false);
    level.pass(WAITS.forMs);
    expect(level.true(START - MINUTE).isRaised).toBe(true);
  });

  it('has not been true since a time to come when the clock is put back', () => {
    const level = begin({ ...WAITS, forMs: 0 });
    level.true();
    level.pass(-60 * MINUTE);
    expect(level.true()).toMatchObject({ isRaised: true, trueSince: START - 60 * MINUTE });
  });

  it('that a clock showed in the future neither waits nor stays until then', () => {
    const level = begin();
    level.true();
    level.pass(-60 * MINUTE);
    level.true();
    level.pass(WAITS.forMs);
    expect(level.true().isRaised).toBe(true);
    level.false();
    level.pass(-60 * MINUTE);
    level.false();
    level.pass(WAITS.keepMs);
    expect(level.false().isRaised).toBe(false);
  });
});

describe('what comes and goes', () => {
  const flap = (times: number) => {
    const level = begin({ forMs: 0, keepMs: MINUTE });
    let last = NEVER;
    for (let time = 0; time < times; time++) {
      last = level.true();
      level.pass(MINUTE);
      level.false();
      level.pass(MINUTE);
      if (time < times - 1) level.false();
    }
    return { level, last };
  };

  it('three times in an hour ends each time', () => {
    const { level, last } = flap(3);
    expect(last.comesAndGoes).toBe(false);
    expect(level.false().isRaised).toBe(false);
  });

  it('four times in an hour stays raised until it has been quiet for 30 minutes', () => {
    const { level, last } = flap(4);
    expect(last).toMatchObject({ comesAndGoes: true, raisedAt: { length: 4 } });
    expect(level.false().isRaised).toBe(true);
    level.pass(QUIET_MS - MINUTE - 1);
    expect(level.false().isRaised).toBe(true);
    level.pass(1);
    expect(level.false()).toMatchObject({ isRaised: false, raisedAt: [], comesAndGoes: false });
  });

  it('is counted while it is kept raised', () => {
    expect(flap(6).last).toMatchObject({ comesAndGoes: true, raisedAt: { length: 6 } });
  });

  it('stays so while it comes back now and then', () => {
    const { level } = flap(4);
    for (let time = 0; time < 6; time++) {
      level.pass(25 * MINUTE);
      expect(level.true()).toMatchObject({ isRaised: true, comesAndGoes: true });
      level.pass(MINUTE);
      level.false();
    }
  });

  it('is merely raised once it has been true for an hour', () => {
    const { level } = flap(4);
    level.true();
    level.pass(MEMORY_MS);
    expect(level.true()).toMatchObject({ isRaised: true, comesAndGoes: false });
    level.false();
    level.pass(MINUTE);
    expect(level.false().isRaised).toBe(false);
  });
});

it('no sequence raises, ends and raises a level faster than it waits for and keeps', () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: 5 * MINUTE }),
    raises: fc.boolean(),
    isHeld: fc.boolean(),
    sinceAgoMs: fc.option(fc.integer({ min: 0, max: 60 * MINUTE }), { nil: undefined }),
  });
  const wait = fc.integer({ min: 0, max: 3 * MINUTE });
  fc.assert(
    fc.property(wait, wait, fc.array(step, { maxLength: 60 }), (forMs, keepMs, steps) => {
      let before: LevelMemory = NEVER;
      let raisedAt = Number.NEGATIVE_INFINITY;
      let now = START;
      for (const { afterMs, raises, isHeld, sinceAgoMs } of steps) {
        now += afterMs;
        const sinceMs = sinceAgoMs === undefined ? undefined : now - sinceAgoMs;
        const after = stepLevel(before, { raises, holds: raises || isHeld, sinceMs, forMs, keepMs }, now);
        if (after.isRaised && !before.isRaised) {
          expect(now - raisedAt).toBeGreaterThanOrEqual(forMs + keepMs);
          raisedAt = now;
        }
        if (!after.isRaised && before.isRaised) expect(now - raisedAt).toBeGreaterThanOrEqual(keepMs);
        before = after;
      }
    }),
    { numRuns: 2_000 },
  );
});
