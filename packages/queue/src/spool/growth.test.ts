import { expect, it } from 'vitest';
import { GROWTH_MS, watchGrowth } from './growth.ts';

const MINUTE = 60_000;

/** Looks every 5 seconds until then. */
const lookUntil = (minutes: number, bytesAt: (ms: number) => number): number | null => {
  const { perMinute } = watchGrowth();
  let last: number | null = null;
  for (let ms = 0; ms <= minutes * MINUTE; ms += 5_000) last = perMinute(bytesAt(ms), ms);
  return last;
};

it('a rate is that of the last 10 minutes, and of no other time', () => {
  const steady = (ms: number) => (ms / MINUTE) * 1_000;
  expect(lookUntil(9.9, steady)).toBeNull();
  expect(lookUntil(10, steady)).toBe(1_000);
  expect(lookUntil(600, steady)).toBe(1_000);
  // Slow for hours, then fast; and the other way round.
  const turnsFast = (ms: number) => (ms < 120 * MINUTE ? 0 : steady(ms - 120 * MINUTE));
  expect(lookUntil(125, turnsFast)).toBe(500);
  expect(lookUntil(130, turnsFast)).toBe(1_000);
  const turnsSlow = (ms: number) => Math.min(steady(ms), 5_000);
  expect(lookUntil(10, turnsSlow)).toBe(500);
  expect(lookUntil(16, turnsSlow)).toBe(0);
});

it('what becomes less has a rate below nothing', () => {
  expect(lookUntil(10, (ms) => 1_000_000 - ms)).toBe(-MINUTE);
});

it('is told again only a whole span after a look that came late', () => {
  const { perMinute } = watchGrowth();
  expect(perMinute(0, 0)).toBeNull();
  expect(perMinute(60_000, 60 * MINUTE)).toBe(1_000);
  expect(perMinute(60_000, 60 * MINUTE + GROWTH_MS)).toBe(0);
});
