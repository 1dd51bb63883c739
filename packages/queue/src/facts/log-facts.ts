import { HOUR_MS } from '@clickrelay/core';
import { readLedgerCheck } from '../ledger/ledger-check.ts';
import { readTrimmedEarly } from '../log/trimmed-early.ts';
import type { Store } from '../redis/store.ts';

/** What the log lost before its time, and what its index does not find. Times in ms. */
export const readLogFacts = async (store: Store, nowMs: number) => {
  const [{ events, lastAt }, check] = await Promise.all([
    readTrimmedEarly(store, HOUR_MS, nowMs),
    readLedgerCheck(store),
  ]);
  return {
    trimmedEarly: events,
    trimmedEarlyAt: lastAt,
    notIndexed: check?.notIndexed ?? 0,
    sampled: check?.sampled ?? 0,
  };
};
