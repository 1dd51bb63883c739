import { fairNow, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { useLeases } from '../../test/use-leases.ts';
import { readDelivery } from '../deliveries/read-deliveries.ts';
import { pauseDestination, removeDestination, resumeDestination } from '../destinations/destinations.ts';
import type { Lease } from './waiter.ts';

const test = useLeases();
const { addDestination, addEvents, openLeases, store, take, takeOne, takeSome } = test;

describe('a consumer that waits', () => {
  it('gets what comes within tens of ms', async () => {
    const id = await addDestination();
    const delays: number[] = [];
    for (let n = 0; n < 5; n++) {
      const waiting = takeOne(id);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const addedAt = fairNow();
      await addEvents(id, 1);
      const lease = await waiting;
      delays.push(fairNow() - addedAt);
      await test.leases.ack(id, lease);
    }
    expect(Math.min(...delays)).toBeLessThan(500);
  });

  it('gets nothing when nothing comes, and no earlier than it said', async () => {
    const id = await addDestination();
    const since = performance.now();
    expect(await take(id, { waitMs: 300 })).toEqual([]);
    expect(performance.now() - since).toBeGreaterThan(290);
  });

  it('and goes away takes nothing', async () => {
    const id = await addDestination();
    const gone = new AbortController();
    const waiting = take(id, { waitMs: 20_000, signal: gone.signal });
    await new Promise((resolve) => setTimeout(resolve, 100));
    gone.abort();
    expect(await waiting).toEqual([]);
    await addEvents(id, 1);
    expect(await takeOne(id)).toMatchObject({ attempt: 1 });
  });

  it('and goes away in the moment of taking gives back, which counts as no attempt', async () => {
    const id = await addDestination();
    const count = 40;
    await addEvents(id, count);
    for (let n = 0; n < 60; n++) {
      const gone = new AbortController();
      const waiting = take(id, { max: 3, waitMs: 5_000, signal: gone.signal });
      setTimeout(() => gone.abort(), n % 6);
      const taken = await waiting;
      await test.leases.giveBack(id, taken);
    }
    const all = await takeSome(id, count);
    expect(await take(id)).toEqual([]);
    expect(new Set(all.map(({ deliveryId }) => deliveryId)).size).toBe(count);
    expect(all.map(({ attempt }) => attempt)).toEqual(Array(count).fill(1));
    expect((await readDelivery(store, all[0]?.deliveryId ?? ''))?.attempts).toEqual([]);
  });

  it('gets nothing while the destination is paused, and what waited when it is resumed', async () => {
    const id = await addDestination();
    await addEvents(id, 1);
    await pauseDestination(store, id, 'moving house');
    await waitUntil(async () => (await test.leases.destination(id)).paused !== null);
    expect(await take(id)).toEqual([]);
    const waiting = takeOne(id);
    await resumeDestination(store, id);
    await test.leases.ack(id, await waiting);
  });

  it('is told when the destination is removed', async () => {
    const id = await addDestination();
    const waiting = take(id, { waitMs: 20_000 });
    const refused = expect(waiting).rejects.toMatchObject({ code: 'destination_not_found' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await removeDestination(store, id);
    await refused;
  });

  it('costs one connection, however many wait', async () => {
    const other = await openLeases();
    const ids = await Promise.all(Array.from({ length: 10 }, addDestination));
    const connections = async () => Number(/connected_clients:(\d+)/.exec(await store.redis.info('clients'))?.[1]);
    const before = await connections();
    const gone = new AbortController();
    const waiting = ids.flatMap((id) =>
      Array.from({ length: 10 }, () => take(id, { waitMs: 20_000, signal: gone.signal }, other)),
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await connections()) - before).toBe(1);
    gone.abort();
    await Promise.all(waiting);
  });
});

describe('what is out', () => {
  it('is bounded: more is handed out when some of it is settled', async () => {
    const id = await addDestination();
    const few = await openLeases({ mostLeasesOut: 3 });
    await addEvents(id, 5);
    const taken: Lease[] = [];
    while (taken.length < 3) taken.push(...(await take(id, { max: 5, waitMs: 2_000 }, few)));
    expect(taken).toHaveLength(3);
    await expect(take(id, {}, few)).rejects.toMatchObject({ code: 'too_many_leases', status: 429 });
    await expect(take(id, { waitMs: 2_000 }, few)).rejects.toMatchObject({ code: 'too_many_leases' });
    const waiting = takeOne(id, {}, few);
    await few.ack(id, taken[0] as Lease);
    expect(await waiting).toMatchObject({ attempt: 1 });
  });
});
