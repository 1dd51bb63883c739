import { HOUR_MS, MINUTE_MS } from '@clickrelay/core';
import { checkLedger, type LedgerCheck, readLedgerCheck, type Store } from '@clickrelay/queue';

/**
 * How old a result may be before the ledger is walked again, in ms: while something scrapes, and otherwise, for health.
 */
const EVERY_MS = { asked: 10 * MINUTE_MS, unasked: HOUR_MS } as const;
/** How often the age is looked at when nothing scrapes. */
const LOOK_MS = MINUTE_MS;

export interface LedgerWalk {
  /** Tells of a scrape that got this result, and walks the ledger again if the result is old. */
  ask(last: LedgerCheck | undefined): void;
  stop(): Promise<void>;
}

/** Walks the ledger in the background: every hour, and more often as long as something scrapes. */
export const createLedgerWalk = (
  store: Store,
  by: string,
  { lookMs = LOOK_MS }: { lookMs?: number } = {},
): LedgerWalk => {
  const ending = new AbortController();
  let walking: Promise<unknown> | undefined;
  const walkAfter = (everyMs: number, last: LedgerCheck | undefined): void => {
    const age = last === undefined ? Number.POSITIVE_INFINITY : Date.now() - Date.parse(last.checkedAt);
    if (walking !== undefined || age < everyMs || ending.signal.aborted) return;
    walking = checkLedger(store, { by, signal: ending.signal })
      // Redis went away: the next look tries again.
      .catch(() => {})
      .finally(() => {
        walking = undefined;
      });
  };
  const timer = setInterval(() => {
    readLedgerCheck(store)
      .then((last) => walkAfter(EVERY_MS.unasked, last))
      .catch(() => {});
  }, lookMs);
  return {
    ask: (last) => walkAfter(EVERY_MS.asked, last),
    stop: async () => {
      clearInterval(timer);
      ending.abort();
      await walking;
    },
  };
};
