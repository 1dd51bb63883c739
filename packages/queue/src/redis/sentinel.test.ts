import { fairNow, type RedisSentinels, type RedisServer, startRedisSentinels, waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCommitter } from '../intake/commit.ts';
import type { CommittedCallback, IngestGroup } from '../intake/ingest-group.ts';
import { createDispatcher } from '../jobs/dispatcher.ts';
import { readDurability } from './durability.ts';
import { ingestQueue } from './names.ts';
import { rememberStore } from './remember-store.ts';
import { openStore, type Store } from './store.ts';

let sentinels: RedisSentinels;
let producer: Store;
let consumer: Store;
/** What it believes of its store, from before the failover on. */
let mindful: Store;
const losses: unknown[] = [];

beforeAll(async () => {
  // Two, because with `replicated` the one that takes over needs a replica as well.
  sentinels = await startRedisSentinels({ replicas: 2 });
  producer = await openStore({ redisUrl: sentinels.url, role: 'producer', durability: 'replicated' });
  consumer = await openStore({ redisUrl: sentinels.url, role: 'consumer' });
  mindful = await openStore({ redisUrl: sentinels.url, role: 'producer', memory: rememberStore('', () => {}) });
  await Promise.all([producer.ready(), consumer.ready(), mindful.ready()]);
  await mindful.identity.settle();
  mindful.identity.onChange((problem) => losses.push(problem));
});
afterAll(async () => {
  await Promise.all([producer?.close(), consumer?.close(), mindful?.close()]);
  await sentinels?.stop();
});

it('behind Sentinels, callbacks are taken again soon after the death of the primary, and none is lost', async () => {
  expect(await readDurability(producer, 'replicated')).toMatchObject({ ready: true, durability: 'always' });
  const seen = new Set<string>();
  const dispatcher = createDispatcher(consumer, { onError: () => {} });
  await dispatcher.add({
    queue: ingestQueue('messages'),
    room: () => 8,
    run: async ({ data }) => {
      const callbacks: readonly CommittedCallback[] = (data as IngestGroup).callbacks;
      for (const { text } of callbacks) seen.add(text);
      return { kind: 'done' };
    },
  });
  const { commit } = createCommitter(producer);
  const acknowledged: string[] = [];
  const attempt = async (text: string): Promise<boolean> => {
    try {
      await commit({ text, lane: 'messages' }, '2026-03-01T12:00:00.000Z');
      acknowledged.push(text);
      return true;
    } catch {
      return false;
    }
  };
  for (let n = 0; n < 200; n++) await attempt(`before ${n}`);
  const [primary] = sentinels.servers as [RedisServer];
  await primary.kill('SIGKILL');
  const killedAt = fairNow();
  let tries = 0;
  await waitUntil(() => attempt(`after ${tries++}`), { timeoutMs: 90_000 });
  const backAfterMs = Math.round(fairNow() - killedAt);
  for (let n = 0; n < 50; n++) await attempt(`then ${n}`);
  await waitUntil(() => acknowledged.every((text) => seen.has(text)));
  console.log(
    `Sentinel, kill -9 of the primary: 2xx after ${backAfterMs} ms, ${acknowledged.length} acknowledged, 0 lost`,
  );
  expect(acknowledged.length).toBeGreaterThan(100);
  // Seconds. Sentinels that were themselves held up for two trust their clocks again only half a minute later.
  expect(backAfterMs).toBeLessThan(60_000);
  await dispatcher.close(1_000);
});

it('a replica that has taken over holds the same store, and nobody believes that its data are lost', async () => {
  const { redis, identity } = mindful;
  await waitUntil(async () => /^role:master/m.test(await redis.info('replication')));
  expect(await redis.info('server')).not.toContain(`tcp_port:${sentinels.servers[0]?.port}\r`);
  await identity.look();
  expect(identity.expectedId).toMatch(/^str_/);
  expect([identity.found?.id, losses]).toEqual([identity.expectedId, []]);
});

it('a connection that ioredis gave up during a failover is made again, and one that was closed is not', async () => {
  const store = await openStore({ redisUrl: sentinels.url, role: 'consumer' });
  await store.ready();
  const { redis } = store;
  const connector = (redis as unknown as { connector: { disconnect(): void } }).connector;
  const ends: string[] = [];
  redis.on('end', () => ends.push(redis.status));
  // What its failover detector does when the Sentinels tell of a new primary.
  redis.once('connecting', () => connector.disconnect());
  redis.disconnect(true);
  await waitUntil(() => ends.length === 1);
  await waitUntil(() => redis.status === 'ready');
  expect(await redis.ping()).toBe('PONG');
  await store.close();
  await waitUntil(() => redis.status === 'end');
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(redis.status).toBe('end');
});
