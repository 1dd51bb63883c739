import { expect, it } from 'vitest';
import { createPutAside } from './put-aside.ts';

it('what failed has one try at a time, after a wait that grows, until a try succeeds', () => {
  let now = 0;
  const aside = createPutAside(() => now);
  expect(aside.mayTry('a')).toBe(true);
  for (let count = 0; count < 10; count++) aside.failed('a', 'TRYAGAIN');
  const waits: number[] = [];
  for (let tries = 0; tries < 6; tries++) {
    const since = now;
    while (!aside.mayTry('a')) now += 50;
    expect(aside.mayTry('a')).toBe(false);
    waits.push(now - since);
    aside.failed('a', 'TRYAGAIN');
    aside.failed('a', 'TRYAGAIN');
  }
  expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000]);
  expect(aside.reason('a')).toBe('TRYAGAIN');
  expect(aside.mayTry('b')).toBe(true);
  aside.worked('a');
  expect([aside.mayTry('a'), aside.mayTry('a')]).toEqual([true, true]);
});
