import type { Rate } from '@clickrelay/core';
import type { QueueName } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';
import { limiterKey } from './keys.ts';
import returnTakeLua from './return-take.lua';

const RETURN_TAKE: Script = { name: 'returnTake', lua: returnTakeLua };

/** Two clocks are compared, in whole milliseconds. */
const CLOCK_MS = 1;

/**
 * Gives a take that was not used back to the rate.
 * @param takenMsAgo counted from the answer of Redis
 * @returns false when the take no longer counted
 */
export const returnTake = async (
  store: Store,
  queue: QueueName,
  { spanMs }: Rate,
  takenMsAgo: number,
): Promise<boolean> =>
  (await runScript(store.redis, RETURN_TAKE, [limiterKey(queue)], [spanMs, Math.floor(takenMsAgo) - CLOCK_MS])) === 1;
