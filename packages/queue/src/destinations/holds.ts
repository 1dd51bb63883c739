import { PUT_BACK_MS } from '../redis/clock.ts';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * A hold stops a destination for a while: nothing is sent until it is over. Workers set and end holds by themselves. A
 * destination that a person paused, or that answered 410 (gone), is `paused` in its record instead.
 */

/** Until when nothing is sent to a destination, and why. */
export interface Hold {
  /** `throttled`: it asked for a pause. `failing`: it failed too often in a row, and its circuit is open. */
  readonly reason: 'throttled' | 'failing';
  /** By the clock of Redis, in ms since 1970. */
  readonly until: number;
}

/** A field for each destination that is held. */
export const HOLDS = `${REGISTRY}:holds`;

/** Holds a destination. The other workers and the API see it. */
export const holdDestination = async (store: Store, id: string, hold: Hold): Promise<void> => {
  const forMs = Math.max(hold.until - store.clock.now(), 0);
  await store.redis.hset(HOLDS, id, `${hold.until} ${hold.reason} ${forMs}`);
};

/** Ends a hold: the destination has answered well again. */
export const releaseDestination = async (store: Store, id: string): Promise<void> => {
  await store.redis.hdel(HOLDS, id);
};

/**
 * The hold of every destination that has one now. Forgets those that are over: also one that would still last longer than
 * it could from its begin, since the clock of Redis was put back.
 */
export const listHolds = async (store: Store, nowMs: number): Promise<Map<string, Hold>> => {
  const holds = new Map<string, Hold>();
  const over: string[] = [];
  for (const [id, text] of Object.entries(await store.redis.hgetall(HOLDS))) {
    const [until, reason, forMs] = text.split(' ');
    const leftMs = Number(until) - nowMs;
    if (leftMs > 0 && leftMs <= Number(forMs) + PUT_BACK_MS)
      holds.set(id, { until: Number(until), reason: reason as Hold['reason'] });
    else over.push(id);
  }
  if (over.length > 0) await store.redis.hdel(HOLDS, ...over);
  return holds;
};
