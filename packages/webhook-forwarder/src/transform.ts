import { type ChildProcess, fork } from 'node:child_process';
import { onAbort } from './on-abort.ts';
import { placeOf } from './transform-check.ts';
import { LIMITS, TOO_SLOW, type TransformReply, type TransformRequest } from './transform-limits.ts';

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

interface Waiting {
  readonly input: string;
  readonly resolve: (output: string) => void;
  readonly reject: (error: unknown) => void;
}

/** One destination's share of the process. */
interface Share {
  readonly expression: string;
  readonly waiting: Set<Waiting>;
  /** How long the process has worked for it, in ms; starts no lower than that of the others with work waiting. */
  usedMs: number;
}

// One process serves all destinations. It starts with the first event and ends with the last transformer.
const shares = new Set<Share>();
let child: ChildProcess | undefined;
let isReady = false;
let running: { share: Share; one: Waiting; since: number; timer: NodeJS.Timeout } | undefined;

/** @param expression valid by `checkTransform` */
export const openTransformer = (expression: string): Transformer => {
  const share: Share = { expression, waiting: new Set(), usedMs: 0 };
  shares.add(share);
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
          resolve: (output) => end(() => resolve(output)),
          reject: (error) => end(() => reject(error)),
        };
        const stopListening = onAbort(signal, () => one.reject(signal.reason));
        if (share.waiting.size === 0) share.usedMs = Math.max(share.usedMs, leastUsed()?.usedMs ?? 0);
        share.waiting.add(one);
        runNext();
      }),
    close: () => {
      shares.delete(share);
      for (const one of [...share.waiting])
        one.reject(new TransformError('its transform was given up', { retryable: true }));
      if (shares.size === 0) stop();
    },
  };
};

/**
 * The share that has used the process least goes first, so that a slow transform costs the others only its own share.
 */
const leastUsed = (): Share | undefined => {
  let least: Share | undefined;
  for (const share of shares) {
    if (share.waiting.size > 0 && (least === undefined || share.usedMs < least.usedMs)) least = share;
  }
  return least;
};

const runNext = (): void => {
  if (running !== undefined) return;
  const share = leastUsed();
  const [one] = share?.waiting ?? [];
  if (share === undefined || one === undefined) {
    // Let a program end that has nothing else to do.
    child?.unref();
    child?.channel?.unref();
    return;
  }
  child ??= start();
  child.ref();
  child.channel?.ref();
  if (!isReady) return;
  const timer = setTimeout(() => child?.kill('SIGKILL'), LIMITS.wallMs);
  running = { share, one, since: performance.now(), timer };
  child.send({ expression: share.expression, input: one.input } satisfies TransformRequest, () => {});
};

const start = (): ChildProcess => {
  const file = new URL(`transform-process${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
  const started = fork(file, {
    // It needs none of our settings.
    env: {},
    execArgv: [`--max-old-space-size=${LIMITS.memoryMb}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  started.on('message', (reply: 'ready' | TransformReply) => {
    if (started !== child) return;
    if (reply === 'ready') isReady = true;
    else settle(reply);
    runNext();
  });
  const onEnd = (killed: NodeJS.Signals | null) => {
    if (started !== child) return;
    const neverRan = !isReady;
    child = undefined;
    isReady = false;
    // Trying again at once would go on for ever.
    if (neverRan) giveUp('the process for transforms does not start');
    settle({ killed });
    runNext();
  };
  started.on('error', () => onEnd(null));
  started.on('exit', (_, signal) => onEnd(signal));
  return started;
};

const settle = (reply: TransformReply | { readonly killed: NodeJS.Signals | null }): void => {
  if (running === undefined) return;
  const { share, one, since, timer } = running;
  running = undefined;
  clearTimeout(timer);
  share.usedMs += performance.now() - since;
  if ('output' in reply) one.resolve(reply.output);
  else one.reject(errorOf(reply, share.expression));
};

const giveUp = (reason: string): void => {
  for (const { waiting } of shares) {
    for (const one of [...waiting]) one.reject(new TransformError(reason, { retryable: true }));
  }
};

const stop = (): void => {
  const stopped = child;
  child = undefined;
  isReady = false;
  if (running !== undefined) clearTimeout(running.timer);
  running = undefined;
  stopped?.kill('SIGKILL');
};

/** The signals with which V8 ends a process that is out of memory. */
const OUT_OF_MEMORY: readonly unknown[] = ['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV'];

type Failure = Exclude<TransformReply, { output: string }> | { readonly killed: NodeJS.Signals | null };

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

/** JSONata's most common errors in its own words, without the values that it puts into them. */
const RULES: Readonly<Record<string, string>> = {
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
