import { DAY_MS, HOUR_MS } from '@clickrelay/core';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { createPendingNumbers, nameNumbers, readSeries, type Step, sumNumbers } from './time-series.ts';

/*
 * How many callbacks receivers refused, in each minute for a day and in each hour for a month. A receiver adds them up
 * in memory and writes them every few seconds, so a flood of strangers does not become a flood of commands. Only
 * numbers are kept: not who asked, nor what they showed.
 */

const PREFIX = `${REGISTRY}:refused`;
const KEPT = { minute: 25 * HOUR_MS, hour: 32 * DAY_MS } as const;

/** The reason for each status. A row of the time series has its numbers in this order. */
const REASONS = [
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [413, 'tooLarge'],
  [422, 'unprocessable'],
  [429, 'rateLimited'],
  [503, 'unavailable'],
] as const;

const NAMES = REASONS.map(([, reason]) => reason);

export type RefusalCounts = Record<(typeof NAMES)[number], number>;

const named = nameNumbers(NAMES);

export interface RefusalCounter {
  /** @param status of the answer; one that does not refuse a callback is ignored */
  count(status: number): void;
  /** Adds to Redis what was counted since the last time. What Redis does not take is written the next time. */
  write(store: Store): Promise<void>;
}

export const createRefusalCounter = (): RefusalCounter => {
  const pending = createPendingNumbers(REASONS.length, KEPT);
  return {
    count: (status) => {
      const position = REASONS.findIndex(([of]) => of === status);
      if (position >= 0) pending.increment(PREFIX, Date.now(), [position]);
    },
    write: (store) => pending.write(store),
  };
};

/** The counts of each step, by when it begins, in ms; steps without refusals are left out. @param toMs exclusive */
export const readRefusals = async (
  store: Store,
  options: { fromMs: number; toMs: number; step: Step },
): Promise<Map<number, RefusalCounts>> => {
  const [rows = []] = await readSeries(store, [PREFIX], options);
  return new Map(rows.map(({ at, numbers }) => [at, named(numbers)]));
};

/** All of them together. */
export const sumRefusals = (all: Iterable<RefusalCounts>): RefusalCounts =>
  named(sumNumbers([...all].map((counts) => NAMES.map((name) => counts[name]))));
