import { type RedisServer, startRedis } from '@clickrelay/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore, type Store } from '../redis/store.ts';
import { openParties, PARTY } from './parties.ts';

let redis: RedisServer;
let store: Store;
beforeAll(async () => {
  redis = await startRedis();
  store = await openStore({ redisUrl: redis.url, role: 'producer' });
  await store.ready();
});
afterAll(async () => {
  await store.close();
  await redis.stop();
});

it('a number is one party however it is written, and two people are two', async () => {
  const partyOf = await openParties(store);
  const number = partyOf('27820000004');
  expect(number).toMatch(PARTY);
  for (const spelling of ['+27 82 000 0004', '0027820000004', '27-82-000-0004']) expect(partyOf(spelling)).toBe(number);
  const others = ['BR.1A2B3C', 'BR.1X2Y3Z', 'US.27820000004', 'ZA.1234567890abcdef', 'ZA.1234567890', '123', '12345'];
  expect(new Set([number, ...others.map(partyOf)]).size).toBe(others.length + 1);
  expect((await openParties(store))('27820000004')).toBe(number);
});
