import { MINUTE_MS } from '@clickrelay/core';
import { PUT_BACK_MS } from '../redis/clock.ts';
import { REGISTRY } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
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

/** A field for each destination that has been held: why, since when without an end, and until when the last hold was. */
export const TROUBLES = `${REGISTRY}:troubles`;
/**
 * A trouble goes on when the next hold of its kind begins within this time after the last one: a failing destination is
 * asked by a single attempt, which may take until its deadline.
 */
const GOES_ON_MS = { throttled: MINUTE_MS, failing: 2 * MINUTE_MS } as const;

/* KEYS: holds, troubles. ARGV: destination, hold, reason, now, until, how long after its end a trouble goes on. */
const HOLD: Script = {
  name: 'holdDestination',
  lua: `
local id, hold, reason, now, till, goesOn = unpack(ARGV)
redis.call('HSET', KEYS[1], id, hold)
local before, since, ended = string.match(redis.call('HGET', KEYS[2], id) or '', '^(%a+) (%d+) (%d+)$')
if before ~= reason or tonumber(ended) + tonumber(goesOn) < tonumber(now) then since = now end
redis.call('HSET', KEYS[2], id, reason .. ' ' .. since .. ' ' .. till)`,
};

/** Holds a destination. The other workers and the API see it. */
export const holdDestination = async (store: Store, id: string, { reason, until }: Hold): Promise<void> => {
  const now = store.clock.now();
  const text = `${until} ${reason} ${Math.max(until - now, 0)}`;
  await runScript(store.redis, HOLD, [HOLDS, TROUBLES], [id, text, reason, now, Math.round(until), GOES_ON_MS[reason]]);
};

/** Ends a hold: the destination has answered well again. */
export const releaseDestination = async (store: Store, id: string): Promise<void> => {
  await store.redis.multi().hdel(HOLDS, id).hdel(TROUBLES, id).exec();
};

export interface Trouble {
  readonly reason: Hold['reason'];
  /** By the clock of Redis, in ms since 1970. */
  readonly since: number;
}

/**
 * Why each destination is held, or was until a moment ago, and since when that goes on. Forgets those that are over.
 */
export const listTroubles = async (store: Store, nowMs: number): Promise<Map<string, Trouble>> => {
  const troubles = new Map<string, Trouble>();
  const over: string[] = [];
  for (const [id, text] of Object.entries(await store.redis.hgetall(TROUBLES))) {
    const [reason, since, until] = text.split(' ') as [Hold['reason'], string, string];
    if (Number(until) + GOES_ON_MS[reason] > nowMs) troubles.set(id, { reason, since: Number(since) });
    else over.push(id);
  }
  if (over.length > 0) await store.redis.hdel(TROUBLES, ...over);
  return troubles;
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
