import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { splitCallback } from '@clickrelay/core';
import { createEventLog, enqueueDeliveries, openStore, putDestination, type Store } from '@clickrelay/queue';
import { freePort } from '@clickrelay/service/machine';
import { sampleCallback } from '@clickrelay/simulator';
import type { RedisServer } from '@clickrelay/testkit';
import { PERSON_KEY } from '@clickrelay/testkit';
import { percentile } from './load.ts';
import { cpuMicros, startServer, stopServer } from './processes.ts';

const DELIVERIES = 3_000;
const CONSUMERS = 16;
const WAKES = 200;
const IDLE = { consumers: 100, seconds: 8 } as const;
const API_KEY = 'a-key-for-the-bench-only';

export interface LeasesResult {
  /** Deliveries leased and acked a second, by consumers that take one at a time. */
  readonly onePerSecond: number;
  readonly tenPerSecond: number;
  /** CPU time for each delivery, one at a time, in µs. */
  readonly apiMicros: number;
  readonly redisMicros: number;
  /** From queueing a delivery to the answer that the waiting consumer gets. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Share of a core. */
  readonly idleApiPercent: number;
  readonly aloneApiPercent: number;
  readonly idleRedisPercent: number;
  readonly idleConnections: number;
}

interface Leased {
  readonly deliveries: readonly { readonly deliveryId: string; readonly leaseToken: string }[];
}

/** Measures one API process, with its consumers in this process. */
export const measureLeases = async (redis: RedisServer): Promise<LeasesResult> => {
  const port = await freePort();
  const store = await openStore({ redisUrl: redis.url, role: 'consumer' });
  await store.ready();
  const api = await startServer(
    fileURLToPath(import.meta.resolve('@clickrelay/api/main')),
    { API_PORT: String(port), API_KEY, PERSON_KEY, REDIS_URL: redis.url, LOG_LEVEL: 'warn' },
    `http://127.0.0.1:${port}/healthz`,
  );
  const agent = new Agent({ keepAlive: true });
  const call = <Answer>(id: string, verb: string, body: object): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const path = `/v1/destinations/${id}/${verb}`;
      const headers = { authorization: `Bearer ${API_KEY}` };
      const asking = request({ agent, port, path, method: 'POST', headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`${verb} was answered ${response.statusCode}: ${text}`));
        });
      });
      asking.on('error', reject).end(JSON.stringify(body));
    });

  const drain = async (id: string, max: number): Promise<number> => {
    const startedAt = performance.now();
    const consume = async (): Promise<void> => {
      for (;;) {
        const { deliveries } = await call<Leased>(id, 'lease', { max });
        if (deliveries.length === 0) return;
        await Promise.all(deliveries.map(({ deliveryId, leaseToken }) => call(id, 'ack', { deliveryId, leaseToken })));
      }
    };
    await Promise.all(Array.from({ length: CONSUMERS }, consume));
    return DELIVERIES / ((performance.now() - startedAt) / 1_000);
  };

  /** Measures how much of a core the API and Redis use while nothing happens. */
  const idle = async (): Promise<{ api: number; redis: number }> => {
    const pids = [api.pid, redis.pid] as number[];
    const before = pids.map(cpuMicros);
    await new Promise((resolve) => setTimeout(resolve, IDLE.seconds * 1_000));
    const [ofApi = 0, ofRedis = 0] = pids.map(
      (pid, i) => ((cpuMicros(pid) - (before[i] ?? 0)) / (IDLE.seconds * 1e6)) * 100,
    );
    return { api: ofApi, redis: ofRedis };
  };
  const connections = async (): Promise<number> =>
    Number(/connected_clients:(\d+)/.exec(await store.redis.info('clients'))?.[1]);

  try {
    for (const id of ['one', 'ten', 'wakes', 'idle']) {
      await putDestination(store, { id, type: 'pull', events: ['*'], paused: null, config: {} });
    }
    // Leave out the cost of its start.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const alone = await idle();
    const aloneConnections = await connections();

    const waiting = Array.from({ length: IDLE.consumers }, () =>
      call<Leased>('idle', 'lease', { waitMs: (IDLE.seconds + 2) * 1_000 }),
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    const idleConnections = (await connections()) - aloneConnections;
    const withThem = await idle();
    await Promise.all(waiting);

    await queueDeliveries(store, 'one', DELIVERIES);
    await queueDeliveries(store, 'ten', DELIVERIES);
    const pids = [api.pid, redis.pid] as number[];
    const before = pids.map(cpuMicros);
    const onePerSecond = await drain('one', 1);
    const [apiMicros = 0, redisMicros = 0] = pids.map((pid, i) => (cpuMicros(pid) - (before[i] ?? 0)) / DELIVERIES);
    const tenPerSecond = await drain('ten', 10);

    const delays: number[] = [];
    for (let n = 0; n < WAKES; n++) {
      const asked = call<Leased>('wakes', 'lease', { waitMs: 10_000 });
      await new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * 20));
      const logged = newEvent();
      await createEventLog(store, { dedupeTtlMs: 60_000 }).append(`wake-${n}`, [logged], Date.now());
      const queuedAt = performance.now();
      await enqueueDeliveries(store, 'wakes', [{ eventId: logged.event.id }]);
      const { deliveries } = await asked;
      delays.push(performance.now() - queuedAt);
      for (const { deliveryId, leaseToken } of deliveries) await call('wakes', 'ack', { deliveryId, leaseToken });
    }
    delays.sort((a, b) => a - b);
    return {
      onePerSecond,
      tenPerSecond,
      apiMicros,
      redisMicros,
      p50Ms: percentile(delays, 0.5),
      p99Ms: percentile(delays, 0.99),
      idleApiPercent: withThem.api,
      aloneApiPercent: alone.api,
      idleRedisPercent: withThem.redis,
      idleConnections,
    };
  } finally {
    agent.destroy();
    await stopServer(api);
    await store.close();
  }
};

const newEvent = () => {
  const [logged] = splitCallback(JSON.stringify(sampleCallback('moText')), new Date().toISOString());
  if (logged === undefined) throw new Error('the sample has no event');
  return logged;
};

const queueDeliveries = async (store: Store, id: string, count: number): Promise<void> => {
  const events = Array.from({ length: count }, newEvent);
  await createEventLog(store, { dedupeTtlMs: 60_000 }).append(id, events, Date.now());
  for (let from = 0; from < count; from += 500) {
    await enqueueDeliveries(
      store,
      id,
      events.slice(from, from + 500).map(({ event }) => ({ eventId: event.id })),
    );
  }
};
