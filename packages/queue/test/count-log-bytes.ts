import { SHARDS } from '@clickrelay/core';
import { eventKeys, shardKeys } from '../src/redis/names.ts';
import type { Store } from '../src/redis/store.ts';

/** What the records of the event log really take, to compare with its counters. */
export const countLogBytes = async (store: Store): Promise<number> => {
  let total = 0;
  for (let shard = 0; shard < SHARDS; shard++) {
    for (const id of await store.redis.zrange(shardKeys(shard).log, '0', '-1')) {
      total += await store.redis.strlen(eventKeys(id).record);
    }
  }
  return total;
};
