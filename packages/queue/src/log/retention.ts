import { MINUTE_MS, SHARDS } from '@clickrelay/core';
import { listLiving } from '../destinations/destinations.ts';
import { readMemory } from '../redis/memory.ts';
import { eventKeys, REGISTRY, shardKeys } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { takeTurn } from '../redis/take-turn.ts';
import { STATE_LUA } from './delivery-states.ts';
import { RECORD_LUA } from './event-record.ts';
import { unindexEvents } from './message-index.ts';
import trimLua from './trim.lua';
import { countTrimmedEarly } from './trimmed-early.ts';

export interface Retention {
  /** How long events stay in the log, in ms. */
  readonly eventsMs: number;
  /** How many bytes all events together may take; the oldest are removed first. */
  readonly eventBytes: number;
  /** How long the attempts of ended deliveries stay, in ms. */
  readonly deliveriesMs: number;
}

/** Younger events are never removed, however full the log: they may not have been routed so far. */
const YOUNGEST_MS = MINUTE_MS;
const BATCH = 500;

const TRIM: Script = { name: 'trimShard', lua: RECORD_LUA + STATE_LUA + trimLua };

/** The size of the log in bytes, as its counters say. */
export const readLogBytes = async (store: Store): Promise<{ total: number; perShard: number[] }> => {
  const counters = Array.from({ length: SHARDS }, (_, shard): RedisCommand => ['get', shardKeys(shard).bytes]);
  const perShard = (await sendAll(store, counters)).map((value) => Number(value ?? 0));
  return { total: perShard.reduce((sum, bytes) => sum + bytes, 0), perShard };
};

/** From this share of `maxmemory` on the log shrinks: well before callbacks are refused. */
const FILLING = 0.8;

/** What the log may hold so that Redis does not get full. Events that are still owed stay all the same. */
const bytesWhileFilling = async (store: Store, logBytes: number): Promise<number> => {
  const { share } = await readMemory(store);
  return share < FILLING ? Number.POSITIVE_INFINITY : logBytes * (1 - GIVEN_AT_ONCE);
};

/** The share of its size that the log gives up each time. */
const GIVEN_AT_ONCE = 0.2;

/** Removes what has expired. @returns How many events were removed. */
export const trimEventLog = async (store: Store, retention: Retention, nowMs: number): Promise<number> => {
  // cjson reads an empty JSON object as an array, which does no harm.
  const living = JSON.stringify(Object.fromEntries(await listLiving(store)));
  const { total, perShard } = await readLogBytes(store);
  // Each shard gives up the same share, so that the oldest events of all shards are about equally old.
  const allowed = Math.min(retention.eventBytes, await bytesWhileFilling(store, total));
  const keep = total > allowed ? allowed / total : Number.POSITIVE_INFINITY;
  const eventsBelow = (nowMs - retention.eventsMs) * 1_000;
  const deliveriesBelow = (nowMs - retention.deliveriesMs) * 1_000;
  const youngest = (nowMs - YOUNGEST_MS) * 1_000;
  let trimmed = NOTHING;
  const failures: unknown[] = [];
  for (let shard = 0; shard < SHARDS; shard++) {
    const isFull = Number.isFinite(keep);
    const bytesToKeep = isFull ? Math.floor((perShard[shard] ?? 0) * keep) : Number.MAX_SAFE_INTEGER;
    const until = isFull ? youngest : Math.min(youngest, Math.max(eventsBelow, deliveriesBelow));
    try {
      trimmed = add(trimmed, await trimShard(store, shard, until, [eventsBelow, bytesToKeep, deliveriesBelow, living]));
    } catch (error) {
      // The other shards are trimmed all the same.
      failures.push(error);
    }
  }
  await countTrimmedEarly(store, trimmed.early);
  if (failures.length > 0) throw failures[0];
  return trimmed.removed;
};

interface Trimmed {
  readonly removed: number;
  /** How many of them had not expired. */
  readonly early: number;
}

const NOTHING: Trimmed = { removed: 0, early: 0 };
const add = (a: Trimmed, b: Trimmed): Trimmed => ({ removed: a.removed + b.removed, early: a.early + b.early });

/** @param until look at no event from this score on */
const trimShard = async (store: Store, shard: number, until: number, limits: Limits): Promise<Trimmed> => {
  let trimmed = NOTHING;
  let after: string | undefined = '-1';
  while (after !== undefined) {
    const places: string[] = await store.redis.zrange(
      shardKeys(shard).log,
      `(${after}`,
      `(${until}`,
      'BYSCORE',
      'LIMIT',
      0,
      BATCH,
      'WITHSCORES',
    );
    const { isOver, ...batch } = await trimBatch(store, shard, places, limits);
    trimmed = add(trimmed, batch);
    after = isOver || places.length < 2 * BATCH ? undefined : places.at(-1);
  }
  return trimmed;
};

/** What the script goes by: see trim.lua. */
type Limits = readonly [eventsBelow: number, bytesToKeep: number, deliveriesBelow: number, living: string];

/** @param places ids and scores of events, in turns */
const trimBatch = async (
  store: Store,
  shard: number,
  places: readonly string[],
  limits: Limits,
  pieces: readonly string[] = [],
): Promise<Trimmed & { isOver: boolean }> => {
  const { log, bytes, unindex, removedUntil } = shardKeys(shard);
  const ids = places.filter((_, at) => at % 2 === 0);
  const events = ids.flatMap((id) => {
    const { record, deliveries, repeats } = eventKeys(id);
    return [record, deliveries, repeats];
  });
  const keys = [log, bytes, unindex, removedUntil, ...events, ...pieces];
  const [removed, isOver, unindexed, withPieces, early] = await runScript<
    [number, 0 | 1, string[], (number | string)[], number]
  >(store.redis, TRIM, keys, [...limits, ...places]);
  await unindexEvents(store, shard, unindexed);
  if (withPieces.length === 0) return { removed, early, isOver: isOver === 1 };
  const large = withPieces.filter((_, at) => at % 2 === 0).map(Number);
  const placesOfLarge = large.flatMap((index) => places.slice(2 * index, 2 * index + 2));
  const known = withPieces.filter((_, at) => at % 2 === 1).map(String);
  const more = await trimBatch(store, shard, placesOfLarge, limits, known);
  return { ...add({ removed, early }, more), isOver: isOver === 1 };
};

/** How often the memory of Redis is checked. */
const LOOK_MS = 5_000;

/** Trims the log regularly, and more often while Redis fills up, in one process at a time. */
export const startRetention = (
  store: Store,
  retention: Retention,
  { everyMs = MINUTE_MS, onError }: { everyMs?: number; onError: (error: unknown) => void },
): { stop(): void } => {
  const lookMs = Math.min(everyMs, LOOK_MS);
  let lastAt = performance.now();
  const timer = setInterval(async () => {
    try {
      const isDue = performance.now() - lastAt >= everyMs;
      if (!isDue && (await readMemory(store)).share < FILLING) return;
      if (isDue) lastAt = performance.now();
      const [turn, forMs] = isDue ? ['trimming', everyMs] : ['giving-way', lookMs];
      const holder = await takeTurn(store, `${REGISTRY}:${turn}`, '1', forMs * 0.9);
      if (holder === null) await trimEventLog(store, retention, store.clock.now());
    } catch (error) {
      onError(error);
    }
  }, lookMs);
  return { stop: () => clearInterval(timer) };
};
