import { deliveryId } from '@clickrelay/core';
import {
  type CutMoment,
  type RedisCluster,
  type RedisServer,
  startFaultProxy,
  startRedis,
  startRedisCluster,
  waitUntil,
} from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newConversations } from '../../test/sample-events.ts';
import { putDestination } from '../destinations/destinations.ts';
import { createLeases } from '../leases/leases.ts';
import { readLedger } from '../ledger/ledger.ts';
import { createEventLog } from '../log/append.ts';
import { openStore, type Store } from '../redis/store.ts';
import { createReplay, readReplay } from '../replays/replays.ts';
import { startReplays } from '../replays/run-replays.ts';
import { createAttemptLog } from './attempt-log.ts';
import { enqueueDeliveries } from './enqueue-deliveries.ts';
import { listDeliveries } from './read-deliveries.ts';
import { replayDelivery } from './replay-delivery.ts';
import { listFailedAgain, readReplayCounts } from './replay-outcomes.ts';

let redis: RedisServer;
let cluster: RedisCluster;
let store: Store;

beforeAll(async () => {
  [redis, cluster] = await Promise.all([
    startRedis(),
    startRedisCluster({ withReplicas: false, nodeTimeoutMs: 15_000 }),
  ]);
});
afterAll(() => Promise.all([redis.stop(), cluster.stop()]));

const open = async (url: string): Promise<void> => {
  store = await openStore({ redisUrl: url, role: 'producer' });
  await store.ready();
  await Promise.all(store.servers().map((server) => server.flushall()));
};
beforeEach(() => open(redis.url));
afterEach(() => store.close());

const REPLAY = 'rpl_0123456789abcdef';

/** In the log and routed, each a delivery to the pull destination `bot`. */
const logForBot = async (count: number): Promise<string[]> => {
  await putDestination(store, { id: 'bot', type: 'pull', events: ['*'], paused: null, config: {} });
  const events = newConversations(count);
  await createEventLog(store, { dedupeTtlMs: 60_000 }).append('m1', events, Date.now());
  return events.map(({ event }) => event.id);
};

const attemptOf = (eventId: string, kind: 'delivered' | 'dead_letter', startedAtMs: number) => ({
  eventId,
  destinationId: 'bot',
  startedAtMs,
  durationMs: 1,
  outcome: { kind } as const,
  status: 200,
  error: undefined,
  response: '',
});

describe('what became of a delivery that a replay of many sent', () => {
  it('is counted once, however often it is written down, and as it was last', async () => {
    const [eventId = ''] = await logForBot(1);
    const attempts = createAttemptLog(store, { lingerMs: 0 });
    await attempts.record(attemptOf(eventId, 'dead_letter', 1));
    const id = deliveryId(eventId, 'bot');
    for (let time = 0; time < 3; time++) expect(await replayDelivery(store, id, REPLAY)).toBe('replayed');
    expect(await readReplayCounts(store, REPLAY)).toEqual({ replayed: 1, delivered: 0, failed: 0 });
    const end = (kind: 'delivered' | 'dead_letter', at: number) =>
      attempts.record({ ...attemptOf(eventId, kind, at), replayId: REPLAY });
    for (let time = 0; time < 3; time++) await end('dead_letter', 2);
    expect(await readReplayCounts(store, REPLAY)).toEqual({ replayed: 1, delivered: 0, failed: 1 });
    expect((await listFailedAgain(store, REPLAY, { limit: 9 })).items).toEqual([id]);
    // Its worker died before it put the job away, and another one was luckier.
    for (let time = 0; time < 3; time++) await end('delivered', 3);
    expect(await readReplayCounts(store, REPLAY)).toEqual({ replayed: 1, delivered: 1, failed: 0 });
    expect((await listFailedAgain(store, REPLAY, { limit: 9 })).items).toEqual([]);
    // Nobody takes the mark for a delivery or an attempt.
    const [delivery, ...others] = await listDeliveries(store, eventId);
    expect([delivery?.state, delivery?.attempts.length, others]).toEqual(['delivered', 3, []]);
    expect((await readLedger(store)).destinations).toMatchObject([{ id: 'bot', accepted: 1, delivered: 1 }]);
  });

  it('is of no replay that is forgotten by then', async () => {
    const [eventId = ''] = await logForBot(1);
    const attempts = createAttemptLog(store, { lingerMs: 0 });
    await attempts.record({ ...attemptOf(eventId, 'delivered', 1), replayId: REPLAY });
    expect(await readReplayCounts(store, REPLAY)).toEqual({ replayed: 0, delivered: 0, failed: 0 });
    expect(await store.redis.keys('*:replay:*')).toEqual([]);
  });

  it.each(['one Redis', 'a Redis Cluster'])('is heard of consumers that ack and nack, on %s', async (where) => {
    if (where !== 'one Redis') {
      await store.close();
      await open(cluster.url);
    }
    const eventIds = await logForBot(8);
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const leases = createLeases(store, { schedule: [0, 0], onError });
    const lease = async (max: number) => {
      const taken: Awaited<ReturnType<typeof leases.lease>> = [];
      while (taken.length < max) {
        const signal = new AbortController().signal;
        const wanted = { max: max - taken.length, waitMs: 5_000, leaseMs: 60_000, signal };
        taken.push(...(await leases.lease('bot', wanted)));
      }
      return taken;
    };
    const nack = { error: 'no', retry: false };
    await enqueueDeliveries(
      store,
      'bot',
      eventIds.map((eventId) => ({ eventId })),
    );
    for (const one of await lease(8)) await leases.nack('bot', one, nack);
    const runner = startReplays(store, { onError });
    const selection = { state: 'dead_letter' } as const;
    const made = await createReplay(store, { selection, rate: null, by: 'test' }, Date.now() + 1);
    expect(made.matched).toBe(8);
    const again = await lease(8);
    const failed = again.slice(0, 3).map((one) => one.deliveryId);
    for (const [at, one] of again.entries()) {
      // One of them only at its second attempt.
      if (at === 7) await leases.nack('bot', one, { error: 'later', retry: true });
      else await (at < 3 ? leases.nack('bot', one, nack) : leases.ack('bot', one));
    }
    for (const one of await lease(1)) await leases.ack('bot', one);
    await waitUntil(async () => (await readReplay(store, made.id))?.state === 'done', { timeoutMs: 20_000 });
    expect(await readReplay(store, made.id)).toMatchObject({ replayed: 8, delivered: 5, failed: 3, skipped: 0 });
    expect((await listFailedAgain(store, made.id, { limit: 9 })).items.sort()).toEqual(failed.sort());
    await runner.stop();
    await leases.close();
    expect(errors).toEqual([]);
  });

  it.each<CutMoment>(['before', 'inside', 'after'])(
    'is exact when the worker that sends was cut off %s any of its commands',
    async (moment) => {
      const proxy = await startFaultProxy(redis.port);
      for (let command = 1, happened = true; happened; command++) {
        await store.redis.flushall();
        const eventIds = await logForBot(2);
        const attempts = createAttemptLog(store, { lingerMs: 0 });
        for (const eventId of eventIds) await attempts.record(attemptOf(eventId, 'delivered', 1));
        const selection = { state: 'delivered' } as const;
        const { id } = await createReplay(store, { selection, rate: null, by: 'test' }, Date.now() + 1);
        const sender = await openStore({ redisUrl: proxy.url, role: 'producer' });
        await sender.ready();
        const cut = proxy.cutAt({ command, moment, refuse: true });
        for (const eventId of eventIds) await replayDelivery(sender, deliveryId(eventId, 'bot'), id).catch(() => {});
        happened = cut.happened;
        proxy.heal();
        await sender.close();
        // Another one carries it out from the beginning: how far the first one was is written nowhere.
        const runner = startReplays(store, { onError: () => {} });
        await waitUntil(async () => (await readReplay(store, id))?.state === 'done', { timeoutMs: 20_000 });
        await runner.stop();
        const leases = createLeases(store, { schedule: [0], onError: () => {} });
        const { signal } = new AbortController();
        const acked = new Set<string>();
        while (acked.size < 2) {
          for (const one of await leases.lease('bot', { max: 2, waitMs: 5_000, leaseMs: 60_000, signal })) {
            await leases.ack('bot', one);
            acked.add(one.deliveryId);
          }
        }
        await leases.close();
        const told = { replayed: 2, delivered: 2, failed: 0, skipped: 0 };
        expect([command, await readReplay(store, id)]).toMatchObject([command, told]);
      }
      await proxy.close();
    },
  );
});
