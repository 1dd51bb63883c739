import { startFaultProxy } from '@clickrelay/testkit';
import { expect, it } from 'vitest';
import { useLeases } from '../../test/use-leases.ts';
import { createLeases } from './leases.ts';

const { addDestination, addEvents, openStore, redis, take } = useLeases();

it('gives back all the others, and later this one, when Redis refuses one of them', async () => {
  const id = await addDestination();
  const count = 8;
  await addEvents(id, count);
  const proxy = await startFaultProxy(redis.port);
  const store = await openStore({ redisUrl: proxy.url });
  await store.ready();
  const errors: unknown[] = [];
  const leases = createLeases(store, { schedule: [0], onError: (error) => errors.push(error) });
  const taken = await take(id, { max: count, waitMs: 10_000, leaseMs: 600_000 }, leases);
  while (taken.length < count)
    taken.push(...(await take(id, { max: count, waitMs: 10_000, leaseMs: 600_000 }, leases)));

  // One lease is looked up with a GET of its lock.
  proxy.cutAt({ command: 3, moment: 'refused', names: ['GET'] });
  await leases.giveBack(id, taken);
  expect(errors).toHaveLength(1);
  const again: number[] = [];
  while (again.length < count) {
    const got = await take(id, { max: count, waitMs: 10_000 });
    if (got.length === 0) break;
    again.push(...got.map(({ attempt }) => attempt));
  }
  expect(again).toEqual(Array(count).fill(1));

  await leases.close();
  await store.close();
  await proxy.close();
});
