import { setTimeout as sleep } from 'node:timers/promises';
import { addLedgers } from '@clickrelay/core';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { type LedgerPart, readLedgerPart } from './ledger.ts';

/*
 * The ledger of the whole log, walked now and then, for a metric. Slowly, so that Redis does little else for it than at
 * other times, and by one process at a time, whose result is there for all.
 */

export interface LedgerCheck {
  /** ISO 8601: what was logged until then was looked at. */
  readonly checkedAt: string;
  readonly events: number;
  /** By destination; only those with any have an entry. */
  readonly unaccounted: Readonly<Record<string, number>>;
}

const RESULT = `${REGISTRY}:ledger-check`;
const LOCK = `${REGISTRY}:ledger-check:lock`;
const LOCK_MS = 60_000;
const PART = { maxEvents: 20_000, maxMs: 250 };
/** After each part Redis is left alone for so many times what the part took. */
const REST = 9;

export const readLedgerCheck = async (store: Store): Promise<LedgerCheck | undefined> => {
  const text = await store.redis.get(RESULT);
  return text === null ? undefined : JSON.parse(text);
};

interface LedgerCheckOptions {
  /** Names this process. */
  readonly by: string;
  /** Ends it early, without a result. */
  readonly signal: AbortSignal;
}

/** @returns undefined when another process is at it, or it was ended early. */
export const checkLedger = async (
  store: Store,
  { by, signal }: LedgerCheckOptions,
): Promise<LedgerCheck | undefined> => {
  if ((await store.redis.set(LOCK, by, 'PX', LOCK_MS, 'NX')) === null) return undefined;
  try {
    const parts: LedgerPart[] = [];
    for (let cursor: string | null | undefined; cursor !== null; cursor = parts.at(-1)?.next ?? null) {
      const since = performance.now();
      parts.push(await readLedgerPart(store, { ...PART, cursor }));
      await store.redis.set(LOCK, by, 'PX', LOCK_MS);
      if (parts.at(-1)?.next === null) break;
      await sleep((performance.now() - since) * REST, undefined, { signal }).catch(() => {});
      if (signal.aborted) return undefined;
    }
    const { to, events, destinations } = addLedgers(parts);
    const differing = destinations.filter(({ unaccounted }) => unaccounted > 0);
    const unaccounted = Object.fromEntries(differing.map(({ id, unaccounted: count }) => [id, count]));
    const check: LedgerCheck = { checkedAt: to, events, unaccounted };
    await store.redis.set(RESULT, JSON.stringify(check));
    return check;
  } finally {
    await store.redis.del(LOCK);
  }
};
