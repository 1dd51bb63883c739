import { setTimeout as sleep } from 'node:timers/promises';
import { fairNow } from './fair-now.ts';

export interface WaitOptions {
  /** In ms of `fairNow`: while the machine stands still, it waits on. @default 30000 */
  timeoutMs?: number;
  /** Pause between two looks, in ms. @default 20 */
  everyMs?: number;
  /** What is being waited for, for the message of the error. */
  what?: string;
}

/**
 * Looks until the answer is truthy, and gives it back. A `look` that throws counts as not yet.
 * @throws {Error} after `timeoutMs`, with the last answer or error
 */
export const waitUntil = async <T>(look: () => T | Promise<T>, options: WaitOptions = {}): Promise<NonNullable<T>> => {
  const { timeoutMs = 30_000, everyMs = 20, what = look.toString() } = options;
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
