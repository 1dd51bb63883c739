import { fairNow, type RedisServer, waitUntil } from '@clickrelay/testkit';
import { afterEach, beforeEach } from 'vitest';
import { addJobs } from '../src/jobs/add-jobs.ts';
import { createDispatcher, type Dispatcher } from '../src/jobs/dispatcher.ts';
import type { Settlement } from '../src/jobs/settle.ts';
import type { Consumer, TakenJob } from '../src/jobs/source.ts';
import { destinationQueue, type QueueName } from '../src/redis/names.ts';
import type { Store } from '../src/redis/store.ts';
import { type TestStore, useStore } from './use-store.ts';

/* What the tests of the dispatcher share. */

export const CRM = destinationQueue('crm');
export const DONE: Settlement = { kind: 'done' };
export const EMPTY = { waiting: 0, active: 0, delayed: 0, failed: 0 };

/**
 * In ms of `fairNow`, and so on a busy machine too: a marker that nobody heard of shows as a pause of the five seconds
 * after which a read that blocks looks again.
 */
export const PROMPTLY = 3_000;

export interface TestConsumer extends Consumer {
  readonly taken: string[];
  readonly running: number;
  /** The most that ran at the same time. */
  readonly peak: number;
}

type Run = (job: TakenJob) => Settlement | Promise<Settlement>;

/** Takes what it can, at most `limit` at a time, and notes it down. */
export const consume = (
  queue: QueueName,
  run: Run = () => DONE,
  limit = 1_000,
  more: Partial<Consumer> = {},
): TestConsumer => {
  const consumer = {
    queue,
    taken: [] as string[],
    running: 0,
    peak: 0,
    room: () => limit - consumer.running,
    run: async (job: TakenJob) => {
      consumer.taken.push(job.id);
      consumer.running++;
      consumer.peak = Math.max(consumer.peak, consumer.running);
      try {
        return await run(job);
      } finally {
        consumer.running--;
      }
    },
  };
  return Object.assign(consumer, more);
};

/** The same, for a queue that is taken from promptly. */
export const consumePromptly = (queue: QueueName, run?: Run, limit?: number): TestConsumer =>
  consume(queue, run, limit, { isPrompt: true });

export const ids = (count: number, prefix = 'job') => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

export const nap = (ms: number) => new Promise<Settlement>((resolve) => setTimeout(resolve, ms, DONE));

/** The longest time between two runs, in ms of `fairNow`. */
export const pausesOf = (run: () => Promise<Settlement>) => {
  let last = fairNow();
  let longest = 0;
  return {
    run: () => {
      longest = Math.max(longest, fairNow() - last);
      last = fairNow();
      return run();
    },
    longest: () => longest,
  };
};

/** A run that ends when the test says so. */
export const gate = () => {
  const { promise: opened, resolve: open } = Promise.withResolvers<Settlement>();
  return { opened, open };
};

export interface TestDispatcher extends TestStore<RedisServer> {
  /** The dispatcher of the running test. */
  readonly dispatcher: Dispatcher;
  /** What went wrong for any of its dispatchers. */
  readonly errors: unknown[];
  /** A process of its own, as far as Redis can tell. */
  openAnother(): Promise<Dispatcher>;
  add(queue: QueueName, ...ids: string[]): Promise<void>;
  addDelayed(queue: QueueName, delay: number, id: string): Promise<void>;
  counts(queue: QueueName): Promise<Record<string, number>>;
  /** Resolves when none of its jobs is taken. */
  nothingIsActive(queue: QueueName): Promise<unknown>;
  /** Resolves when so many dispatchers wait for something to be ready. */
  listening(count: number): Promise<unknown>;
}

/** Gives each test of a file an empty Redis, a store and a dispatcher on it, and closes them all. */
export const useDispatcher = (): TestDispatcher => {
  const { redis, store, openStore } = useStore();
  let dispatcher: Dispatcher;
  let errors: unknown[];
  const opened: Dispatcher[] = [];

  const open = (on: Store): Dispatcher => {
    const one = createDispatcher(on, { onError: (error) => errors.push(error) });
    opened.push(one);
    return one;
  };
  beforeEach(() => {
    errors = [];
    dispatcher = open(store);
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close(100);
  });

  const counts = (queue: QueueName) => store.queue(queue).getJobCounts('waiting', 'active', 'delayed', 'failed');
  return {
    redis,
    store,
    openStore,
    get dispatcher() {
      return dispatcher;
    },
    get errors() {
      return errors;
    },
    openAnother: async () => open(await openStore()),
    add: (queue, ...jobIds) =>
      addJobs(
        store,
        queue,
        jobIds.map((id) => ({ data: {}, options: { jobId: id } })),
      ),
    addDelayed: (queue, delay, id) => addJobs(store, queue, [{ data: {}, options: { jobId: id, delay } }]),
    counts,
    nothingIsActive: (queue) => waitUntil(async () => (await counts(queue))['active'] === 0),
    listening: (count) =>
      waitUntil(async () => {
        const clients = String(await store.redis.client('LIST')).split('\n');
        return clients.filter((client) => /cmd=bzpopmin/.test(client) && /flags=b/.test(client)).length === count;
      }),
  };
};
