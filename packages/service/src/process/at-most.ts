import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until everything is closed, but no longer than this: a Redis that hangs must not hold up the end. */
export const atMost = async (ms: number, ...closing: readonly unknown[]): Promise<void> => {
  await Promise.race([Promise.all(closing), sleep(ms)]);
};
