import { type RedisServer, startRedis } from '@clickrelay/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keySlot } from './key-slot.ts';

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis({ args: ['--cluster-enabled', 'yes'] });
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

it('is the slot that Redis computes', async () => {
  for (const key of ['', 'a', '123456789', 'cr:{m00}:ingest:wait', 'cr:{d63}:x', '{}a', 'a{b', 'a}b{c}d{e}', '{é😀}']) {
    expect([key, keySlot(key)]).toEqual([key, await redis.cluster('KEYSLOT', key)]);
  }
});
