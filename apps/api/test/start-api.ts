import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deliveryId, type LoggedEvent, type Rate, splitCallback } from '@clickrelay/core';
import { createDestinationSettings } from '@clickrelay/destination-settings';
import type { HealthWatch } from '@clickrelay/health';
import { createApiMetrics, createProcessMetrics, createRenderer } from '@clickrelay/metrics';
import {
  createAttemptLog,
  createDispatcher,
  createEventLog,
  createLeases,
  destinationQueue,
  enqueueDeliveries,
  openStore,
  putDestination,
  rememberStore,
  type Store,
  watchDurability,
} from '@clickrelay/queue';
import { sampleCallback } from '@clickrelay/simulator';
import { PERSON_KEY, type RedisServer, startRedis, startRedisCluster } from '@clickrelay/testkit';
import { webhookAdapter } from '@clickrelay/webhook-forwarder';
import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import { createApp, createOperations } from '../src/app.ts';
import { openKnownCredentials } from '../src/known-credentials.ts';
import { openAlerts } from '../src/open-alerts.ts';
import { openHealth } from '../src/open-health.ts';

const destinationSettings = createDestinationSettings([]);
export const operations = createOperations(destinationSettings);

export const API_KEY = 'a-key-of-more-than-16-characters';

interface ApiAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  // Tests look at any field of an answer.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
}

export interface Api {
  readonly url: string;
  /** In a Cluster, one of its servers. */
  readonly redis: RedisServer;
  readonly redisUrl: string;
  readonly store: Store;
  readonly health: HealthWatch;
  readonly logged: Record<string, unknown>[];
  /** Sends the key, unless other headers are given. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer>;
  get(path: string): Promise<ApiAnswer>;
  stop(): Promise<void>;
}

export interface ApiOptions {
  readonly publicUrl?: string | undefined;
  readonly callbackAuth?: string;
  readonly dataDir?: string;
  readonly schedule?: number[];
  readonly rateLimit?: Rate;
  readonly onCluster?: boolean;
  /** What time it is for the conditions. */
  readonly now?: () => number;
}

/** Starts one API and one Redis for all tests of a file. */
export const useApi = (options: ApiOptions = {}): Api => {
  let started: Api | undefined;
  beforeAll(async () => {
    started = await startApi(options);
  });
  afterAll(() => started?.stop());
  const api = (): Api => {
    if (started === undefined) throw new Error('the API is there in tests and in hooks, not before');
    return started;
  };
  return {
    get url() {
      return api().url;
    },
    get redis() {
      return api().redis;
    },
    get redisUrl() {
      return api().redisUrl;
    },
    get store() {
      return api().store;
    },
    get health() {
      return api().health;
    },
    get logged() {
      return api().logged;
    },
    call: (...request) => api().call(...request),
    get: (path) => api().get(path),
    stop: () => api().stop(),
  };
};

/** Starts the API on a real port, with a real Redis or a real Cluster of its own. */
export const startApi = async ({
  schedule = [0, 60_000, 60_000],
  rateLimit = { max: 10_000, spanMs: 1_000 },
  publicUrl,
  callbackAuth = '',
  dataDir = '',
  onCluster = false,
  now = Date.now,
}: ApiOptions = {}): Promise<Api> => {
  const cluster = onCluster ? await startRedisCluster({ withReplicas: false, nodeTimeoutMs: 15_000 }) : undefined;
  const redis = (cluster?.masters[0] as RedisServer | undefined) ?? (await startRedis());
  const redisUrl = cluster?.url ?? redis.url;
  const memory = dataDir === '' ? undefined : rememberStore(dataDir, () => {});
  const store = await openStore({ redisUrl, role: 'producer', personKey: PERSON_KEY, memory });
  await store.ready();
  const durability = watchDurability(store, { mode: 'always' });
  const logged: Record<string, unknown>[] = [];
  const own = createProcessMetrics('api');
  const metrics = createApiMetrics(own.registry);
  const credentials = openKnownCredentials({ callbackAuth, dataDir, onError: (error) => logged.push({ error }) });
  const onError = (error: unknown): void => void logged.push({ error });
  const log = pino({ level: 'debug', base: null }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const alerts = openAlerts({
    store,
    egressAllow: ['127.0.0.1/32'],
    heartbeatUrl: undefined,
    version: '1.2.3',
    log,
    onError: (error) => logged.push({ error }),
  });
  const channels = () => alerts.facts();
  const health = openHealth({ store, mode: 'always', publicUrl, credentials, channels, onError, now });
  const renderer = createRenderer({
    store,
    own,
    durability: () => durability.current(),
    conditions: async () => (await health.current()).conditions,
    version: '1.2.3',
  });
  const leases = createLeases(store, { schedule, onError: () => {}, onAttempt: metrics.attempted });
  const app = createApp({
    store,
    leases,
    onceMs: 3_600_000,
    durability: () => durability.current(),
    destinationSettings,
    webhook: webhookAdapter({ egressAllow: ['127.0.0.1/32'], userAgent: 'Clickrelay/1.2.3' }),
    version: '1.2.3',
    publicUrl,
    credentials,
    health,
    apiKey: API_KEY,
    rateLimit,
    metrics,
    metricsToken: '',
    renderer,
    log,
    alerts,
  });
  const server = createServer(app.callback()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const call: Api['call'] = async (method, path, body, headers = { authorization: `Bearer ${API_KEY}` }) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: text === '' ? undefined : JSON.parse(text),
    };
  };

  return {
    url,
    redis,
    redisUrl,
    store,
    health,
    logged,
    call,
    get: (path) => call('GET', path),
    stop: async () => {
      durability.stop();
      own.stop();
      await renderer.stop();
      await health.stop();
      await leases.close();
      await alerts.close();
      server.closeAllConnections();
      server.close();
      await store.close();
      await (cluster ?? redis).stop();
    },
  };
};

/** Logs an event that never happened before. */
export const logEvent = async (
  store: Store,
  type = 'moText',
  overrides: Record<string, unknown> = {},
): Promise<LoggedEvent> => {
  const text = JSON.stringify(sampleCallback(type, overrides));
  const [logged] = splitCallback(text, '2026-03-01T12:00:00.000Z') as [LoggedEvent];
  await createEventLog(store, { dedupeTtlMs: 3_600_000 }).append(logged.event.id, [logged], Date.now());
  return logged;
};

/** Ends a delivery by one attempt, as a worker would. @returns the delivery id */
export const endDelivery = async (
  { store, redisUrl }: Pick<Api, 'store' | 'redisUrl'>,
  { event }: LoggedEvent,
  destinationId: string,
  kind: 'delivered' | 'dead_letter',
): Promise<string> => {
  const reason = 'answered 500 to the last attempt';
  const attempts = createAttemptLog(store);
  await putDestination(store, { id: destinationId, type: 'pull', events: ['*'], paused: null, config: {} });
  await enqueueDeliveries(store, destinationId, [{ eventId: event.id }]);
  const worker = await openStore({ redisUrl, role: 'consumer' });
  const dispatcher = createDispatcher(worker, { onError: () => {} });
  await new Promise<void>((resolve) => {
    dispatcher.add({
      queue: destinationQueue(destinationId),
      room: () => 1,
      run: async () => {
        await attempts.record({
          eventId: event.id,
          destinationId,
          startedAtMs: Date.parse('2026-03-01T12:00:01.000Z'),
          durationMs: 12,
          outcome: { kind },
          status: kind === 'delivered' ? 204 : 500,
          error: kind === 'delivered' ? undefined : { code: 'destination_rejected', message: reason },
          response: kind === 'delivered' ? '' : 'oh no',
        });
        resolve();
        return kind === 'delivered' ? { kind: 'done' } : { kind: 'dead_letter', reason };
      },
    });
  });
  await dispatcher.close(2000);
  await worker.close();
  return deliveryId(event.id, destinationId);
};
