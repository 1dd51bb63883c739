import type { Result } from 'ioredis';
import { destinationQueue, hoursKey } from '../redis/names.ts';
import { fieldsOf, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';

/*
 * How attempts went, by destination and hour. Every process adds them up in memory and writes them now and then, so that
 * they cost a delivery no command: figures to look at, of which a process that dies takes its last second along. What was
 * delivered is told by the ledger.
 *
 * A hash for each day, with a field for each hour: numbers with commas between them, in the order of `encode`.
 */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WRITE_MS = 1_000;
/** So many whole days are there at any time. */
const DAYS_KEPT = 8;

/** Upper bounds of the classes that durations are counted in, in ms; the last class has none. */
const BOUNDS = [
  5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 20_000,
  30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000,
] as const;

/** Attempts of an hour, or of several. */
export interface HourFigures {
  readonly delivered: number;
  readonly failed: number;
  /** Deliveries whose first attempt was delivered; of what was sent again by a person none is. */
  readonly firstTry: number;
  /** How many attempts took how long, by class. */
  readonly durations: readonly number[];
}

type Counting = { -readonly [Name in keyof HourFigures]: HourFigures[Name] extends number ? number : number[] };

const nothing = (): Counting => ({
  delivered: 0,
  failed: 0,
  firstTry: 0,
  durations: new Array(BOUNDS.length + 1).fill(0),
});

const addTo = (sum: Counting, { delivered, failed, firstTry, durations }: HourFigures): void => {
  sum.delivered += delivered;
  sum.failed += failed;
  sum.firstTry += firstTry;
  for (const [at, count] of durations.entries()) sum.durations[at] = (sum.durations[at] ?? 0) + count;
};

const encode = ({ delivered, failed, firstTry, durations }: HourFigures): number[] => [
  delivered,
  failed,
  firstTry,
  ...durations,
];

const decode = (text: string): HourFigures => {
  const [delivered = 0, failed = 0, firstTry = 0, ...durations] = text.split(',').map(Number);
  return { delivered, failed, firstTry, durations };
};

/** All of them together. */
export const sumHours = (hours: readonly HourFigures[]): HourFigures => {
  const sum = nothing();
  for (const hour of hours) addTo(sum, hour);
  return sum;
};

/** Within this time 95 of 100 attempts ended: as near as the class tells in which that one lies. Null when there was none. */
export const p95Ms = ({ durations }: HourFigures): number | null => {
  const all = durations.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  const wanted = Math.ceil(all * 0.95);
  let below = 0;
  for (const [at, count] of durations.entries()) {
    if (below + count >= wanted) {
      const from = BOUNDS[at - 1] ?? 0;
      const to = BOUNDS[at] ?? from;
      return Math.round(from + ((to - from) * (wanted - below)) / count);
    }
    below += count;
  }
  return null;
};

// -- counting -----------------------------------------------------------------------------------------------------

/* KEYS: day. ARGV: hour, seconds until it may be forgotten, numbers to add. */
const ADD_SCRIPT = `
local at, sums = 3, {}
for present in string.gmatch(redis.call('HGET', KEYS[1], ARGV[1]) or '', '[^,]+') do
  sums[#sums + 1] = string.format('%.0f', tonumber(present) + tonumber(ARGV[at] or 0))
  at = at + 1
end
for more = at, #ARGV do sums[#sums + 1] = ARGV[more] end
redis.call('HSET', KEYS[1], ARGV[1], table.concat(sums, ','))
if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    addToHour(day: string, hour: number, ttlSeconds: number, ...numbers: number[]): Result<null, Context>;
  }
}

export interface HourCounts {
  add(attempt: AttemptToCount): void;
  /** Writes what is left. */
  stop(): Promise<void>;
}

/** What is counted of an attempt. */
export interface AttemptToCount {
  readonly destinationId: string;
  readonly durationMs: number;
  readonly outcome: { readonly kind: 'delivered' | 'retry' | 'dead_letter' };
  /** Nothing was tried before. */
  readonly isFirst?: boolean;
}

interface Counted {
  readonly destinationId: string;
  readonly hour: number;
  readonly figures: Counting;
}

export const createHourCounts = (
  store: Store,
  { onError, writeMs = WRITE_MS }: { onError: (error: unknown) => void; writeMs?: number },
): HourCounts => {
  store.redis.defineCommand('addToHour', { numberOfKeys: 1, lua: ADD_SCRIPT });
  let counted = new Map<string, Counted>();
  let writing: Promise<unknown> | undefined;

  const countedOf = (destinationId: string, hour: number): Counting => {
    const key = `${destinationId} ${hour}`;
    const present = counted.get(key) ?? { destinationId, hour, figures: nothing() };
    counted.set(key, present);
    return present.figures;
  };

  const writeOne = async ({ destinationId, hour, figures }: Counted): Promise<void> => {
    const day = Math.floor((hour * HOUR_MS) / DAY_MS);
    try {
      await store.redis.addToHour(
        hoursKey(destinationQueue(destinationId), day),
        hour % 24,
        ((DAYS_KEPT + 1) * DAY_MS) / 1_000,
        ...encode(figures),
      );
    } catch (error) {
      addTo(countedOf(destinationId, hour), figures);
      throw error;
    }
  };

  /** One at a time: while Redis is away they are added up. */
  const write = (): void => {
    if (writing !== undefined || counted.size === 0) return;
    const all = [...counted.values()];
    counted = new Map();
    writing = Promise.all(all.map(writeOne))
      .catch(onError)
      .finally(() => {
        writing = undefined;
      });
  };
  const timer = setInterval(write, writeMs);

  return {
    add: ({ destinationId, durationMs, outcome, isFirst }) => {
      const figures = countedOf(destinationId, Math.floor(Date.now() / HOUR_MS));
      if (outcome.kind === 'delivered') {
        figures.delivered++;
        if (isFirst) figures.firstTry++;
      } else figures.failed++;
      let at = 0;
      while (at < BOUNDS.length && durationMs > (BOUNDS[at] as number)) at++;
      figures.durations[at] = (figures.durations[at] ?? 0) + 1;
    },
    stop: async () => {
      clearInterval(timer);
      await writing;
      write();
      await writing;
    },
  };
};

// -- reading ------------------------------------------------------------------------------------------------------

export interface Hour extends HourFigures {
  /** When it begins, ISO 8601. */
  readonly at: string;
}

/** The hours before now, the present one last, and those in which nothing happened with them. By destination. */
export const readHours = async (
  store: Store,
  destinationIds: readonly string[],
  count: number,
  nowMs: number,
): Promise<Map<string, readonly Hour[]>> => {
  const last = Math.floor(nowMs / HOUR_MS);
  const first = last - count + 1;
  const firstDay = Math.floor(first / 24);
  const days = Array.from({ length: Math.floor(last / 24) - firstDay + 1 }, (_, index) => firstDay + index);
  const replies = await sendAll(
    store,
    destinationIds.flatMap((id) => days.map((day) => ['hgetall', hoursKey(destinationQueue(id), day)] as const)),
  );
  return new Map(
    destinationIds.map((id, index) => {
      const ofDays = replies.slice(index * days.length, (index + 1) * days.length).map(fieldsOf);
      const hours = Array.from({ length: count }, (_, offset) => {
        const hour = first + offset;
        const text = ofDays[Math.floor(hour / 24) - firstDay]?.[hour % 24];
        return { at: new Date(hour * HOUR_MS).toISOString(), ...(text === undefined ? nothing() : decode(text)) };
      });
      return [id, hours];
    }),
  );
};

/** Of a destination that is no more. */
export const removeHours = async (store: Store, destinationId: string, nowMs: number): Promise<void> => {
  const today = Math.floor(nowMs / DAY_MS);
  // Those of yesterday's clock as well, and of one that is ahead.
  const days = Array.from({ length: DAYS_KEPT + 3 }, (_, ago) => today + 1 - ago);
  await store.redis.del(days.map((day) => hoursKey(destinationQueue(destinationId), day)));
};
