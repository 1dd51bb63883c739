import type { Rate } from '@clickrelay/core';
import { limiterKey, type QueueName } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * BullMQ counts what is taken in a key that ends with the span of the rate. What was taken in an earlier span is not
 * counted any more: to give it back would allow one more than the rate in this one.
 *
 * KEYS: limiter. ARGV: span in ms, how long ago it was taken at least, in ms. Answers 1 when it was given back.
 */
const RETURN_SCRIPT = `
local left = redis.call('PTTL', KEYS[1])
if left <= 0 or tonumber(ARGV[1]) - left < tonumber(ARGV[2]) then return 0 end
if tonumber(redis.call('GET', KEYS[1])) > 0 then redis.call('DECR', KEYS[1]) end
return 1`;

/** Two clocks are compared, in whole milliseconds. */
const CLOCK_MS = 1;

/**
 * What was taken and not used does not count against the rate.
 * @param takenMsAgo counted from the answer of Redis
 * @returns false when it no longer did
 */
export const returnTake = async (
  store: Store,
  queue: QueueName,
  { spanMs }: Rate,
  takenMsAgo: number,
): Promise<boolean> =>
  (await store.redis.eval(RETURN_SCRIPT, 1, limiterKey(queue), spanMs, Math.floor(takenMsAgo) - CLOCK_MS)) === 1;
