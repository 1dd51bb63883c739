import { onAbort } from './on-abort.ts';
import { placeOf } from './transform-check.ts';
import { type Ending, type Share, TransformLane, type Waiting } from './transform-lane.ts';
import { LIMITS, TOO_SLOW } from './transform-limits.ts';

/** The transform has no output. The message quotes nothing of the event. */
export class TransformError extends Error {
  override readonly name = 'TransformError';
  /** Whether the expression is not at fault, so that another try may succeed. */
  readonly retryable: boolean;

  constructor(message: string, options: { retryable: boolean }) {
    super(message);
    this.retryable = options.retryable;
  }
}

/** Runs the transform of one destination. */
export interface Transformer {
  /**
   * @param input JSON
   * @returns JSON
   * @throws {TransformError}
   * @throws the signal's reason when it is aborted first
   */
  transform(input: string, signal: AbortSignal): Promise<string>;
  /** Gives up waiting transforms. The process ends with its last transformer. */
  close(): void;
}

/**
 * An ordinary transform takes less than a millisecond. One that has taken longer than this, or was stopped, runs in a
 * second process with others like it, so that it delays none of the ordinary ones. In ms of processor time.
 */
const SLOW_MS = 50;
/** After so many evaluations in a row that were not slow it is an ordinary one again. */
const QUICK_IN_A_ROW = 100;

const ordinary = new TransformLane();
const slow = new TransformLane();

/** @param expression valid by `checkTransform` */
export const openTransformer = (expression: string): Transformer => {
  const share: Share = { expression, waiting: new Set(), usedMs: 0 };
  let lane = ordinary;
  let quickInARow = 0;
  let isClosed = false;
  lane.join(share);

  const chooseLane = (isSlow: boolean) => {
    quickInARow = isSlow ? 0 : quickInARow + 1;
    const next = isSlow ? slow : quickInARow >= QUICK_IN_A_ROW ? ordinary : lane;
    if (isClosed || next === lane) return;
    next.join(share);
    lane.leave(share);
    lane = next;
  };

  return {
    transform: (input, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const end = (settle: () => void) => {
          share.waiting.delete(one);
          stopListening();
          settle();
        };
        const one: Waiting = {
          input,
          settle: (ending, usedMs) => {
            end(() => ('output' in ending ? resolve(ending.output) : reject(errorOf(ending, expression))));
            chooseLane(usedMs > SLOW_MS || 'killed' in ending);
          },
          giveUp: (reason) => end(() => reject(new TransformError(reason, { retryable: true }))),
        };
        const stopListening = onAbort(signal, () => end(() => reject(signal.reason)));
        lane.add(share, one);
      }),
    close: () => {
      isClosed = true;
      lane.leave(share);
      for (const one of [...share.waiting]) one.giveUp('its transform was given up');
    },
  };
};

/** The signals with which V8 ends a process that is out of memory. */
const OUT_OF_MEMORY: readonly unknown[] = ['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV'];

type Failure = Exclude<Ending, { output: string }>;

const errorOf = (failure: Failure, expression: string): TransformError => {
  if ('killed' in failure) {
    if (failure.killed === TOO_SLOW) return refusal(`takes more than ${LIMITS.cpuMs} ms of processor time`);
    if (OUT_OF_MEMORY.includes(failure.killed)) return refusal(`takes more than ${LIMITS.memoryMb} MB of memory`);
    return new TransformError('the process for transforms was ended from outside', { retryable: true });
  }
  if (failure.failed === 'nothing') return refusal('gives nothing');
  if (failure.failed === 'output') return refusal(`gives more than ${LIMITS.outputBytes / 1024 / 1024} MiB`);
  const { code, position, token } = failure;
  const place = position === undefined ? '' : `, ${placeOf(expression, position, token)}`;
  return refusal('cannot be evaluated', `: ${RULES[code] ?? 'an error'} (${code}${place})`);
};

const refusal = (what: string, detail = '') =>
  new TransformError(`its transform ${what} for this event${detail}`, { retryable: false });

/** Ours, and JSONata's most common errors in its own words, without the values that it puts into them. */
const RULES: Readonly<Record<string, string>> = {
  BASE64: '$base64decode takes UTF-8 text in base64, and was given something else',
  D1001: 'a number is out of range',
  D1002: 'what is negated is not a number',
  D1009: 'two keys of an object are the same',
  D2014: 'a range has more than 10,000,000 items',
  D3001: 'a number is out of range',
  D3030: 'a value cannot be read as a number',
  D3110: 'a time is not ISO 8601',
  D3137: '$error was called',
  D3138: '$single found more than one',
  D3139: '$single found none',
  D3141: 'an $assert does not hold',
  T0410: 'an argument is not of the type that the function takes',
  T0411: 'the context is not of the type that the function takes',
  T0412: 'an argument is not an array of what the function takes',
  T1003: 'the key of an object is not a string',
  T1005: 'what is called is not a function',
  T1006: 'what is called is not a function',
  T2001: 'the left side is not a number',
  T2002: 'the right side is not a number',
  T2009: 'values of two types are compared',
  T2010: 'what is compared is neither a number nor a string',
};
