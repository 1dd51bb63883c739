import { parseCallback } from '@clickrelay/core';
import { createWorkerMetrics, Registry } from '@clickrelay/metrics';
import {
  createCommitter,
  type Destination,
  openStore,
  putDestination,
  queueDepths,
  type Store,
} from '@clickrelay/queue';
import type { Envelope } from '@clickrelay/simulator';
import {
  type DestinationAnswer,
  type Destination as LocalDestination,
  PERSON_KEY,
  type RedisServer,
  startDestination,
  startRedis,
  waitUntil,
} from '@clickrelay/testkit';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { createAdapters } from '../src/adapters.ts';
import { readConfig } from '../src/config.ts';
import { type RunningWorker, startWorker } from '../src/worker.ts';

export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** A Redis for the file, emptied before each test, and a worker that each test starts when it is ready for it. */
export const useWorker = () => {
  let redis: RedisServer;
  let store: Store;
  let worker: RunningWorker | undefined;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    store = await openStore({ redisUrl: redis.url, role: 'consumer', personKey: PERSON_KEY });
    await store.redis.flushall();
    await store.ready();
  });
  afterEach(async () => {
    await worker?.stop(1_000);
    worker = undefined;
    for (const close of closing.splice(0)) await close();
    await store.close();
  });

  const stop = async (graceMs = 1_000): Promise<void> => {
    await worker?.stop(graceMs);
    worker = undefined;
  };
  const start = async (
    environment: Record<string, string> = {},
    adapters = createAdapters({ egressAllow: ['127.0.0.0/8'], userAgent: 'Clickrelay/test' }),
  ): Promise<void> => {
    worker = await startWorker({
      store,
      adapters,
      config: readConfig({ PERSON_KEY, RETRY_SCHEDULE: '0s,20ms,20ms', ...environment }),
      metrics: createWorkerMetrics(new Registry()),
      log: pino({ level: 'silent' }),
    });
  };

  return {
    get redis(): RedisServer {
      return redis;
    },
    get store(): Store {
      return store;
    },
    start,
    stop,
    unopened: () => worker?.unopened(),
    addDestination: async (
      id: string,
      answer: DestinationAnswer = 200,
      { config, ...more }: Partial<Destination> = {},
    ): Promise<LocalDestination> => {
      const local = await startDestination({ answer });
      closing.push(() => local.close());
      const settings = { url: `${local.url}hook`, secret: SECRET, ...config };
      await putDestination(store, { id, type: 'webhook', events: ['*'], paused: null, ...more, config: settings });
      return local;
    },
    /** Commits as the receiver does, in the given order. */
    commit: async (...envelopes: Envelope[]): Promise<void> => {
      // These tests are not about a machine that stands still for a while.
      const committer = createCommitter(store, { deadlineMs: 30_000 });
      await Promise.all(
        envelopes.map((envelope) =>
          committer.commit(parseCallback(Buffer.from(JSON.stringify(envelope))), new Date().toISOString()),
        ),
      );
    },
    ingestIsEmpty: () =>
      waitUntil(async () => {
        const { ingest } = await queueDepths(store);
        return ingest.messages + ingest.statuses === 0;
      }),
  };
};
