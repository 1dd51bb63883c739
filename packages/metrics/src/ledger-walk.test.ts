import { openStore, readLedgerCheck, type Store } from '@clickrelay/queue';
import { type RedisServer, startRedis, waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLedgerWalk } from './ledger-walk.ts';

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

it('walks the ledger without being asked, for those who have no Prometheus', async () => {
  const walk = createLedgerWalk(store, 'test', { lookMs: 10 });
  await waitUntil(async () => (await readLedgerCheck(store)) !== undefined);
  await walk.stop();
  expect(await readLedgerCheck(store)).toMatchObject({ events: 0, unaccounted: {}, unaccountedBefore: {} });
});
