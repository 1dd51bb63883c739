import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRate } from './pacing.ts';

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
