import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from '@clickrelay/core';
import { destinationQueue, hoursPrefix, queueKey } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { createPendingTotals, removeTotals } from './destination-totals.ts';
import { createPendingNumbers, readSeries, removeSeries, stepStart, sumNumbers } from './time-series.ts';
import { writeRegularly } from './write-regularly.ts';

/*
 * How attempts went, by destination and hour. Every process adds them up in memory and writes them every second, so
 * that a delivery costs no extra command. A process that dies loses its last second of them: they are for dashboards,
 * and the ledger says what was delivered.
 */

const prefixOf = (destinationId: string): string => hoursPrefix(destinationQueue(destinationId));
/** At any time at least this many days are there. */
const KEPT = { hour: 8 * DAY_MS } as const;
const WRITE_MS = 1_000;

/** First attempts by the minute, for judging the last ten of them, and totals: they are written less often. */
const recentOf = (destinationId: string): string => `${queueKey(destinationQueue(destinationId))}:recent`;
const RECENT_KEPT = { minute: 20 * MINUTE_MS } as const;
const RECENT_AT = { ended: 0, failed: 1 } as const;
const RECENT_SIZE = 2;
const WRITE_RECENT_MS = 5_000;

/** Upper bounds of the classes that durations are counted in, in ms; the last class has no bound. */
const BOUNDS = [
  5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 20_000,
  30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000,
] as const;
const CLASSES = BOUNDS.length + 1;

/** Where each number stands in a row. */
const AT = { delivered: 0, failed: 1, firstTry: 2, deadLetters: 3, durations: 4 } as const;
const SIZE = AT.durations + CLASSES;

/** Attempts of an hour, or of several. */
export interface HourFigures {
  readonly delivered: number;
  readonly failed: number;
  /** Deliveries whose first attempt succeeded; replays do not count. */
  readonly firstTry: number;
  /** How many of `failed` were the last one: the delivery became a dead letter. */
  readonly deadLetters: number;
  /** How many attempts took how long, by class. */
  readonly durations: readonly number[];
}

const figuresOf = (numbers: readonly number[]): HourFigures => ({
  delivered: numbers[AT.delivered] ?? 0,
  failed: numbers[AT.failed] ?? 0,
  firstTry: numbers[AT.firstTry] ?? 0,
  deadLetters: numbers[AT.deadLetters] ?? 0,
  durations: Array.from({ length: CLASSES }, (_, index) => numbers[AT.durations + index] ?? 0),
});

/** All of them together. */
export const sumHours = (hours: readonly HourFigures[]): HourFigures =>
  figuresOf(
    sumNumbers(
      hours.map(({ delivered, failed, firstTry, deadLetters, durations }) => [
        delivered,
        failed,
        firstTry,
        deadLetters,
        ...durations,
      ]),
    ),
  );

/** The time within which this share of the attempts ended, interpolated within its class; null without attempts. */
export const attemptMs = ({ durations }: Pick<HourFigures, 'durations'>, share: number): number | null => {
  const all = durations.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  const wanted = Math.ceil(all * share);
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

const classOf = (durationMs: number): number => {
  const index = BOUNDS.findIndex((bound) => durationMs <= bound);
  return index === -1 ? BOUNDS.length : index;
};

// -- counting -----------------------------------------------------------------------------------------------------

export interface HourCounts {
  add(attempt: AttemptToCount): void;
  /** Writes what was counted so far. */
  stop(): Promise<void>;
}

/** What is counted of an attempt. */
interface AttemptToCount {
  readonly destinationId: string;
  readonly durationMs: number;
  readonly outcome: { readonly kind: 'delivered' | 'retry' | 'dead_letter' };
  /** Whether this is the delivery's first attempt. */
  readonly isFirst?: boolean;
  /** Why it failed. */
  readonly error?: { readonly code: string } | undefined;
}

const rowOf = (rows: Map<string, number[]>, destinationId: string, size: number): number[] => {
  const row = rows.get(destinationId) ?? new Array<number>(size).fill(0);
  rows.set(destinationId, row);
  return row;
};

const increment = (numbers: number[], at: number): void => {
  numbers[at] = (numbers[at] ?? 0) + 1;
};

export const createHourCounts = (
  store: Store,
  { onError, writeMs = WRITE_MS }: { onError: (error: unknown) => void; writeMs?: number },
): HourCounts => {
  const pending = createPendingNumbers(SIZE, KEPT);
  const recent = createPendingNumbers(RECENT_SIZE, RECENT_KEPT);
  const totals = createPendingTotals();
  // By destination: the keys of the time series are made once for all attempts of a write.
  let rows = new Map<string, number[]>();
  let recentRows = new Map<string, number[]>();
  const writeHours = async (): Promise<void> => {
    const taken = rows;
    rows = new Map();
    for (const [id, numbers] of taken) pending.add({ prefix: prefixOf(id) }, Date.now(), numbers);
    await pending.write(store);
  };
  const writeRecent = async (): Promise<void> => {
    const taken = recentRows;
    recentRows = new Map();
    for (const [id, numbers] of taken) recent.add({ prefix: recentOf(id) }, Date.now(), numbers);
    await Promise.all([recent.write(store), totals.write(store)]);
  };
  const writing = [
    writeRegularly(writeHours, { everyMs: writeMs, onError }),
    writeRegularly(writeRecent, { everyMs: WRITE_RECENT_MS, onError }),
  ];
  return {
    add: ({ destinationId, durationMs, outcome, isFirst, error }) => {
      const isDelivered = outcome.kind === 'delivered';
      const numbers = rowOf(rows, destinationId, SIZE);
      increment(numbers, isDelivered ? AT.delivered : AT.failed);
      increment(numbers, AT.durations + classOf(durationMs));
      if (isDelivered && isFirst) increment(numbers, AT.firstTry);
      if (outcome.kind === 'dead_letter') increment(numbers, AT.deadLetters);
      if (isFirst) {
        const recentNumbers = rowOf(recentRows, destinationId, RECENT_SIZE);
        increment(recentNumbers, RECENT_AT.ended);
        if (!isDelivered) increment(recentNumbers, RECENT_AT.failed);
      }
      totals.add(destinationId, { isDelivered, errorCode: error?.code, at: Date.now() });
    },
    stop: async () => {
      await Promise.all(writing.map((one) => one.stop()));
    },
  };
};

// -- reading ------------------------------------------------------------------------------------------------------

export interface Hour extends HourFigures {
  /** When it begins, ISO 8601. */
  readonly at: string;
}

/** For each destination the last hours, the present one last, including those in which nothing happened. */
export const readHours = async (
  store: Store,
  destinationIds: readonly string[],
  count: number,
  nowMs: number,
): Promise<Map<string, readonly Hour[]>> => {
  const last = stepStart('hour', nowMs);
  const first = last - (count - 1) * HOUR_MS;
  const span = { step: 'hour', fromMs: first, toMs: last + HOUR_MS } as const;
  const all = await readSeries(store, destinationIds.map(prefixOf), span);
  return new Map(
    destinationIds.map((id, index) => {
      const numbers = new Map(all[index]?.map((row) => [row.at, row.numbers]));
      const hours = Array.from({ length: count }, (_, offset) => {
        const at = first + offset * HOUR_MS;
        return { at: toIso(at), ...figuresOf(numbers.get(at) ?? []) };
      });
      return [id, hours];
    }),
  );
};

export interface FirstAttempts {
  readonly ended: number;
  readonly failed: number;
}

/** The first attempts of the last `forMs`, to the minute, of each destination in this order. */
export const readFirstAttempts = async (
  store: Store,
  destinationIds: readonly string[],
  { forMs, nowMs }: { forMs: number; nowMs: number },
): Promise<FirstAttempts[]> => {
  const span = { step: 'minute', fromMs: nowMs - forMs, toMs: nowMs } as const;
  const all = await readSeries(store, destinationIds.map(recentOf), span);
  return all.map((rows) => {
    const [ended = 0, failed = 0] = sumNumbers(rows.map(({ numbers }) => numbers));
    return { ended, failed };
  });
};

/** Removes all figures of a removed destination. */
export const removeHours = async (store: Store, destinationId: string, nowMs: number): Promise<void> => {
  await Promise.all([
    removeSeries(store, prefixOf(destinationId), KEPT, nowMs),
    removeSeries(store, recentOf(destinationId), RECENT_KEPT, nowMs),
    removeTotals(store, destinationId),
  ]);
};
