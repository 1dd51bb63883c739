import { parseDeliveryId } from '@clickrelay/core';
import { failedKey, jobKey } from '../jobs/keys.ts';
import { STATE_LUA } from '../log/delivery-states.ts';
import { destinationQueue, eventKeys } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';

/** Gives up a dead letter. @returns false when there is none with this id */
export const removeDeadLetter = async (store: Store, id: string): Promise<boolean> => {
  const parsed = parseDeliveryId(id);
  if (parsed === undefined) return false;
  const job = await store.queue(destinationQueue(parsed.destinationId)).getJob(parsed.eventId);
  if (job === undefined || !(await job.isFailed())) return false;
  // The state first: with the job gone nobody could ask again, and the log would keep the event for a dead letter.
  const { deliveries } = eventKeys(parsed.eventId);
  const isMarked = await runScript(store.redis, GIVE_UP, [deliveries], [parsed.destinationId]);
  if (isMarked === 0) return false;
  const name = destinationQueue(parsed.destinationId);
  const keys = [failedKey(name), jobKey(name, parsed.eventId)];
  const isRemoved = await runScript(store.redis, REMOVE_DEAD_JOB, keys, [parsed.eventId]);
  // Somebody sent it again in between: it is pending after all.
  if (isRemoved === 0) await runScript(store.redis, OWE_AFTER_ALL, [deliveries], [parsed.destinationId]);
  return isRemoved === 1;
};

/* KEYS: deliveries. ARGV: destination. Returns 0 when somebody sent it again and it is delivered by now. */
const GIVE_UP: Script = {
  name: 'giveUpDelivery',
  lua: `${STATE_LUA}
if redis.call('HGET', KEYS[1], ARGV[1]) == STATE.delivered then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], STATE.given_up)
return 1`,
};

/*
 * Removes the job of a dead letter, which has nothing beside its hash and its place among the failed.
 *
 * KEYS: failed, job. ARGV: id. Returns 0 when the job is in another state, -1 when it is gone.
 */
const REMOVE_DEAD_JOB: Script = {
  name: 'removeDeadJob',
  lua: `
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return redis.call('EXISTS', KEYS[2]) - 1 end
redis.call('DEL', KEYS[2])
return 1`,
};

/* KEYS: deliveries. ARGV: destination. */
const OWE_AFTER_ALL: Script = {
  name: 'oweAfterAll',
  lua: `${STATE_LUA}
if redis.call('HGET', KEYS[1], ARGV[1]) == STATE.given_up then redis.call('HSET', KEYS[1], ARGV[1], STATE.pending) end`,
};
