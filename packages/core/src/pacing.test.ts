import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pacing, parseRate, readPacing } from './pacing.ts';

describe('parseRate', () => {
  it('spreads a rate over its span', () => {
    expect(parseRate('50/s')).toEqual({ max: 5, spanMs: 100 });
    expect(parseRate('5/s')).toEqual({ max: 1, spanMs: 200 });
    expect(parseRate('600/m')).toEqual({ max: 1, spanMs: 100 });
    expect(parseRate('3/h')).toEqual({ max: 1, spanMs: 1_200_000 });
  });

  it('refuses what is none', () => {
    for (const text of ['', '50', '0/s', '-1/s', '1.5/s', '5/d', '5 / s', '12345678/s']) {
      expect(parseRate(text), text).toBeUndefined();
    }
  });

  it('never allows more than was said, and not much less', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom('s', 'm', 'h'), (max, unit) => {
        const rate = parseRate(`${max}/${unit}`);
        const asked = max / { s: 1_000, m: 60_000, h: 3_600_000 }[unit as 's'];
        const allowed = (rate?.max ?? 0) / (rate?.spanMs ?? 1);
        expect(allowed).toBeLessThanOrEqual(asked * (1 + 1e-9));
        expect(allowed).toBeGreaterThan(asked * 0.98);
      }),
    );
  });
});

describe('a retry schedule', () => {
  const refusalOf = (retrySchedule: string) =>
    z
      .object(pacing)
      .safeParse({ retrySchedule })
      .error?.issues.map(({ message }) => message);
  const rule = 'retrySchedule must be 1 to 100 durations of at most 30d, with commas between them, such as 0s,5s,2m';

  it('may wait a month, a hundred times', () => {
    expect(refusalOf('0s,30d')).toBeUndefined();
    expect(refusalOf(`0s${',720h'.repeat(99)}`)).toBeUndefined();
  });

  it('is refused with the rule when nobody would live to see the next attempt', () => {
    for (const text of ['0s,999999999d', '31d', `0s${',1s'.repeat(100)}`, '', '5']) {
      expect(refusalOf(text), text).toEqual([rule]);
    }
  });
});

describe('stored settings', () => {
  it('that do not fit any more count as not given, and spoil no other', () => {
    const good = { rate: '5/s', ordering: 'conversation', retrySchedule: '0s,1m' };
    expect(readPacing({ url: 'https://a.example', ...good })).toEqual(good);
    for (const [name, bad] of Object.entries({ rate: '5', ordering: 'sideways', retrySchedule: '999999999d' })) {
      expect(readPacing({ ...good, [name]: bad })).toEqual({ ...good, [name]: undefined });
    }
    for (const none of [{}, null, undefined, 'x', []]) {
      expect(readPacing(none)).toEqual({ rate: undefined, ordering: undefined, retrySchedule: undefined });
    }
  });
});
