import { runScript, type Script } from './script.ts';
import type { Store } from './store.ts';

/*
 * A turn is what one process at a time has, for a while. It never lasts longer than it was taken for: Redis keeps its
 * end as a time, and when the clock of Redis was put back, that would be too late by as much (see clock.ts).
 *
 * KEYS: turn. ARGV: token, for how long in ms. Returns the token of who has it, or nothing when it is ours from now on.
 */
const TAKE_TURN: Script = {
  name: 'takeTurn',
  lua: `
if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX', 'GET')`,
};

/** @returns the token of the process that has the turn, null when it is ours from now on */
export const takeTurn = (store: Store, key: string, token: string, ms: number): Promise<string | null> =>
  runScript(store.redis, TAKE_TURN, [key], [token, Math.ceil(ms)]);
