import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fairNow } from './fair-now.ts';

test('time in which this process waits counts', async () => {
  const since = fairNow();
  await sleep(500);
  // A busy machine may take some of it, but not nearly all.
  expect(fairNow() - since).toBeGreaterThan(50);
});

test('time in which it could not run does not', async () => {
  const since = fairNow();
  const until = performance.now() + 500;
  while (performance.now() < until);
  await sleep(1);
  expect(fairNow() - since).toBeLessThan(200);
});
