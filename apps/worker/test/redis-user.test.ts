import { readFileSync } from 'node:fs';
import { deliveryId, parseCallback } from '@clickrelay/core';
import { createWorkerMetrics, Registry } from '@clickrelay/metrics';
import {
  createCommitter,
  createLeases,
  listEvents,
  openStore,
  putDestination,
  quarantineCallback,
  readDurability,
  readLedger,
  removeDestination,
  replayDelivery,
  type Store,
} from '@clickrelay/queue';
import { sampleCallback } from '@clickrelay/simulator';
import {
  type Destination,
  PERSON_KEY,
  type RedisServer,
  startDestination,
  startRedis,
  waitUntil,
} from '@clickrelay/testkit';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAdapters } from '../src/adapters.ts';
import { readConfig } from '../src/config.ts';
import { startWorker } from '../src/worker.ts';
import { SECRET } from './use-worker.ts';

/* The user of docs/operations.md, with exactly the permissions that the page gives it. */

const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
const [, line = ''] = /^redis-cli (ACL SETUSER clickrelay .*)$/m.exec(page) ?? [];
const rules = line.replaceAll("'", '').split(' ').slice(3);

let redis: RedisServer;
let admin: Store;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  redis = await startRedis();
  admin = await openStore({ redisUrl: redis.url, role: 'consumer' });
  await admin.ready();
});
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await admin.close();
  await redis.stop();
});

/** A store as that user. */
const openAs = async (name: string, role: 'producer' | 'consumer', permissions: readonly string[]): Promise<Store> => {
  await admin.redis.call('ACL', 'SETUSER', name, 'reset', ...permissions);
  const redisUrl = `redis://${name}:a-long-random-password@127.0.0.1:${redis.port}`;
  const store = await openStore({ redisUrl, role, personKey: PERSON_KEY });
  closing.push(() => store.close());
  return store;
};

describe('the Redis user of the documentation', () => {
  it('may receive, deliver, lease, replay and remove', async () => {
    expect(rules.length).toBeGreaterThan(5);
    const store = await openAs('clickrelay', 'consumer', rules);
    await store.ready();
    expect(await readDurability(store, 'always')).toMatchObject({ ready: true, problems: [] });
    const crm: Destination = await startDestination({ answer: 200 });
    closing.push(() => crm.close());
    const config = { url: `${crm.url}hook`, secret: SECRET, rate: '1000/s' };
    await putDestination(store, { id: 'crm', type: 'webhook', events: ['*'], paused: null, config });
    await putDestination(store, { id: 'bot', type: 'pull', events: ['*'], paused: null, config: {} });
    const errors: object[] = [];
    const log = pino({ level: 'error' }, { write: (text) => errors.push(JSON.parse(text)) });
    const worker = await startWorker({
      store,
      adapters: createAdapters({ egressAllow: ['127.0.0.0/8'], userAgent: 'Clickrelay/test' }),
      config: readConfig({ PERSON_KEY, RETRY_SCHEDULE: '0s,20ms' }),
      metrics: createWorkerMetrics(new Registry()),
      log,
    });
    closing.push(() => worker.stop(1_000));

    const receiver = await openAs('clickrelay', 'producer', rules);
    await receiver.ready();
    const committer = createCommitter(receiver, { deadlineMs: 30_000 });
    const callbacks = [sampleCallback('moText'), sampleCallback('messageStatusUpdate')];
    for (const callback of callbacks) {
      await committer.commit(parseCallback(Buffer.from(JSON.stringify(callback))), new Date().toISOString());
    }
    await quarantineCallback(receiver, {
      body: Buffer.from('{'),
      reason: 'not JSON',
      receivedAt: new Date().toISOString(),
    });
    await crm.waitFor(2);

    const api = await openAs('clickrelay', 'producer', rules);
    await api.ready();
    const leases = createLeases(api, { schedule: [0, 10], onError: (error) => errors.push({ error }) });
    closing.push(() => leases.close());
    const signal = new AbortController().signal;
    const answered = new Set<string>();
    while (answered.size < 2) {
      for (const lease of await leases.lease('bot', { max: 2, waitMs: 5_000, leaseMs: 30_000, signal })) {
        await leases.extend('bot', lease, 30_000);
        await leases.ack('bot', lease);
        answered.add(lease.deliveryId);
      }
    }
    const { items } = await listEvents(api, { limit: 10 });
    for (const { event } of items) expect(await replayDelivery(api, deliveryId(event.id, 'crm'))).toBe('replayed');
    await crm.waitFor(4);
    await waitUntil(async () => (await readLedger(api, {})).balanced);
    await removeDestination(api, 'bot');
    expect(errors).toEqual([]);
  });

  // What each is needed for first.
  it.each([
    ['+@read', 'get'],
    ['+@write', 'setnx'],
    ['+@scripting', 'eval'],
    ['+@connection', 'ping'],
    ['+@transaction', 'exec'],
    ['+info', 'info'],
    ['+time', 'time'],
  ])('is told what it lacks without %s', async (left, command) => {
    const store = await openAs(
      'poor',
      'producer',
      rules.filter((rule) => rule !== left),
    );
    const failed = async (): Promise<void> => {
      await store.ready();
      await readDurability(store, 'always');
      await store.clock.look();
      await store.redis.ping();
      await store.redis.multi().get('cr:{registry}:x').exec();
      await putDestination(store, { id: 'x', type: 'pull', events: ['*'], paused: null, config: {} });
    };
    const trouble = await Promise.race([
      failed().then(
        () => undefined,
        (error) => store.explain(error),
      ),
      waitUntil(() => store.explain()),
    ]);
    expect(trouble).toEqual({
      code: 'NOPERM',
      cause: `the Redis at 127.0.0.1:${redis.port} does not let this user do all that is needed (NOPERM: ${command})`,
      mend: 'give it the permissions of docs/operations.md#a-redis-user',
    });
  });
});
