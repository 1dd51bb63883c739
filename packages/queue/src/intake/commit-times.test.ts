import { expect, test } from 'vitest';
import { createCommitTimes } from './commit-times.ts';

test('tells what 99 of 100 commits of the last minute took at most, to a fifth', () => {
  let now = 1_000_000;
  const times = createCommitTimes(() => now);
  expect(times.p99Ms()).toBeNull();
  for (let n = 0; n < 99; n++) times.record(2);
  times.record(500);
  expect(times.p99Ms()).toBeGreaterThanOrEqual(2);
  expect(times.p99Ms()).toBeLessThanOrEqual(2.4);
  times.record(500);
  expect(times.p99Ms()).toBeGreaterThanOrEqual(500);
  expect(times.p99Ms()).toBeLessThanOrEqual(600);
  now += 66_000;
  expect(times.p99Ms()).toBeNull();
});
