import { randomBytes } from 'node:crypto';
import { onceKey } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';
import claimLua from './claim-once.lua';

/*
 * Work that must be done once, such as a message that answers an event: whoever is about to do it claims it first, and
 * says afterwards what became of it. Whoever claims it later learns that it is done, under way, or that nobody knows,
 * because the first one disappeared in the middle. A record lives as long as the event that may come again.
 */

/** What became of a claim. */
type Claim =
  | { readonly state: 'yours'; readonly token: string }
  | { readonly state: 'done'; readonly result: string }
  | { readonly state: 'busy'; readonly retryAfterMs: number }
  | { readonly state: 'unknown' };

interface OnceOutcome {
  readonly key: string;
  /** The token that came with the claim. */
  readonly token: string;
  readonly outcome: 'done' | 'not_done' | 'unknown';
  /** What whoever comes later is told. */
  readonly result: string;
}

const CLAIM: Script = { name: 'claimOnce', lua: claimLua };

/** KEYS: record. ARGV: token, new record or nothing to remove it, how long to keep it in ms. Returns whether it was ours. */
const SETTLE: Script = {
  name: 'settleOnce',
  lua: `
local record = redis.call('GET', KEYS[1])
if not record then return ARGV[2] == '' and 1 or 0 end
if string.match(record, '^.(%S+)') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`,
};

/**
 * Claims each piece of work on its own.
 * @param owner whose keys they are
 */
const claim = (
  store: Store,
  owner: string,
  keys: readonly string[],
  { holdMs, keepMs, takeOver }: { holdMs: number; keepMs: number; takeOver: boolean },
): Promise<Claim[]> => {
  const nowMs = store.clock.now();
  return Promise.all(
    keys.map(async (key): Promise<Claim> => {
      const token = randomBytes(12).toString('base64url');
      const record = onceKey(owner, key);
      const args = [token, nowMs, nowMs + holdMs, keepMs, takeOver ? '1' : ''];
      // Whoever is told that it is theirs acts on it: the claim must outlive the server.
      const [state, more] = await store.durably(record, () =>
        runScript<['yours' | 'done' | 'busy' | 'unknown', (string | number)?]>(store.redis, CLAIM, [record], args),
      );
      if (state === 'yours') return { state, token };
      if (state === 'done') return { state, result: String(more) };
      return state === 'busy' ? { state, retryAfterMs: Number(more) } : { state };
    }),
  );
};

/**
 * Notes what became of claimed work. Repeating it is safe.
 * @returns for each whether the claim was still the caller's; what another one claimed meanwhile stays as it is
 */
const settle = (
  store: Store,
  owner: string,
  outcomes: readonly OnceOutcome[],
  { keepMs }: { keepMs: number },
): Promise<boolean[]> =>
  Promise.all(
    outcomes.map(async ({ key, token, outcome, result }) => {
      const record = onceKey(owner, key);
      const kept = { done: `d${token} ${result}`, not_done: '', unknown: `u${token}` }[outcome];
      return (
        1 ===
        (await store.durably(record, () => runScript<0 | 1>(store.redis, SETTLE, [record], [token, kept, keepMs])))
      );
    }),
  );

export const once = { claim, settle };
