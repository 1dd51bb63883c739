import { DAY_MS, HOUR_MS, MINUTE_MS } from '@clickrelay/core';
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

/** The reasons. A row of the time series has its numbers in this order. */
const NAMES = [
  'noCredential',
  'wrongCredential',
  'forbidden',
  'tooLarge',
  'unprocessable',
  'rateLimited',
  'unavailable',
] as const;

/** The reason for each status, or for each code of it that is counted by itself. */
const REASONS: Readonly<Record<string, (typeof NAMES)[number]>> = {
  missing_credential: 'noCredential',
  wrong_credential: 'wrongCredential',
  403: 'forbidden',
  413: 'tooLarge',
  422: 'unprocessable',
  429: 'rateLimited',
  503: 'unavailable',
};

export type RefusalCounts = Record<(typeof NAMES)[number], number>;

const named = nameNumbers(NAMES);

export interface RefusalCounter {
  /** @param answer one that does not refuse a callback is ignored */
  count(answer: { readonly status: number; readonly code: string }): void;
  /** Adds to Redis what was counted since the last time. What Redis does not take is written the next time. */
  write(store: Store): Promise<void>;
}

export const createRefusalCounter = (): RefusalCounter => {
  const pending = createPendingNumbers(NAMES.length, KEPT);
  /** When the first wrong credential of a minute came, by minute. */
  let firstWrong = new Map<number, number>();
  return {
    count: ({ status, code }) => {
      const reason = REASONS[code] ?? REASONS[status];
      if (reason === undefined) return;
      const now = Date.now();
      pending.increment(PREFIX, now, [NAMES.indexOf(reason)]);
      const minute = Math.floor(now / MINUTE_MS);
      if (reason === 'wrongCredential' && !firstWrong.has(minute)) firstWrong.set(minute, now);
    },
    write: async (store) => {
      const taken = firstWrong;
      firstWrong = new Map();
      await Promise.all([
        pending.write(store),
        writeFirstWrong(store, taken).catch((error) => {
          for (const [minute, at] of taken) firstWrong.set(minute, at);
          throw error;
        }),
      ]);
    },
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

/** For each minute the time at which its first wrong credential came: counts by minute do not say whether a callback
 * that was accepted in that minute came before or after. */
const FIRST_WRONG = `${PREFIX}:first-wrong`;
/** How far back it is asked. */
const FIRST_WRONG_KEPT_MS = HOUR_MS;

const writeFirstWrong = async (store: Store, firsts: ReadonlyMap<number, number>): Promise<void> => {
  if (firsts.size === 0) return;
  await store.redis
    .multi()
    .zadd(FIRST_WRONG, 'LT', ...[...firsts].flatMap(([minute, at]) => [at, minute]))
    .zremrangebyscore(FIRST_WRONG, 0, Date.now() - 2 * FIRST_WRONG_KEPT_MS)
    .pexpire(FIRST_WRONG, 2 * FIRST_WRONG_KEPT_MS)
    .exec();
};

/** When the first wrong credential of the last hour came, in ms; null without any. */
export const readFirstWrong = async (store: Store, nowMs: number): Promise<number | null> => {
  const [, at] = await store.redis.zrange(
    FIRST_WRONG,
    nowMs - FIRST_WRONG_KEPT_MS,
    '+inf',
    'BYSCORE',
    'LIMIT',
    0,
    1,
    'WITHSCORES',
  );
  return at === undefined ? null : Number(at);
};

/** All of them together. */
export const sumRefusals = (all: Iterable<RefusalCounts>): RefusalCounts =>
  named(sumNumbers([...all].map((counts) => NAMES.map((name) => counts[name]))));
