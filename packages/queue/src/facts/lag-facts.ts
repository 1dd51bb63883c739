import { HOUR_MS, type Lane, MINUTE_MS } from '@clickrelay/core';
import {
  LAG_BOUNDS_S,
  type LagRow,
  type LaneLag,
  laneLag,
  readLagHours,
  readRecentLag,
  sumLag,
} from '../counts/lag-counts.ts';
import { readRefusals, sumRefusals } from '../counts/refusals.ts';
import type { Store } from '../redis/store.ts';
import { isOurDelay } from './callback-facts.ts';

const RECENT_MS = 10 * MINUTE_MS;

/** How late Clickatell hands messages over now. */
export const readLagFacts = async (store: Store, nowMs: number) => {
  const [recent, refused] = await Promise.all([
    readRecentLag(store, 'messages', { forMs: RECENT_MS, nowMs }),
    readRefusals(store, { fromMs: nowMs - HOUR_MS, toMs: nowMs, step: 'minute' }),
  ]);
  return { events: recent.events, medianMs: recent.medianMs, isOurs: isOurDelay(sumRefusals(refused.values())) };
};

interface ReportedHour {
  /** When it begins, in ms. */
  readonly at: number;
  /** We refused callbacks in it, or in the hour before: what came again after that was late by us. */
  readonly isOurs: boolean;
  readonly rows: readonly LagRow[];
  readonly lanes: Readonly<Record<Lane, LaneLag>>;
}

export interface LagReport {
  readonly boundsSeconds: readonly number[];
  readonly hours: readonly ReportedHour[];
  /** The hours together, without those that are ours. */
  readonly rows: readonly LagRow[];
}

/** How late Clickatell handed events over in the last hours, the present one last. */
export const readLag = async (store: Store, count: number, nowMs: number): Promise<LagReport> => {
  const [hours, refused] = await Promise.all([
    readLagHours(store, count, nowMs),
    readRefusals(store, { fromMs: nowMs - (count + 1) * HOUR_MS, toMs: nowMs, step: 'hour' }),
  ]);
  const refusedIn = (at: number): boolean =>
    isOurDelay(sumRefusals([refused.get(at)].filter((one) => one !== undefined)));
  const reported = hours.map(({ at, rows }) => ({
    at,
    rows,
    lanes: { messages: laneLag(rows, 'messages'), statuses: laneLag(rows, 'statuses') },
    isOurs: refusedIn(at) || refusedIn(at - HOUR_MS),
  }));
  return { boundsSeconds: LAG_BOUNDS_S, hours: reported, rows: sumLag(reported.filter(({ isOurs }) => !isOurs)) };
};
