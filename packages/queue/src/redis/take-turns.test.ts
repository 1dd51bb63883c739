import { expect, it } from 'vitest';
import { takeTurns } from './take-turns.ts';

const beBusy = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

it('other work gets turns while many things are looked at, and none is waited for while there are few', async () => {
  const nextTurn = takeTurns();
  expect(nextTurn()).toBeUndefined();
  let turns = 0;
  let isOver = false;
  const other = (): void => {
    turns++;
    if (!isOver) setImmediate(other);
  };
  setImmediate(other);
  for (let one = 0; one < 50; one++) {
    await nextTurn();
    beBusy(5);
  }
  isOver = true;
  expect(turns).toBeGreaterThan(5);
});
