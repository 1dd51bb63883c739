import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { countRepeats } from './count-repeats.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('writes the same line once, then how many times it came again, and forgets it when it stays away', () => {
  const lines: unknown[] = [];
  const log = countRepeats((fields) => lines.push(fields));
  for (let n = 0; n < 225; n++) log({ reason: 'full', frames: [n] });
  log({ reason: 'another' });
  expect(lines).toEqual([{ reason: 'full', frames: [0] }, { reason: 'another' }]);
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(2)).toEqual([{ reason: 'full', frames: [0], times: 224 }]);
  log({ reason: 'full' });
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(3)).toEqual([{ reason: 'full', frames: [0], times: 1 }]);
  vi.advanceTimersByTime(60_000);
  log({ reason: 'full' });
  expect(lines.slice(4)).toEqual([{ reason: 'full' }]);
});

it('holds a bounded number of kinds', () => {
  let lines = 0;
  const log = countRepeats(() => lines++);
  for (let round = 0; round < 2; round++) for (let n = 0; n < 150; n++) log({ n });
  expect(lines).toBe(200);
});
