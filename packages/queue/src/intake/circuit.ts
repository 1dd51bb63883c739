import { setTimeout as sleep } from 'node:timers/promises';
import { QueueUnavailableError } from '@clickrelay/core';
import { LANES, REGISTRY } from '../redis/names.ts';
import { ingestQueues, type Store } from '../redis/store.ts';
import { withDeadline } from '../redis/with-deadline.ts';

/**
 * Whether Redis takes writes. While it does not, callbacks do not wait for it: they are spooled, or refused, at once.
 */
export interface Circuit {
  /** Whether Redis is used. */
  readonly isClosed: boolean;
  /** Reports a write that failed: Redis is not used again until it has taken one. */
  open(): void;
  /** Resolves when the circuit is closed, or `stop` was called. */
  whenClosed(): Promise<void>;
  stop(): void;
}

export interface CircuitOptions {
  /** Whether the server's settings, as far as they are known, allow to use it. */
  readonly isSafe: () => boolean;
  readonly onChange?: (isClosed: boolean) => void;
}

/** In ms. How soon a Redis that stopped answering is noticed without any callback. */
const HEARTBEAT_MS = 1_000;
const PROBE_MS = 100;
const ANSWER_MS = 800;

/** On a Cluster it writes to all queues that callbacks go to. One of each lane is enough: others are put aside. */
const probe = (store: Store): Promise<unknown> => {
  const write = (tag: string) => store.durably(tag, () => store.redis.set(`${tag}:probe`, '1', 'PX', 10_000));
  if (!store.isCluster) return write(REGISTRY);
  const writeAside = (tag: string) =>
    write(tag).catch((error) => {
      store.aside.failed(tag, error);
      throw error;
    });
  return Promise.all(
    LANES.map((lane) => Promise.any(ingestQueues(store, lane).map(({ prefix }) => writeAside(prefix)))),
  );
};

/** Open at first: Redis has to show that it takes writes. */
export const watchCircuit = (store: Store, { isSafe, onChange = () => {} }: CircuitOptions): Circuit => {
  let isClosed = false;
  let failures = 0;
  let stopped = false;
  let wake = new AbortController();
  let waiting: (() => void)[] = [];

  const rest = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal: wake.signal }).catch(() => {});
  const rouse = (): void => {
    wake.abort();
    wake = new AbortController();
  };
  const change = (closed: boolean): void => {
    if (isClosed === closed) return;
    isClosed = closed;
    onChange(closed);
    if (closed) release();
    else rouse();
  };
  const release = (): void => {
    for (const resolve of waiting) resolve();
    waiting = [];
  };

  const answers = (command: Promise<unknown>): Promise<boolean> =>
    withDeadline(command, ANSWER_MS, { error: () => new QueueUnavailableError('Redis did not answer in time') }).then(
      () => true,
      () => false,
    );
  const isAlive = async (): Promise<boolean> => store.redis.status === 'ready' && (await answers(store.redis.ping()));
  // A write, because a Redis without memory or disk still answers pings. The key is never read, and expires.
  const takesWrites = async (): Promise<boolean> =>
    store.redis.status === 'ready' && isSafe() && (await answers(probe(store)));

  const watch = async (): Promise<void> => {
    while (!stopped) {
      if (isClosed) {
        await rest(HEARTBEAT_MS);
        if (isClosed && !stopped && !(isSafe() && (await isAlive()))) change(false);
        continue;
      }
      const before = failures;
      const took = await takesWrites();
      // A write that failed meanwhile is more recent.
      if (took && failures === before && !stopped) change(true);
      else await rest(PROBE_MS);
    }
  };
  store.redis.on('ready', rouse);
  void watch();

  return {
    get isClosed() {
      return isClosed;
    },
    open: () => {
      failures++;
      change(false);
    },
    whenClosed: () =>
      isClosed || stopped
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve);
          }),
    stop: () => {
      stopped = true;
      store.redis.off('ready', rouse);
      rouse();
      release();
    },
  };
};
