import { MINUTE_MS } from '@clickrelay/core';

/*
 * How long commits took in the last minute: counts in buckets that grow by a fifth, in twelve spans of 5 s. A number more
 * or less costs nothing that a callback would notice.
 */

const SPANS = 12;
const SPAN_MS = MINUTE_MS / SPANS;
const BUCKETS = 64;
const GROWTH = 1.2;
/** The upper end of the first bucket, in ms; that of the last is 24 s. */
const FIRST_MS = 0.25;

export interface CommitTimes {
  record(ms: number): void;
  /** The upper end of the bucket that holds it, in ms; null without any commit. */
  p99Ms(): number | null;
}

/** @param now in ms, never put back */
export const createCommitTimes = (now: () => number = () => performance.now()): CommitTimes => {
  const spans = Array.from({ length: SPANS }, () => ({ number: -1, counts: new Uint32Array(BUCKETS) }));

  return {
    record: (ms) => {
      const number = Math.floor(now() / SPAN_MS);
      const span = spans[number % SPANS] as (typeof spans)[number];
      if (span.number !== number) {
        span.number = number;
        span.counts.fill(0);
      }
      const bucket = Math.ceil(Math.log(ms / FIRST_MS) / Math.log(GROWTH));
      const index = Math.min(Math.max(bucket, 0), BUCKETS - 1);
      span.counts[index] = (span.counts[index] as number) + 1;
    },
    p99Ms: () => {
      const oldest = Math.floor(now() / SPAN_MS) - SPANS;
      const sums = new Array<number>(BUCKETS).fill(0);
      for (const { number, counts } of spans) {
        if (number > oldest) for (const [index, count] of counts.entries()) sums[index] = (sums[index] ?? 0) + count;
      }
      const total = sums.reduce((sum, count) => sum + count, 0);
      let seen = 0;
      const index = sums.findIndex((count) => {
        seen += count;
        return seen >= total * 0.99;
      });
      return total === 0 ? null : Math.round(FIRST_MS * GROWTH ** index * 100) / 100;
    },
  };
};
