import { QueueUnavailableError } from '@clickrelay/core';
import { freePort } from '@clickrelay/service/machine';
import { type RedisServer, startRedis, waitUntil } from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addJobs } from '../jobs/add-jobs.ts';
import { LayoutMismatchError } from './errors.ts';
import { destinationQueue, eventKeys, ingestQueue, messageIndexKey, shardKeys } from './names.ts';
import { openStore, type Store } from './store.ts';

let redis: RedisServer;
const stores: Store[] = [];

const open = async (redisUrl: string, role: 'producer' | 'consumer' = 'consumer'): Promise<Store> => {
  const store = await openStore({ redisUrl, role });
  stores.push(store);
  return store;
};

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  const store = await open(redis.url);
  await store.redis.flushall();
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

describe('the layout of the data', () => {
  it('is written into an empty Redis, and accepted ever after', async () => {
    await (await open(redis.url)).ready();
    const store = await open(redis.url, 'producer');
    await store.ready();
    expect(await store.redis.get('cr:{registry}:layout')).toBe('{"version":1,"shards":64}');
  });

  it.each(['{"version":0,"shards":64}', '{"version":2,"shards":64}', '{"version":1,"shards":128}', ''])(
    'is refused when it is %j',
    async (theirs) => {
      const store = await open(redis.url);
      await store.redis.set('cr:{registry}:layout', theirs);
      const refusal = store.ready();
      await expect(refusal).rejects.toThrow(LayoutMismatchError);
      await expect(refusal).rejects.toThrow(
        `the data in this Redis have layout ${theirs}, this version of Clickrelay reads {"version":1,"shards":64}; ` +
          'use the version that wrote them, or another database',
      );
      expect(await store.redis.get('cr:{registry}:layout')).toBe(theirs);
    },
  );

  it('is looked at again after a refusal', async () => {
    const store = await open(redis.url);
    await store.redis.set('cr:{registry}:layout', 'other');
    await expect(store.ready()).rejects.toThrow(LayoutMismatchError);
    await store.redis.del('cr:{registry}:layout');
    await store.ready();
  });

  it('keeps what changes together under one hash tag, out of a fixed set', () => {
    const id = 'evt_BAAAAAAAAAAAAAAAAAAAAA';
    expect(eventKeys(id)).toEqual({
      prefix: 'cr:{e01}',
      record: `cr:{e01}:${id}`,
      deliveries: `cr:{e01}:${id}:d`,
      repeats: `cr:{e01}:${id}:r`,
      seen: 'cr:{e01}:seen:A:',
    });
    for (const key of Object.values(shardKeys(1))) expect(key).toMatch(/^cr:\{e01\}/);
    expect(messageIndexKey('BxyAA')).toBe('cr:{e01}:m:xy');
    expect(shardKeys(63).log).toBe('cr:{e63}:log');
    expect(ingestQueue('messages')).toEqual({ prefix: 'cr:{m00}', name: 'ingest' });
    expect(ingestQueue('statuses', 15)).toEqual({ prefix: 'cr:{s15}', name: 'ingest' });
    expect(destinationQueue('crm')).toEqual({ prefix: 'cr:{d18}', name: 'crm' });
    const tags = new Set(Array.from({ length: 5_000 }, (_, index) => destinationQueue(`crm-${index}`).prefix));
    expect([...tags].sort()).toEqual(Array.from({ length: 64 }, (_, n) => `cr:{d${String(n).padStart(2, '0')}}`));
  });
});

describe('a store', () => {
  it('opens while Redis is down, says so, and is ready when Redis comes', async () => {
    const port = await freePort();
    const store = await open(`redis://127.0.0.1:${port}`, 'producer');
    expect(() => store.assertConnected()).toThrow(QueueUnavailableError);
    let isReady = false;
    const ready = store.ready().then(() => {
      isReady = true;
    });
    await waitUntil(() => store.redis.status === 'reconnecting');
    expect(isReady).toBe(false);
    const late = await startRedis({ port });
    try {
      await ready;
      store.assertConnected();
    } finally {
      await store.close();
      await late.stop();
    }
  });

  it('closes while Redis is down', async () => {
    const other = await startRedis();
    for (const role of ['producer', 'consumer'] as const) {
      const store = await open(other.url, role);
      await store.ready();
      await addJobs(store, ingestQueue('messages'), [{ data: 1 }]);
      if (role === 'consumer') store.taker(ingestQueue('messages'));
      await other.kill('SIGKILL');
      await waitUntil(() => store.redis.status !== 'ready');
      await store.close();
      await other.restart();
    }
    await other.stop();
  });

  it('leaves no connection behind when it is closed', async () => {
    const [watching] = stores as [Store];
    const count = async (): Promise<number> =>
      (String(await watching.redis.client('LIST')).match(/^id=/gm) ?? []).length;
    await watching.redis.ping();
    const before = await count();
    const store = await openStore({ redisUrl: redis.url, role: 'consumer' });
    await store.ready();
    await addJobs(store, ingestQueue('messages'), [{ data: 1 }]);
    store.taker(ingestQueue('messages'));
    store.taker(destinationQueue('crm'));
    expect(await count()).toBe(before + 1);
    await store.close();
    await waitUntil(async () => (await count()) === before);
  });

  it('hands out the same queue and the same taker each time', () => {
    const [store] = stores as [Store];
    expect(store.queue(destinationQueue('crm'))).toBe(store.queue(destinationQueue('crm')));
    expect(store.taker(destinationQueue('crm'))).toBe(store.taker(destinationQueue('crm')));
    expect(store.queue(ingestQueue('messages'))).not.toBe(store.queue(ingestQueue('statuses')));
  });
});
