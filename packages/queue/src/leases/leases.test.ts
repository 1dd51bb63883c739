import { deliveryId } from '@clickrelay/core';
import { fairNow, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { useLeases } from '../../test/use-leases.ts';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { listDeadLetters } from '../deliveries/list-dead-letters.ts';
import { readDelivery } from '../deliveries/read-deliveries.ts';
import { replayDelivery } from '../deliveries/replay-delivery.ts';
import { putDestination } from '../destinations/destinations.ts';
import { JOB_FIELD, jobKey } from '../jobs/keys.ts';
import { destinationQueue } from '../redis/names.ts';
import type { Leases } from './leases.ts';
import { MOST_UNANSWERED } from './prepare-lease.ts';
import type { Lease } from './waiter.ts';

const test = useLeases();
const { addDestination, addEvents, openLeases, store, take, takeAny, takeOne, takeSome } = test;

const FAILED = { error: 'the workflow broke', retry: true };

describe('a lease', () => {
  it('hands out what waits, the oldest first, up to as many as asked for, and it is delivered when acked', async () => {
    const id = await addDestination();
    const events = await addEvents(id, 5);
    const taken = await takeSome(id, 4);
    expect(taken).toHaveLength(4);
    expect(taken.map(({ event }) => event)).toEqual(events.slice(0, 4));
    expect(taken.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
    for (const lease of taken) expect(await test.leases.ack(id, lease)).toEqual({ state: 'delivered' });
    expect(await readDelivery(store, deliveryId(events[0]?.event.id ?? '', id))).toMatchObject({
      state: 'delivered',
      attempts: [{ number: 1, outcome: 'delivered', error: null }],
    });
    expect((await takeOne(id, { max: 100 })).event).toEqual(events[4]);
    expect(await take(id)).toEqual([]);
  });

  it('is never given to two consumers, of whatever process', async () => {
    const id = await addDestination();
    const other = await openLeases();
    const events = await addEvents(id, 300);
    const taken: string[] = [];
    const consume = async (from: Leases): Promise<void> => {
      // One that is given twice takes the place of another.
      while (taken.length < events.length) {
        const got = await takeAny(id, { max: 7, waitMs: 500 }, from);
        taken.push(...got.map(({ deliveryId }) => deliveryId));
        await Promise.all(got.map((lease) => from.ack(id, lease)));
      }
    };
    await Promise.all([test.leases, other, test.leases, other, test.leases, other].map(consume));
    expect(taken.sort()).toEqual(events.map(({ event }) => deliveryId(event.id, id)).sort());
  });

  it('may be acked, nacked and extended through any process', async () => {
    const id = await addDestination();
    const other = await openLeases();
    await addEvents(id, 1);
    const lease = await takeOne(id);
    expect(Date.parse(await other.extend(id, lease, 60_000))).toBeGreaterThan(Date.parse(lease.endsAt));
    expect(await other.nack(id, lease, FAILED)).toMatchObject({ state: 'retrying' });
    await other.ack(id, await takeOne(id));
  });

  it('that ends comes back within two seconds, counts, and answers the late consumer with lease_lost', async () => {
    const id = await addDestination();
    const [event] = await addEvents(id, 1);
    const lost = await takeOne(id, { leaseMs: 1_000 });
    const since = fairNow();
    const again = await takeOne(id);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(lost.endsAt));
    expect(fairNow() - since).toBeLessThan(1_000 + 4_000);
    expect(again).toMatchObject({ deliveryId: lost.deliveryId, attempt: 2 });
    const refusal = { code: 'lease_lost', status: 409 };
    await expect(test.leases.ack(id, lost)).rejects.toMatchObject(refusal);
    await expect(test.leases.nack(id, lost, FAILED)).rejects.toMatchObject(refusal);
    await expect(test.leases.extend(id, lost, 5_000)).rejects.toMatchObject(refusal);
    await test.leases.ack(id, again);
    await expect(test.leases.ack(id, lost)).rejects.toMatchObject(refusal);
    expect((await readDelivery(store, deliveryId(event?.event.id ?? '', id)))?.attempts).toMatchObject([
      { number: 1, outcome: 'retry', error: { code: 'lease_expired' } },
      { number: 2, outcome: 'delivered' },
    ]);
  });

  it('that is extended stays', async () => {
    const id = await addDestination();
    await addEvents(id, 1);
    const lease = await takeOne(id, { leaseMs: 1_000 });
    await test.leases.extend(id, lease, 10_000);
    expect(await take(id, { waitMs: 3_000 })).toEqual([]);
    expect(await test.leases.ack(id, lease)).toEqual({ state: 'delivered' });
  });

  it('answers a repeated ack and a repeated nack as it did before', async () => {
    const id = await addDestination();
    await addEvents(id, 2);
    const [one, two] = (await takeSome(id, 2)) as [Lease, Lease];
    await test.leases.ack(id, one);
    expect(await test.leases.ack(id, one)).toEqual({ state: 'delivered' });
    await expect(test.leases.nack(id, one, FAILED)).rejects.toMatchObject({ code: 'lease_lost' });
    const first = await test.leases.nack(id, two, FAILED);
    const second = await test.leases.nack(id, two, FAILED);
    expect(second.state).toBe('retrying');
    expect(first.state).toBe('retrying');
    await expect(test.leases.ack(id, two)).rejects.toMatchObject({ code: 'lease_lost' });
  });

  it('does nothing at another destination, and a token of another delivery does nothing here', async () => {
    const [a, b] = [await addDestination(), await addDestination()];
    const events = await addEvents(a, 2);
    await enqueueDeliveries(store, b, [{ eventId: events[0]?.event.id ?? '' }]);
    const [one, two] = (await takeSome(a, 2)) as [Lease, Lease];
    const ofB = await takeOne(b);
    await expect(test.leases.ack(b, one)).rejects.toMatchObject({ code: 'delivery_not_found', status: 404 });
    await expect(test.leases.ack(b, { ...ofB, token: one.token })).rejects.toMatchObject({ code: 'lease_lost' });
    await expect(test.leases.ack(a, { ...one, token: two.token })).rejects.toMatchObject({ code: 'lease_lost' });
    for (const [id, lease] of [
      [a, one],
      [a, two],
      [b, ofB],
    ] as const) {
      expect(await test.leases.ack(id, lease)).toEqual({ state: 'delivered' });
    }
  });

  it('of nothing that is known is not found', async () => {
    const id = await addDestination();
    const unknown = { deliveryId: `dlv_${id}_aaaaaaaaaaaaaaaaaaaaaa`, token: 'none' };
    await expect(test.leases.ack(id, unknown)).rejects.toMatchObject({ code: 'delivery_not_found' });
    await expect(test.leases.ack('no-such', unknown)).rejects.toMatchObject({
      code: 'destination_not_found',
      status: 404,
    });
    await expect(take('no-such')).rejects.toMatchObject({ code: 'destination_not_found' });
  });

  it('is for pull destinations', async () => {
    await putDestination(store, { id: 'crm', type: 'webhook', events: ['*'], paused: null, config: {} });
    await expect(take('crm')).rejects.toMatchObject({ code: 'not_a_pull_destination', status: 409 });
  });
});

describe('a delivery that is nacked', () => {
  it('comes back by the schedule, then is a dead letter with the reason, and can be replayed', async () => {
    const id = await addDestination();
    const [event] = await addEvents(id, 1);
    const delivery = deliveryId(event?.event.id ?? '', id);
    for (const attempt of [1, 2, 3]) {
      const lease = await takeOne(id);
      expect(lease.attempt).toBe(attempt);
      const nacked = await test.leases.nack(id, lease, { error: `broke for the ${attempt}. time`, retry: true });
      expect(nacked.state).toBe(attempt < 3 ? 'retrying' : 'dead_letter');
    }
    expect((await listDeadLetters(store, { limit: 10, destinationId: id })).items).toMatchObject([
      { deliveryId: delivery, attempts: 3, error: 'broke for the 3. time' },
    ]);
    expect((await readDelivery(store, delivery))?.attempts[0]).toMatchObject({
      outcome: 'retry',
      error: { code: 'nacked', message: 'broke for the 1. time' },
    });
    expect(await take(id)).toEqual([]);
    expect(await replayDelivery(store, delivery)).toBe('replayed');
    const replayed = await takeOne(id);
    expect(replayed).toMatchObject({ deliveryId: delivery, attempt: 1 });
    await test.leases.ack(id, replayed);
    expect(await replayDelivery(store, delivery)).toBe('replayed');
    await test.leases.ack(id, await takeOne(id));
    expect((await readDelivery(store, delivery))?.state).toBe('delivered');
  });

  it('comes back by the schedule of its destination when that has one', async () => {
    const id = await addDestination({ retrySchedule: '0s' });
    await addEvents(id, 1);
    expect(await test.leases.nack(id, await takeOne(id), { error: 'broke', retry: true })).toEqual({
      state: 'dead_letter',
    });
  });

  it('and must not be tried again is a dead letter at once', async () => {
    const id = await addDestination();
    await addEvents(id, 1);
    expect(await test.leases.nack(id, await takeOne(id), { error: 'no such customer', retry: false })).toEqual({
      state: 'dead_letter',
    });
  });

  it('wakes a consumer that waits, when it is due', async () => {
    const id = await addDestination();
    await addEvents(id, 1);
    const slow = await openLeases({ schedule: [0, 1_000] });
    const nacked = await slow.nack(id, await takeOne(id), FAILED);
    if (nacked.state !== 'retrying') throw new Error('it should come back');
    const since = fairNow();
    await takeOne(id);
    expect(Date.now() - Date.parse(nacked.nextAttemptAt)).toBeGreaterThan(-20);
    // Less than what a consumer that is woken by nobody waits.
    expect(fairNow() - since).toBeLessThan(1_000 + 3_000);
  });

  it('and whose consumers never answer is a dead letter in the end', async () => {
    const id = await addDestination();
    const [event] = await addEvents(id, 1);
    const queue = destinationQueue(id);
    await takeOne(id, { leaseMs: 1_000 });
    // The next one to end unanswered is the last.
    await store.redis.hset(jobKey(queue, event?.event.id ?? ''), JOB_FIELD.stalledCount, MOST_UNANSWERED - 1);
    const waiting = take(id, { waitMs: 10_000 });
    await waitUntil(async () => (await listDeadLetters(store, { limit: 10, destinationId: id })).items.length === 1);
    const { items } = await listDeadLetters(store, { limit: 10, destinationId: id });
    expect(items).toMatchObject([{ error: expect.stringContaining('crash'), attempts: 1 }]);
    // A replay begins anew.
    await replayDelivery(store, items[0]?.deliveryId ?? '');
    expect(await waiting).toMatchObject([{ attempt: 1 }]);
  });
});
