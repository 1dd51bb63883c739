import { MINUTE_MS } from '@clickrelay/core';
import { checkLedger, type LedgerCheck, type Store } from '@clickrelay/queue';

/** How old a result may be before the ledger is walked again, in ms. */
const EVERY_MS = 10 * MINUTE_MS;

export interface LedgerWalk {
  /** Tells of a scrape that got this result, and walks the ledger again if the result is old. */
  ask(last: LedgerCheck | undefined): void;
  stop(): Promise<void>;
}

/** Walks the ledger in the background as long as something scrapes: without Prometheus it costs nothing. */
export const createLedgerWalk = (store: Store, by: string): LedgerWalk => {
  const ending = new AbortController();
  let walking: Promise<unknown> | undefined;
  return {
    ask: (last) => {
      const age = last === undefined ? Number.POSITIVE_INFINITY : Date.now() - Date.parse(last.checkedAt);
      if (walking !== undefined || age < EVERY_MS || ending.signal.aborted) return;
      walking = checkLedger(store, { by, signal: ending.signal })
        // Redis went away: the next scrape tries again.
        .catch(() => {})
        .finally(() => {
          walking = undefined;
        });
    },
    stop: async () => {
      ending.abort();
      await walking;
    },
  };
};
