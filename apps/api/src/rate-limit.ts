import type { Rate } from '@clickrelay/core';
import { RequestRefusedError } from './errors.ts';

/** More than there are keys or people. Beyond that the least recent are forgotten, and start afresh. */
const MOST_KNOWN = 10_000;

/** Counts the requests of each caller. */
export interface RateLimit {
  /** @throws {RequestRefusedError} 429 `too_many_requests`, with when to ask again */
  take(who: string): void;
}

/** A token bucket per caller: it holds what a whole span allows, and refills evenly. */
export const createRateLimit = ({ max, spanMs }: Rate, now: () => number = () => performance.now()): RateLimit => {
  const buckets = new Map<string, { left: number; atMs: number }>();
  return {
    take: (who) => {
      const nowMs = now();
      const { left, atMs } = buckets.get(who) ?? { left: max, atMs: nowMs };
      const filled = Math.min(max, left + ((nowMs - atMs) * max) / spanMs);
      if (filled < 1) {
        const waitMs = ((1 - filled) * spanMs) / max;
        throw new RequestRefusedError(
          429,
          'too_many_requests',
          `at most ${max} requests in ${spanMs / 1_000} s are answered; ask again in ${Math.ceil(waitMs)} ms`,
          { retryAfterMs: waitMs },
        );
      }
      buckets.delete(who);
      buckets.set(who, { left: filled - 1, atMs: nowMs });
      const [oldest] = buckets.keys();
      if (buckets.size > MOST_KNOWN && oldest !== undefined) buckets.delete(oldest);
    },
  };
};
