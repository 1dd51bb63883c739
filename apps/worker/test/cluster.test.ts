import { parseCallback } from '@clickrelay/core';
import { createWorkerMetrics, Registry } from '@clickrelay/metrics';
import {
  createCommitter,
  listDeadLetters,
  listEvents,
  listQuarantine,
  openStore,
  putDestination,
  quarantineCallback,
  queueDepths,
  readDurability,
  removeDestination,
  reparseQuarantined,
  replayDelivery,
  type Store,
  trimEventLog,
} from '@clickrelay/queue';
import { type Envelope, sampleCallback } from '@clickrelay/simulator';
import {
  PERSON_KEY,
  type RedisCluster,
  type RedisServer,
  redisCommand,
  startDestination,
  startRedisCluster,
  waitUntil,
} from '@clickrelay/testkit';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAdapters } from '../src/adapters.ts';
import { readConfig } from '../src/config.ts';
import { type RunningWorker, startWorker } from '../src/worker.ts';
import { SECRET } from './use-worker.ts';

/** A busy machine may take this long for what otherwise takes a second. */
const PATIENCE_MS = 40_000;
const PATIENCE = { timeoutMs: PATIENCE_MS };

let cluster: RedisCluster;
let producer: Store;
let consumer: Store;
let worker: RunningWorker;

beforeAll(async () => {
  cluster = await startRedisCluster();
  producer = await openStore({ redisUrl: cluster.url, role: 'producer', durability: 'replicated' });
  consumer = await openStore({
    redisUrl: cluster.url,
    role: 'consumer',
    durability: 'replicated',
    personKey: PERSON_KEY,
  });
  await Promise.all([producer.ready(), consumer.ready()]);
  worker = await startWorker({
    store: consumer,
    adapters: createAdapters({ egressAllow: ['127.0.0.0/8'], userAgent: 'Clickrelay/test' }),
    config: readConfig({ PERSON_KEY, RETRY_SCHEDULE: '0s,20ms,20ms' }),
    metrics: createWorkerMetrics(new Registry()),
    log: pino({ level: 'silent' }),
  });
});
afterAll(async () => {
  await worker?.stop(1_000);
  await Promise.all([producer?.close(), consumer?.close()]);
  await cluster?.stop();
});

const addDestination = async (id: string, answer = 200) => {
  const local = await startDestination({ answer });
  const config = { url: `${local.url}hook`, secret: SECRET };
  await putDestination(consumer, { id, type: 'webhook', events: ['*'], paused: null, config });
  return local;
};

/** Sends until it is accepted, as Clickatell does. @returns how many tries that took */
const commit = async (envelope: Envelope): Promise<number> => {
  const { commit: take } = createCommitter(producer, { deadlineMs: 30_000 });
  const callback = parseCallback(Buffer.from(JSON.stringify(envelope)));
  for (let tries = 1; ; tries++) {
    try {
      await take(callback, new Date().toISOString());
      return tries;
    } catch (error) {
      if (tries === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
};

/** The connections over which a worker waits for jobs: on a Cluster, one for each tag, to the server that has it. */
const countListeners = async (servers: readonly RedisServer[]): Promise<number> => {
  const lists = await Promise.all(servers.map(({ port }) => redisCommand(port, 'CLIENT', 'LIST')));
  return lists.join('\n').split('name=clickrelay-dispatcher').length - 1;
};

const uniqueIds = (requests: readonly { headers: Record<string, unknown> }[]): number =>
  new Set(requests.map(({ headers }) => headers['webhook-id'])).size;

it('a Redis Cluster works for commits, deliveries, retries, dead letters, lists, quarantine, retention', async () => {
  expect(await readDurability(producer, 'replicated')).toMatchObject({ ready: true, durability: 'always' });
  const crm = await addDestination('crm');
  const types = ['moText', 'messageStatusUpdate'] as const;
  await Promise.all(Array.from({ length: 200 }, (_, n) => commit(sampleCallback(types[n % 2] as 'moText'))));
  await crm.waitFor(200, PATIENCE_MS);
  await waitUntil(async () => {
    const { ingest } = await queueDepths(consumer);
    return ingest.messages + ingest.statuses === 0;
  }, PATIENCE);
  expect([crm.requests.length, uniqueIds(crm.requests)]).toEqual([200, 200]);
  const { items, next } = await listEvents(consumer, { limit: 150 });
  expect(items).toHaveLength(150);
  expect((await listEvents(consumer, { limit: 150, cursor: next as string })).items).toHaveLength(50);

  crm.answerWith(500);
  await commit(sampleCallback('moText'));
  const dead = await waitUntil(async () => (await listDeadLetters(consumer, { limit: 10 })).items[0], PATIENCE);
  expect(dead).toMatchObject({ destinationId: 'crm', attempts: 3 });
  crm.answerWith(200);
  const before = crm.requests.length;
  expect(await replayDelivery(consumer, dead.deliveryId)).toBe('replayed');
  await crm.waitFor(before + 1, PATIENCE_MS);

  const body = Buffer.from(JSON.stringify(sampleCallback('moText')));
  const id = await quarantineCallback(consumer, { body, reason: 'a test', receivedAt: new Date().toISOString() });
  expect((await listQuarantine(consumer, { limit: 10 })).items).toHaveLength(1);
  expect(await reparseQuarantined(consumer, id)).toEqual({ accepted: 1 });
  await crm.waitFor(before + 2, PATIENCE_MS);

  await waitUntil(async () => {
    const { ingest, destinations } = await queueDepths(consumer);
    return ingest.messages + destinations.reduce((sum, { waiting, active }) => sum + waiting + active, 0) === 0;
  }, PATIENCE);
  const keep = { eventsMs: 0, eventBytes: 1e9, deliveriesMs: 0 };
  expect(await trimEventLog(consumer, keep, Date.now() + 3_600_000)).toBe(202);
  expect((await listEvents(consumer, { limit: 10 })).items).toEqual([]);
  expect(await removeDestination(consumer, 'crm')).toBe(true);
  await crm.close();
});

it('the death of a master loses nothing that was acknowledged, and every worker still hears of new jobs', async () => {
  const ids = Array.from({ length: 12 }, (_, n) => `after-${n}`);
  const destinations = await Promise.all(ids.map((id) => addDestination(id)));
  await commit(sampleCallback('moText'));
  await Promise.all(destinations.map((destination) => destination.waitFor(1, PATIENCE_MS)));

  // Every tag is idle when its master dies, so the worker must hear of what comes afterwards.
  const [victim] = cluster.masters as [RedisServer];
  const listeners = await countListeners([...cluster.masters, ...cluster.replicas]);
  expect(listeners).toBeGreaterThan(32);
  await victim.kill('SIGKILL');
  const killedAt = Date.now();
  // The promoted replica has no replica itself, so `replicated` refuses its tags. This looks at the others.
  const plain = await openStore({ redisUrl: cluster.url, role: 'producer' });
  await waitUntil(() => plain.redis.status === 'ready');
  const { commit: take } = createCommitter(plain, { deadlineMs: 30_000 });
  let acknowledged = 1;
  let firstAfterMs: number | undefined;
  // Through every tag of the lane, once all of them are served again.
  for (let inARow = 0; inARow < 32; ) {
    const callback = parseCallback(Buffer.from(JSON.stringify(sampleCallback('moText'))));
    const isTaken = await take(callback, new Date().toISOString()).then(
      () => true,
      () => false,
    );
    if (isTaken) acknowledged++;
    if (isTaken) firstAfterMs ??= Date.now() - killedAt;
    inARow = isTaken ? inARow + 1 : 0;
    if (Date.now() - killedAt > PATIENCE_MS) throw new Error('the Cluster did not come back');
    if (!isTaken) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const backAfterMs = Date.now() - killedAt;
  // The listener heard of it; it was not the sweep ten seconds later. Those of the dead master are at its successor.
  const [, ...alive] = cluster.masters;
  const servers = [...alive, ...cluster.replicas];
  await waitUntil(async () => (await countListeners(servers)) >= listeners, {
    timeoutMs: PATIENCE_MS,
    what: `${listeners} listeners`,
  });
  for (const destination of destinations) {
    await waitUntil(() => uniqueIds(destination.requests) >= acknowledged, {
      timeoutMs: PATIENCE_MS,
      what: 'every delivery',
    });
  }
  console.log(
    `Cluster, kill -9 of a master: first 2xx after ${firstAfterMs} ms, every tag after ${backAfterMs} ms; ${acknowledged} acknowledged, 0 lost at each of 12 destinations`,
  );
  await plain.close();
  await Promise.all(destinations.map((destination) => destination.close()));
});
