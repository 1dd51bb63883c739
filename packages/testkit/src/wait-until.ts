import { setTimeout as sleep } from 'node:timers/promises';
import { fairNow } from './fair-now.ts';

export interface WaitOptions {
  /** In ms of `fairNow`, which stops while the machine stands still. @default 60000 */
  timeoutMs?: number;
  /** Pause between two tries, in ms. @default 20 */
  everyMs?: number;
  /** Describes the wait in the error. */
  what?: string;
}

/**
 * Calls `look` until its result is truthy, and returns that. A `look` that throws is tried again.
 * @throws {Error} after `timeoutMs`, with the last result or error
 */
export const waitUntil = async <T>(look: () => T | Promise<T>, options: WaitOptions = {}): Promise<NonNullable<T>> => {
  const { timeoutMs = 60_000, everyMs = 20, what = look.toString() } = options;
  const deadline = fairNow() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await look();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (fairNow() >= deadline) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last);
      throw new Error(`waited ${timeoutMs} ms for ${what}; last seen: ${seen}`, { cause: last });
    }
    await sleep(everyMs);
  }
};
