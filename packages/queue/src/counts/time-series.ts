import { DAY_MS, HOUR_MS, MINUTE_MS } from '@clickrelay/core';
import { luaTable, runScript, type Script } from '../redis/script.ts';
import { fieldsOf, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import addNumbersLua from './add-numbers.lua';
import addNumbersPart from './add-numbers.part.lua';

/*
 * Numbers by minute and by hour. The file of each series says what is counted, and in which order.
 *
 * A hash holds the minutes of an hour (`<prefix>:h<hour>`) or the hours of a day (`<prefix>:d<day>`), and expires as a
 * whole. A field is the minute in its hour or the hour in its day, with a name behind it where several rows are counted
 * side by side: `7`, `7:messages`. Its value is the row's numbers, with commas between them.
 */

const STEPS = {
  minute: { stepMs: MINUTE_MS, spanMs: HOUR_MS, letter: 'h' },
  hour: { stepMs: HOUR_MS, spanMs: DAY_MS, letter: 'd' },
} as const;

export type Step = keyof typeof STEPS;

/** The steps in which a series is counted, and how long each is kept at least, in ms. */
export type Kept = Readonly<Partial<Record<Step, number>>>;

export const stepStart = (step: Step, ms: number): number => {
  const { stepMs } = STEPS[step];
  return Math.floor(ms / stepMs) * stepMs;
};

export const stepEnd = (step: Step, ms: number): number => stepStart(step, ms + STEPS[step].stepMs - 1);

const keyOf = (prefix: string, step: Step, span: number): string => `${prefix}:${STEPS[step].letter}${span}`;

/** The hashes that hold the minute and the hour of this moment. @param prefix of the series */
export const keysAt = (prefix: string, ms: number): [minutes: string, hours: string] => [
  keyOf(prefix, 'minute', Math.floor(ms / STEPS.minute.spanMs)),
  keyOf(prefix, 'hour', Math.floor(ms / STEPS.hour.spanMs)),
];

/** Adds a whole span: the last step of a hash may begin that long after the hash was made. */
const expireSeconds = (step: Step, keptMs: number): number => (keptMs + STEPS[step].spanMs) / 1_000;

/** For scripts: `addNumbers`. */
export const ADD_NUMBERS = addNumbersPart;

/** For scripts that count by the server's clock: `MINUTE` and `HOUR`. */
export const stepsLua = (kept: Readonly<Record<Step, number>>): string => {
  const tableOf = (step: Step) => {
    const { stepMs, spanMs, letter } = STEPS[step];
    const seconds = { seconds: stepMs / 1_000, spanSeconds: spanMs / 1_000 };
    return luaTable(step.toUpperCase(), { ...seconds, letter, expireSeconds: expireSeconds(step, kept[step]) });
  };
  return tableOf('minute') + tableOf('hour');
};

// -- counting -----------------------------------------------------------------------------------------------------

/**
 * Numbers that are added up in memory and written now and then, so that counting costs no command. A process that dies
 * loses what it has not written.
 */
export interface PendingNumbers {
  /** Adds 1 at each of these positions, in the steps that contain this moment. @param prefix of the series */
  increment(prefix: string, ms: number, positions: readonly number[]): void;
  /** Adds a whole row. @param name of the row, where several are counted side by side */
  add(series: { readonly prefix: string; readonly name?: string }, ms: number, numbers: readonly number[]): void;
  /**
   * Adds to Redis what was counted since the last time, in one command for each prefix.
   * @throws the first error; what Redis did not take is written the next time, unless it has expired by then
   */
  write(store: Store): Promise<void>;
}

interface PendingStep {
  readonly prefix: string;
  readonly key: string;
  readonly field: string;
  readonly expireSeconds: number;
  /** After this time it is not worth writing. */
  readonly untilMs: number;
  readonly numbers: number[];
}

const ADD: Script = { name: 'addNumbers', lua: addNumbersPart + addNumbersLua };

/** @param size how many numbers a row has */
export const createPendingNumbers = (size: number, kept: Kept): PendingNumbers => {
  let pending = new Map<string, PendingStep>();

  const numbersOf = (step: Omit<PendingStep, 'numbers'>): number[] => {
    const id = `${step.key} ${step.field}`;
    const present = pending.get(id) ?? { ...step, numbers: new Array<number>(size).fill(0) };
    pending.set(id, present);
    return present.numbers;
  };

  const writeSteps = async (store: Store, steps: readonly PendingStep[]): Promise<void> => {
    try {
      await runScript(
        store.redis,
        ADD,
        steps.map(({ key }) => key),
        steps.flatMap((step) => [step.field, step.expireSeconds, step.numbers.join(',')]),
      );
    } catch (error) {
      for (const step of steps) addTo(numbersOf(step), step.numbers);
      throw error;
    }
  };

  /** The row of each step that contains this moment. */
  const rowsAt = (prefix: string, ms: number, name: string | undefined): number[][] =>
    (Object.entries(kept) as [Step, number][]).map(([step, keptMs]) => {
      const { stepMs, spanMs } = STEPS[step];
      const place = String(Math.floor((ms % spanMs) / stepMs));
      return numbersOf({
        prefix,
        key: keyOf(prefix, step, Math.floor(ms / spanMs)),
        field: name === undefined ? place : `${place}:${name}`,
        expireSeconds: expireSeconds(step, keptMs),
        untilMs: ms + keptMs,
      });
    });

  return {
    increment: (prefix, ms, positions) => {
      for (const numbers of rowsAt(prefix, ms, undefined)) {
        for (const at of positions) numbers[at] = (numbers[at] ?? 0) + 1;
      }
    },
    add: ({ prefix, name }, ms, added) => {
      for (const numbers of rowsAt(prefix, ms, name)) addTo(numbers, added);
    },
    write: async (store) => {
      const now = Date.now();
      const taken = [...pending.values()].filter(({ untilMs }) => untilMs > now);
      pending = new Map();
      // On a Cluster a script may use one tag only.
      const groups = Map.groupBy(taken, ({ prefix }) => prefix).values();
      const results = await Promise.allSettled([...groups].map((steps) => writeSteps(store, steps)));
      const failed = results.find(({ status }) => status === 'rejected');
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
    },
  };
};

const addTo = (sums: number[], numbers: readonly number[]): void => {
  for (const [at, number] of numbers.entries()) sums[at] = (sums[at] ?? 0) + number;
};

// -- reading ------------------------------------------------------------------------------------------------------

/** One row of a step. */
export interface SeriesRow {
  /** When the step begins, in ms. */
  readonly at: number;
  /** Empty where each step has a single row. */
  readonly name: string;
  readonly numbers: readonly number[];
}

/** For each prefix, the rows of steps that begin before `toMs` and end after `fromMs`, in no order. */
export const readSeries = async (
  store: Store,
  prefixes: readonly string[],
  { step, fromMs, toMs }: { readonly step: Step; readonly fromMs: number; readonly toMs: number },
): Promise<SeriesRow[][]> => {
  const { stepMs, spanMs } = STEPS[step];
  const first = Math.floor(fromMs / spanMs);
  const spans = Array.from({ length: Math.max(Math.ceil(toMs / spanMs) - first, 0) }, (_, index) => first + index);
  const hashes = prefixes.flatMap((prefix) => spans.map((span) => ['hgetall', keyOf(prefix, step, span)] as const));
  const replies = await sendAll(store, hashes);
  return prefixes.map((_, index) =>
    spans.flatMap((span, at) =>
      Object.entries(fieldsOf(replies[index * spans.length + at]))
        .map(([field, numbers]) => {
          const [place, name = ''] = field.split(':');
          return { at: span * spanMs + Number(place) * stepMs, name, numbers: numbers.split(',').map(Number) };
        })
        .filter((row) => row.at + stepMs > fromMs && row.at < toMs),
    ),
  );
};

/** Adds rows up, position by position. */
export const sumNumbers = (rows: Iterable<readonly number[]>): number[] => {
  const sums: number[] = [];
  for (const numbers of rows) addTo(sums, numbers);
  return sums;
};

/** Removes a series before it expires. */
export const removeSeries = async (store: Store, prefix: string, kept: Kept, nowMs: number): Promise<void> => {
  const keys = (Object.entries(kept) as [Step, number][]).flatMap(([step, keptMs]) => {
    const { spanMs } = STEPS[step];
    // Includes spans written by a clock that is ahead or behind.
    const last = Math.floor(nowMs / spanMs) + 1;
    const spans = Math.ceil(keptMs / spanMs) + 3;
    return Array.from({ length: spans }, (_, ago) => keyOf(prefix, step, last - ago));
  });
  await store.redis.del(keys);
};

/** Names for the numbers of a row, in their order. */
export const nameNumbers =
  <Name extends string>(names: readonly Name[]) =>
  (numbers: readonly number[]): Record<Name, number> =>
    Object.fromEntries(names.map((name, at) => [name, numbers[at] ?? 0])) as Record<Name, number>;
