import { MINUTE_MS, SHARDS } from '@clickrelay/core';
import { eventKeys, shardKeys } from '../redis/names.ts';
import { sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { entriesOf } from './message-index.ts';
import { isBeingRouted, readHeads } from './read-event.ts';

/** A younger event may not be indexed so far: that is done behind its delivery. */
const YOUNGEST_MS = MINUTE_MS;

/**
 * Looks up random events of the log in the message index.
 * @returns how many were looked up, and how many of them their message does not find
 */
export const sampleIndex = async (store: Store, count: number): Promise<{ sampled: number; notIndexed: number }> => {
  const ids = await pickEvents(store, count);
  const heads = await readHeads(store, ids);
  const named = ids.flatMap((id, index) => {
    const addresses = heads[index]?.addresses ?? '';
    return addresses === '' ? [] : [{ id, entries: entriesOf(addresses, id) }];
  });
  let notIndexed = 0;
  for (const { id, entries } of named) {
    const found = await sendAll(
      store,
      entries.map(({ key, field }) => ['hexists', key, field]),
    );
    // One whose group goes on after a crash is indexed by then; one that has left the log meanwhile is in no index.
    if (found.includes(0) && !(await isBeingRouted(store, id)) && (await isInLog(store, id))) notIndexed++;
  }
  return { sampled: named.length, notIndexed };
};

const isInLog = async (store: Store, id: string): Promise<boolean> =>
  (await store.redis.exists(eventKeys(id).record)) === 1;

const pickEvents = async (store: Store, count: number): Promise<string[]> => {
  const logs = Array.from({ length: SHARDS }, (_, shard) => shardKeys(shard).log);
  const sizes = (
    await sendAll(
      store,
      logs.map((log) => ['zcard', log]),
    )
  ).map(Number);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  if (all === 0) return [];
  const places = Array.from({ length: count }, () => {
    let place = Math.floor(Math.random() * all);
    let shard = 0;
    while (place >= (sizes[shard] ?? 0)) place -= sizes[shard++] ?? 0;
    return { log: logs[shard] as string, place };
  });
  const picked = await sendAll(
    store,
    places.map(({ log, place }) => ['zrange', log, place, place, 'WITHSCORES']),
  );
  const before = (store.clock.now() - YOUNGEST_MS) * 1_000;
  const old = (picked as string[][]).filter(([, score]) => Number(score) < before);
  return [...new Set(old.map(([id]) => id as string))];
};
