import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * Each process publishes a snapshot of itself for others to read, such as its metrics: a few kilobytes, which expire.
 * The sorted set beside them is only there to find them.
 */

const INDEX = `${REGISTRY}:snapshots`;
const keyOf = (process: string): string => `${REGISTRY}:snapshot:${process}`;
/** Processes whose snapshots expired this long ago are dropped from the set. */
const FORGET_MS = 60_000;

export interface Snapshot {
  /** Names the process among all. */
  readonly process: string;
  readonly body: Buffer;
  /** How old it is, in ms, by the clock of Redis. */
  readonly ageMs: number;
}

export const publishSnapshot = async (store: Store, process: string, body: Buffer, ttlMs: number): Promise<void> => {
  store.assertConnected();
  const now = Date.now();
  await store.redis
    .multi()
    .set(keyOf(process), body, 'PX', ttlMs)
    .zadd(INDEX, now + ttlMs, process)
    .zremrangebyscore(INDEX, '-inf', now - FORGET_MS)
    .exec();
};

/** @param ttlMs the one that they were published with */
export const listSnapshots = async (store: Store, ttlMs: number): Promise<Snapshot[]> => {
  const processes = await store.redis.zrangebyscore(INDEX, '-inf', '+inf');
  const found = await Promise.all(
    processes.map(async (process) => {
      const [body, leftMs] = await Promise.all([
        store.redis.getBuffer(keyOf(process)),
        store.redis.pttl(keyOf(process)),
      ]);
      // It would outlive what it was published with: from before the clock of Redis was put back.
      if (body === null || leftMs > ttlMs) return undefined;
      return { process, body, ageMs: ttlMs - leftMs };
    }),
  );
  return found.filter((one) => one !== undefined);
};
