import { expect, it } from 'vitest';
import { toIso } from './iso-time.ts';

it('writes every time that Redis may hold, and never throws', () => {
  expect(toIso(Date.UTC(2026, 2, 1))).toBe('2026-03-01T00:00:00.000Z');
  for (const ms of [8.64e16, Number.POSITIVE_INFINITY, Date.UTC(10_000, 0, 1)]) {
    expect(toIso(ms), String(ms)).toBe('9999-12-31T23:59:59.999Z');
  }
  for (const ms of [Number.NaN, -1, Number.NEGATIVE_INFINITY]) {
    expect(toIso(ms), String(ms)).toBe('1970-01-01T00:00:00.000Z');
  }
});
