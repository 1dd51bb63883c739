import { createLedger, type Ledger } from './ledger.ts';
import { createRandom, type Random } from './random.ts';

/** One guarantee under its fault. */
export interface Row {
  /** `G1`; rows that test no guarantee of the list have a name. */
  readonly id: string;
  /** The fault, as the table shows it. */
  readonly fault: string;
  /** Why it cannot run on this machine, or undefined when it can. */
  readonly cannotRun?: () => Promise<string | undefined>;
  /** A test of `./test` that does the same with less around it; the row is left out there. */
  readonly shortIn?: string;
  /** A run that takes longer fails, in ms. @default 480000 */
  readonly timeoutMs?: number;
  run(run: Run): Promise<void>;
}

/** One run of a row. */
export interface Run {
  readonly seed: number;
  /** Decides what happens. Used in the order of the steps, so that the same seed makes the same run. */
  readonly random: Random;
  /** For things that happen at their own time: the load, the destinations' behaviour. */
  readonly noise: Random;
  /** Whether this is the long round, which has minutes; the short one has seconds. */
  readonly isLong: boolean;
  /** A ledger for each Clickrelay of this run; all of them must balance. */
  newLedger(): Ledger;
  readonly result: RunResult;
  /** Records a promise that did not hold. The run goes on, so that the table shows all of them. */
  check(holds: boolean, otherwise: string): void;
  /** Records a remark to print with the result. */
  remark(text: string): void;
  /** Calls this at the end, in reverse order. */
  defer(close: () => Promise<unknown> | unknown): void;
  /** Logs a step; the log is shown when the run fails. */
  step(text: string): void;
}

export interface RunResult {
  acknowledged: number;
  lost: number;
  repeated: number;
  slowestMs: number;
  ms: number;
  readonly seed: number;
  readonly failures: string[];
  readonly remarks: string[];
  readonly steps: string[];
}

const DEFAULT_TIMEOUT_MS = 480_000;

/** Runs a row once. A fault of Clickrelay is part of the result, and never thrown. */
export const runOnce = async (row: Row, { seed, isLong }: { seed: number; isLong: boolean }): Promise<RunResult> => {
  const startedAt = performance.now();
  const ledgers: Ledger[] = [];
  const result: RunResult = {
    acknowledged: 0,
    lost: 0,
    repeated: 0,
    slowestMs: 0,
    ms: 0,
    seed,
    failures: [],
    remarks: [],
    steps: [],
  };
  const closing: (() => Promise<unknown> | unknown)[] = [];
  let isOver = false;
  const run: Run = {
    seed,
    random: createRandom(seed),
    noise: createRandom(seed ^ 0x6e6f6973),
    isLong,
    newLedger: () => {
      const ledger = createLedger();
      ledgers.push(ledger);
      return ledger;
    },
    result,
    check: (holds, otherwise) => {
      if (!holds && !isOver) result.failures.push(otherwise);
    },
    remark: (text) => result.remarks.push(text),
    defer: (close) => {
      closing.push(close);
      // It started after the time was up, and nothing else would end it.
      if (isOver) Promise.resolve(close()).catch(() => {});
    },
    step: (text) => result.steps.push(`${((performance.now() - startedAt) / 1_000).toFixed(2)} s ${text}`),
  };
  const timeoutMs = row.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${timeoutMs} ms`)), timeoutMs);
  });
  const running = row.run(run);
  running.catch(() => {});
  try {
    await Promise.race([running, late]);
  } catch (error) {
    result.failures.push((error as Error).message);
  }
  clearTimeout(timer);
  isOver = true;
  for (const close of closing.toReversed()) await Promise.resolve(close()).catch(() => {});
  // A run that was cut off ends by itself now, as nothing answers it any more.
  for (const ledger of ledgers) {
    result.acknowledged += ledger.acknowledged.size;
    result.slowestMs = Math.max(result.slowestMs, ledger.slowestMs());
  }
  result.ms = performance.now() - startedAt;
  return result;
};
