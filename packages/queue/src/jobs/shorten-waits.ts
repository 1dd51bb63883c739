import type { Rate } from '@clickrelay/core';
import { PUT_BACK_MS } from '../redis/clock.ts';
import type { QueueName } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import { LOCK_MS, STALLED_CHECK_MS, type Store } from '../redis/store.ts';
import {
  activeKey,
  checkedKey,
  DELAY_STEPS,
  delayedKey,
  JOB_FIELD_LUA,
  jobKey,
  limiterKey,
  lockKey,
  MARKER,
  markerKey,
} from './keys.ts';
import shortenDelaysLua from './shorten-delays.lua';
import shortenLocksLua from './shorten-locks.lua';

/*
 * For when the clock of Redis was put back (see redis/clock.ts): what a queue waits for would come as much later. No lock
 * and no delay may last longer than if it began now. Every process does this for the queues that it takes from; to do it
 * twice changes nothing. So a process that has just begun does it too: the clock may have been put back while none was
 * there.
 */

export interface Shortened {
  /** Locks of jobs whose holders may be gone. */
  readonly locks: number;
  /** Jobs that sleep until they are due. */
  readonly delays: number;
}

interface RatedQueue {
  readonly queue: QueueName;
  readonly rate?: Rate | undefined;
}

const SHORTEN_LOCKS: Script = { name: 'shortenLocks', lua: JOB_FIELD_LUA + shortenLocksLua };
const SHORTEN_DELAYS: Script = { name: 'shortenDelays', lua: JOB_FIELD_LUA + shortenDelaysLua };

/** Jobs in one call. Redis serves no other client while a script runs: about a millisecond. */
const MOST_PER_CALL = 250;

export const shortenWaits = async (store: Store, queue: RatedQueue): Promise<Shortened> => ({
  locks: await shortenLocks(store, queue),
  delays: await shortenDelays(store, queue.queue),
});

/** @returns how many */
export const shortenLocks = async (store: Store, { queue, rate }: RatedQueue): Promise<number> => {
  const taken = await store.redis.lrange(activeKey(queue), 0, -1);
  let count = 0;
  for (let from = 0; from === 0 || from < taken.length; from += MOST_PER_CALL) {
    const jobs = taken.slice(from, from + MOST_PER_CALL).flatMap((id) => [lockKey(queue, id), jobKey(queue, id)]);
    count += await runScript<number>(
      store.redis,
      SHORTEN_LOCKS,
      [limiterKey(queue), checkedKey(queue), ...jobs],
      [rate?.spanMs ?? 0, STALLED_CHECK_MS, LOCK_MS],
    );
  }
  return count;
};

const shortenDelays = async (store: Store, queue: QueueName): Promise<number> => {
  let count = 0;
  let cursor = '0';
  do {
    const [next, members] = await store.redis.zscan(delayedKey(queue), cursor, 'COUNT', MOST_PER_CALL);
    cursor = next;
    const ids = members.filter((_, at) => at % 2 === 0);
    if (ids.length === 0) continue;
    count += await runScript<number>(
      store.redis,
      SHORTEN_DELAYS,
      [delayedKey(queue), markerKey(queue), ...ids.map((id) => jobKey(queue, id))],
      [DELAY_STEPS, PUT_BACK_MS, MARKER.delayed, ...ids],
    );
  } while (cursor !== '0');
  return count;
};
