import { HOUR_MS, MINUTE_MS } from '@clickrelay/core';
import { readHeard } from '../counts/intake-counts.ts';
import { type RefusalCounts, readFirstWrong, readRefusals, sumRefusals } from '../counts/refusals.ts';
import type { Store } from '../redis/store.ts';

/** What receivers refused lately, and when a callback was last accepted. Times in ms. */
export const readCallbackFacts = async (store: Store, nowMs: number) => {
  const [minutes, firstWrongAt, heard] = await Promise.all([
    readRefusals(store, { fromMs: nowMs - HOUR_MS, toMs: nowMs, step: 'minute' }),
    readFirstWrong(store, nowMs),
    readHeard(store),
  ]);
  const last = (forMs: number): RefusalCounts =>
    sumRefusals([...minutes].filter(([at]) => at > nowMs - forMs - MINUTE_MS).map(([, counts]) => counts));
  const { wrongCredential, noCredential } = last(HOUR_MS);
  const accepted = [heard.messages.lastAt, heard.statuses.lastAt].filter((at) => at !== null).map(Date.parse);
  return {
    refusedLast5m: last(5 * MINUTE_MS),
    refusedLast15m: last(15 * MINUTE_MS),
    wrongCredentials: wrongCredential,
    firstWrongAt,
    withoutCredential: noCredential,
    lastAcceptedAt: accepted.length === 0 ? null : Math.max(...accepted),
  };
};

/** Refusals after which a callback of Clickatell comes late by us. Strangers without any credential are none of them. */
export const isOurDelay = ({ noCredential: _, ...ours }: RefusalCounts): boolean =>
  Object.values(ours).some((count) => count > 0);
