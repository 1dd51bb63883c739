import { setTimeout as sleep } from 'node:timers/promises';
import { addLedgers } from '@clickrelay/core';
import { sampleIndex } from '../log/sample-index.ts';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { takeTurn } from '../redis/take-turn.ts';
import { type LedgerPart, readLedgerPart } from './ledger.ts';

/*
 * Walks the ledger of the whole log now and then, for a metric. It walks slowly, to leave Redis to the others, and in
 * one process at a time; all processes read the result.
 */

export interface LedgerCheck {
  /** ISO 8601. The check looked at the events that were logged before then. */
  readonly checkedAt: string;
  readonly events: number;
  /** How many by destination; those with none have no entry. */
  readonly unaccounted: Readonly<Record<string, number>>;
  /** The same of the check before this one. */
  readonly unaccountedBefore: Readonly<Record<string, number>>;
  /** Of some events of the log, how many their message does not find: the index was lost or damaged. */
  readonly sampled: number;
  readonly notIndexed: number;
}

const RESULT = `${REGISTRY}:ledger-check`;
const LOCK = `${REGISTRY}:ledger-check:lock`;
const LOCK_MS = 60_000;
const PART = { maxEvents: 20_000, maxMs: 250 };
/** After each part the check rests for this many times as long as the part took. */
const REST = 9;
/** So many events are looked up by their message, to see that the index is whole. */
const SAMPLED = 20;

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

/** @returns undefined when another process is checking, or the signal ended it early */
export const checkLedger = async (
  store: Store,
  { by, signal }: LedgerCheckOptions,
): Promise<LedgerCheck | undefined> => {
  if ((await takeTurn(store, LOCK, by, LOCK_MS)) !== null) return undefined;
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
    const before = await readLedgerCheck(store);
    const check: LedgerCheck = {
      checkedAt: to,
      events,
      unaccounted,
      unaccountedBefore: before?.unaccounted ?? {},
      ...(await sampleIndex(store, SAMPLED)),
    };
    await store.redis.set(RESULT, JSON.stringify(check));
    return check;
  } finally {
    await store.redis.del(LOCK);
  }
};
