import type { Result } from 'ioredis';
import { REGISTRY } from '../redis/names.ts';
import { fieldsOf, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { DAY_MS, HOUR_MS, HOURS_KEPT_MS, MINUTE_MS, MINUTES_KEPT_MS } from './intake-counts.ts';

/*
 * Callbacks that receivers refused, by minute and by hour for as long as what came in is counted. A receiver adds them up in memory and
 * writes them every few seconds: a flood of strangers costs Redis no command for each of them. Numbers only: nothing of
 * who asked, or what was shown.
 *
 * A field is the minute of the hour, or the hour of the day, a colon and the status that was answered: `7:401`.
 */

const PREFIX = `${REGISTRY}:refused:`;

/** Why, by the status that was answered. */
const REASONS = {
  401: 'unauthorized',
  403: 'forbidden',
  413: 'tooLarge',
  422: 'unprocessable',
  429: 'rateLimited',
  503: 'unavailable',
} as const;

export type RefusalCounts = Record<(typeof REASONS)[keyof typeof REASONS], number>;

const nothing = (): RefusalCounts => ({
  unauthorized: 0,
  forbidden: 0,
  tooLarge: 0,
  unprocessable: 0,
  rateLimited: 0,
  unavailable: 0,
});

// -- counting -----------------------------------------------------------------------------------------------------

/* KEYS: any of these, for its tag. ARGV: prefix, then minute since 1970, status and count of each. */
const ADD_SCRIPT = `
local function add(key, field, by, expires)
  redis.call('HINCRBY', key, field, by)
  if redis.call('TTL', key) < 0 then redis.call('EXPIRE', key, expires) end
end
for at = 2, #ARGV, 3 do
  local minute, status, by = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2]
  local hour = math.floor(minute / 60)
  add(string.format('%sh%d', ARGV[1], hour), string.format('%d:%s', minute % 60, status), by, ${(MINUTES_KEPT_MS + 2 * HOUR_MS) / 1_000})
  add(string.format('%sd%d', ARGV[1], math.floor(hour / 24)), string.format('%d:%s', hour % 24, status), by, ${(HOURS_KEPT_MS + 2 * DAY_MS) / 1_000})
end`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    addRefusals(key: string, prefix: string, ...counts: (string | number)[]): Result<null, Context>;
  }
}

export interface RefusalCounter {
  /** @param status that was answered; those that are no refusal of a callback are left out. */
  count(status: number): void;
  /** Adds to Redis what was counted since the last time; what it does not take is kept for the next. */
  write(store: Store): Promise<void>;
}

export const createRefusalCounter = (): RefusalCounter => {
  /** By minute and status. */
  let counted = new Map<string, number>();
  const add = (key: string, by: number): void => {
    counted.set(key, (counted.get(key) ?? 0) + by);
  };
  return {
    count: (status) => {
      if (status in REASONS) add(`${Math.floor(Date.now() / MINUTE_MS)} ${status}`, 1);
    },
    write: async (store) => {
      if (counted.size === 0) return;
      store.redis.defineCommand('addRefusals', { numberOfKeys: 1, lua: ADD_SCRIPT });
      const oldest = Math.floor((Date.now() - MINUTES_KEPT_MS) / MINUTE_MS);
      const taken = [...counted].filter(([key]) => Number(key.split(' ')[0]) >= oldest);
      counted = new Map();
      try {
        await store.redis.addRefusals(PREFIX, PREFIX, ...taken.flatMap(([key, by]) => [...key.split(' '), by]));
      } catch (error) {
        for (const [key, by] of taken) add(key, by);
        throw error;
      }
    },
  };
};

// -- reading ------------------------------------------------------------------------------------------------------

const STEPS = {
  minute: { stepMs: MINUTE_MS, hashMs: HOUR_MS, letter: 'h' },
  hour: { stepMs: HOUR_MS, hashMs: DAY_MS, letter: 'd' },
} as const;

/** By when the step begins, in ms; those in which nothing was refused are left out. @param toMs is not in it any more */
export const readRefusals = async (
  store: Store,
  { fromMs, toMs, step }: { fromMs: number; toMs: number; step: 'minute' | 'hour' },
): Promise<Map<number, RefusalCounts>> => {
  const { stepMs, hashMs, letter } = STEPS[step];
  const first = Math.floor(fromMs / hashMs);
  const hashes = Array.from({ length: Math.max(Math.ceil(toMs / hashMs) - first, 0) }, (_, index) => first + index);
  const replies = await sendAll(
    store,
    hashes.map((hash) => ['hgetall', `${PREFIX}${letter}${hash}`]),
  );
  const found = new Map<number, RefusalCounts>();
  for (const [index, reply] of replies.entries()) {
    for (const [field, value] of Object.entries(fieldsOf(reply))) {
      const [place, status] = field.split(':').map(Number);
      const at = (hashes[index] as number) * hashMs + Number(place) * stepMs;
      const reason = REASONS[status as keyof typeof REASONS];
      if (reason === undefined || at < Math.floor(fromMs / stepMs) * stepMs || at >= toMs) continue;
      const counts = found.get(at) ?? nothing();
      found.set(at, counts);
      counts[reason] += Number(value);
    }
  }
  return found;
};

/** All of them together. */
export const sumRefusals = (all: Iterable<RefusalCounts>): RefusalCounts => {
  const sum = nothing();
  for (const counts of all) {
    for (const reason of Object.values(REASONS)) sum[reason] += counts[reason];
  }
  return sum;
};
