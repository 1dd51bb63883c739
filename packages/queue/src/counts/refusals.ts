import { DAY_MS, HOUR_MS } from '@clickrelay/core';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { createPendingNumbers, nameNumbers, readSeries, type Step, sumNumbers } from './time-series.ts';

/*
 * Callbacks that receivers refused, in each minute for a day and in each hour for a month. A receiver adds them up in
 * memory and writes them every few seconds: a flood of strangers costs Redis no command for each of them. Numbers only:
 * nothing of who asked, or what was shown.
 */

const PREFIX = `${REGISTRY}:refused`;
const KEPT = { minute: 25 * HOUR_MS, hour: 32 * DAY_MS } as const;

/** Why, by the status that was answered. In this order they are counted. */
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
  /** @param status that was answered; those that are no refusal of a callback are left out. */
  count(status: number): void;
  /** Adds to Redis what was counted since the last time; what it does not take is kept for the next. */
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

/** By when the step begins, in ms; those in which nothing was refused are left out. @param toMs is not in it any more */
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
