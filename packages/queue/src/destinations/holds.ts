import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/** Until when nothing is sent to a destination, and why: it asked for that, or failed too often in a row. */
export interface Hold {
  readonly reason: 'throttled' | 'failing';
  /** In ms since 1970. */
  readonly until: number;
}

/** A field for each destination that is held. */
export const HOLDS = `${REGISTRY}:holds`;

/** Tells the other workers, and whoever asks how a destination is. */
export const holdDestination = async (store: Store, id: string, hold: Hold): Promise<void> => {
  await store.redis.hset(HOLDS, id, `${hold.until} ${hold.reason}`);
};

/** It has answered well again. */
export const releaseDestination = async (store: Store, id: string): Promise<void> => {
  await store.redis.hdel(HOLDS, id);
};

/** Of every destination that is held now. Those that are over are forgotten on the way. */
export const listHolds = async (store: Store, nowMs: number): Promise<Map<string, Hold>> => {
  const holds = new Map<string, Hold>();
  const over: string[] = [];
  for (const [id, text] of Object.entries(await store.redis.hgetall(HOLDS))) {
    const [until, reason] = text.split(' ');
    if (Number(until) > nowMs) holds.set(id, { until: Number(until), reason: reason as Hold['reason'] });
    else over.push(id);
  }
  if (over.length > 0) await store.redis.hdel(HOLDS, ...over);
  return holds;
};
