import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for the last things to close, but not longer than this: a Redis that does not answer must not hold up the end. */
export const atMost = async (ms: number, ...closing: readonly unknown[]): Promise<void> => {
  await Promise.race([Promise.all(closing), sleep(ms)]);
};
