import { deliveryId, type LoggedEvent, splitCallback } from '@clickrelay/core';
import { fairNow, type RedisServer, startRedis, waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newEvent, newEvents } from '../../test/sample-events.ts';
import { listDeadLetters, replayDelivery } from '../deliveries/dead-letters.ts';
import { enqueueDeliveries, readDelivery } from '../deliveries/deliveries.ts';
import { createOrdering } from '../deliveries/ordering.ts';
import { type Peeked, peekRecent, peekWaiting } from '../deliveries/peek.ts';
import {
  pauseDestination,
  putDestination,
  removeDestination,
  resumeDestination,
} from '../destinations/destinations.ts';
import { jobKey } from '../jobs/keys.ts';
import { createEventLog } from '../log/append.ts';
import { destinationQueue } from '../redis/names.ts';
import { openStore, type Store } from '../redis/store.ts';
import { createLeases, type Lease, type LeaseOptions, type Leases, MOST_UNANSWERED } from './leases.ts';

let redis: RedisServer;
let store: Store;
let leases: Leases;
const closing: (() => Promise<unknown>)[] = [];

/** As another process of the API would have it. */
const openLeases = async (options: { schedule?: number[]; mostLeasesOut?: number } = {}) => {
  const own = await openStore({ redisUrl: redis.url, role: 'producer' });
  await own.ready();
  const opened = createLeases(own, { schedule: [0, 300, 300], onError: () => {}, ...options });
  closing.push(async () => {
    await opened.close();
    await own.close();
  });
  return opened;
};

beforeAll(async () => {
  redis = await startRedis();
  store = await openStore({ redisUrl: redis.url, role: 'producer' });
  await store.ready();
  leases = await openLeases();
});
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
  await store.close();
  await redis.stop();
});

let destinations = 0;
const addDestination = async (config: Record<string, unknown> = {}): Promise<string> => {
  const id = `bot-${++destinations}`;
  await putDestination(store, { id, type: 'pull', events: ['*'], paused: null, config });
  return id;
};

/** Events that are owed to this destination. */
const addEvents = async (id: string, count: number): Promise<LoggedEvent[]> => {
  const events = newEvents(count);
  await createEventLog(store, { dedupeTtlMs: 60_000 }).append(`test-${events[0]?.event.id}`, events, Date.now());
  await enqueueDeliveries(
    store,
    id,
    events.map(({ event }) => ({ eventId: event.id })),
  );
  return events;
};

const take = (id: string, options: Partial<LeaseOptions> = {}, from = leases): Promise<Lease[]> =>
  from.lease(id, { max: 1, waitMs: 0, leaseMs: 30_000, signal: new AbortController().signal, ...options });

const takeOne = async (id: string, options: Partial<LeaseOptions> = {}, from = leases): Promise<Lease> => {
  const [lease] = await take(id, { waitMs: 25_000, ...options }, from);
  if (lease === undefined) throw new Error('nothing came');
  return lease;
};

/** So many, in as many takes as it needs: what comes later than some tens of ms after the first waits for the next. */
const takeSome = async (id: string, count: number): Promise<Lease[]> => {
  const taken: Lease[] = [];
  while (taken.length < count) {
    const got = await take(id, { max: count - taken.length, waitMs: 20_000 });
    if (got.length === 0) throw new Error(`${taken.length} of ${count} came`);
    taken.push(...got);
  }
  return taken;
};

const peek = async (id: string, limit: number): Promise<Peeked[]> =>
  peekWaiting(store, await leases.destination(id), limit);

const FAILED = { error: 'the workflow broke', retry: true };

describe('a lease', () => {
  it('hands out what waits, the oldest first, up to as many as asked for, and it is delivered when acked', async () => {
    const id = await addDestination();
    const events = await addEvents(id, 5);
    const taken = await takeSome(id, 4);
    expect(taken).toHaveLength(4);
    expect(taken.map(({ event }) => event)).toEqual(events.slice(0, 4));
    expect(taken.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
    for (const lease of taken) expect(await leases.ack(id, lease)).toEqual({ state: 'delivered' });
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
        const got = await take(id, { max: 7, waitMs: 500 }, from);
        taken.push(...got.map(({ deliveryId }) => deliveryId));
        await Promise.all(got.map((lease) => from.ack(id, lease)));
      }
    };
    await Promise.all([leases, other, leases, other, leases, other].map(consume));
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
    await expect(leases.ack(id, lost)).rejects.toMatchObject(refusal);
    await expect(leases.nack(id, lost, FAILED)).rejects.toMatchObject(refusal);
    await expect(leases.extend(id, lost, 5_000)).rejects.toMatchObject(refusal);
    await leases.ack(id, again);
    await expect(leases.ack(id, lost)).rejects.toMatchObject(refusal);
    expect((await readDelivery(store, deliveryId(event?.event.id ?? '', id)))?.attempts).toMatchObject([
      { number: 1, outcome: 'retry', error: { code: 'lease_expired' } },
      { number: 2, outcome: 'delivered' },
    ]);
  });

  it('that is extended stays', async () => {
    const id = await addDestination();
    await addEvents(id, 1);
    const lease = await takeOne(id, { leaseMs: 1_000 });
    await leases.extend(id, lease, 10_000);
    expect(await take(id, { waitMs: 3_000 })).toEqual([]);
    expect(await leases.ack(id, lease)).toEqual({ state: 'delivered' });
  });

  it('answers a repeated ack and a repeated nack as it did before', async () => {
    const id = await addDestination();
    await addEvents(id, 2);
    const [one, two] = (await takeSome(id, 2)) as [Lease, Lease];
    await leases.ack(id, one);
    expect(await leases.ack(id, one)).toEqual({ state: 'delivered' });
    await expect(leases.nack(id, one, FAILED)).rejects.toMatchObject({ code: 'lease_lost' });
    const first = await leases.nack(id, two, FAILED);
    const second = await leases.nack(id, two, FAILED);
    expect(second.state).toBe('retrying');
    expect(first.state).toBe('retrying');
    await expect(leases.ack(id, two)).rejects.toMatchObject({ code: 'lease_lost' });
  });

  it('does nothing at another destination, and a token of another delivery does nothing here', async () => {
    const [a, b] = [await addDestination(), await addDestination()];
    const events = await addEvents(a, 2);
    await enqueueDeliveries(store, b, [{ eventId: events[0]?.event.id ?? '' }]);
    const [one, two] = (await takeSome(a, 2)) as [Lease, Lease];
    const ofB = await takeOne(b);
    await expect(leases.ack(b, one)).rejects.toMatchObject({ code: 'delivery_not_found', status: 404 });
    await expect(leases.ack(b, { ...ofB, token: one.token })).rejects.toMatchObject({ code: 'lease_lost' });
    await expect(leases.ack(a, { ...one, token: two.token })).rejects.toMatchObject({ code: 'lease_lost' });
    for (const [id, lease] of [
      [a, one],
      [a, two],
      [b, ofB],
    ] as const) {
      expect(await leases.ack(id, lease)).toEqual({ state: 'delivered' });
    }
  });

  it('of nothing that is known is not found', async () => {
    const id = await addDestination();
    const unknown = { deliveryId: `dlv_${id}_aaaaaaaaaaaaaaaaaaaaaa`, token: 'none' };
    await expect(leases.ack(id, unknown)).rejects.toMatchObject({ code: 'delivery_not_found' });
    await expect(leases.ack('no-such', unknown)).rejects.toMatchObject({ code: 'destination_not_found', status: 404 });
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
      const nacked = await leases.nack(id, lease, { error: `broke for the ${attempt}. time`, retry: true });
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
    await leases.ack(id, replayed);
    expect(await replayDelivery(store, delivery)).toBe('replayed');
    await leases.ack(id, await takeOne(id));
    expect((await readDelivery(store, delivery))?.state).toBe('delivered');
  });

  it('comes back by the schedule of its destination when that has one', async () => {
    const id = await addDestination({ retrySchedule: '0s' });
    await addEvents(id, 1);
    expect(await leases.nack(id, await takeOne(id), { error: 'broke', retry: true })).toEqual({ state: 'dead_letter' });
  });

  it('and must not be tried again is a dead letter at once', async () => {
    const id = await addDestination();
    await addEvents(id, 1);
    expect(await leases.nack(id, await takeOne(id), { error: 'no such customer', retry: false })).toEqual({
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
    await store.redis.hset(jobKey(queue, event?.event.id ?? ''), 'stc', MOST_UNANSWERED - 1);
    const waiting = take(id, { waitMs: 10_000 });
    await waitUntil(async () => (await listDeadLetters(store, { limit: 10, destinationId: id })).items.length === 1);
    const { items } = await listDeadLetters(store, { limit: 10, destinationId: id });
    expect(items).toMatchObject([{ error: expect.stringContaining('crash'), attempts: 1 }]);
    // A replay begins anew.
    await replayDelivery(store, items[0]?.deliveryId ?? '');
    expect(await waiting).toMatchObject([{ attempt: 1 }]);
  });
});

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
      await leases.ack(id, lease);
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
      await leases.giveBack(id, taken);
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
    await waitUntil(async () => (await leases.destination(id)).paused !== null);
    expect(await take(id)).toEqual([]);
    const waiting = takeOne(id);
    await resumeDestination(store, id);
    await leases.ack(id, await waiting);
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

describe('a destination with a rate', () => {
  const takeAll = async (id: string, count: number, by: Leases[]): Promise<{ at: number; times: number[] }> => {
    const since = performance.now();
    const times: number[] = [];
    const consume = async (from: Leases): Promise<void> => {
      while (times.length < count) {
        for (const lease of await take(id, { max: 10, waitMs: 300 }, from)) {
          times.push(performance.now() - since);
          await from.ack(id, lease);
        }
      }
    };
    await Promise.all(by.map(consume));
    return { at: performance.now() - since, times };
  };

  it('hands out no more than that, by all processes together, and everything in the end', async () => {
    const id = await addDestination({ rate: '20/s' });
    const events = await addEvents(id, 40);
    const { at, times } = await takeAll(id, 40, [leases, await openLeases(), leases]);
    expect(times).toHaveLength(events.length);
    // Two in each tenth of a second; the first come at once.
    expect(at).toBeGreaterThan(1_800);
  });

  it('answers whoever only looks at once when its rate is used up', async () => {
    const id = await addDestination({ rate: '1/h' });
    await addEvents(id, 3);
    await takeOne(id);
    const since = fairNow();
    expect(await take(id)).toEqual([]);
    expect(await take(id)).toEqual([]);
    expect(fairNow() - since).toBeLessThan(2_000);
    expect(await take(id, { waitMs: 300 })).toEqual([]);
  });

  it('obeys another rate as soon as it has one', async () => {
    const id = await addDestination({ rate: '1/h' });
    await addEvents(id, 3);
    await takeOne(id);
    const waiting = takeOne(id);
    await putDestination(store, { id, type: 'pull', events: ['*'], paused: null, config: {} });
    expect(await waiting).toMatchObject({ attempt: 1 });
  });

  it('does not count what it did not hand out', async () => {
    const id = await addDestination({ ordering: 'conversation' });
    const events = newEvents(6);
    const other = newEvent('moText', { from: '27832' });
    await createEventLog(store, { dedupeTtlMs: 60_000 }).append(id, [...events, other], Date.now());
    await createOrdering(store, id).join([...events, other].map(({ event }) => event));
    await enqueueDeliveries(
      store,
      id,
      [...events, other].map(({ event }) => ({ eventId: event.id })),
    );
    expect((await takeOne(id)).event).toEqual(events[0]);
    const config = { rate: '1/h', ordering: 'conversation' };
    await putDestination(store, { id, type: 'pull', events: ['*'], paused: null, config });
    await waitUntil(async () => (await leases.destination(id)).config['rate'] === '1/h');
    // Five of the same conversation lie before it.
    expect((await takeOne(id)).event).toEqual(other);
    await addEvents(id, 1);
    expect(await take(id)).toEqual([]);
  });
});

describe('a peek', () => {
  it('shows what waits, the oldest first, and takes nothing', async () => {
    const id = await addDestination();
    const events = await addEvents(id, 3);
    const shown = await peek(id, 2);
    expect(shown.map(({ event }) => event)).toEqual(events.slice(0, 2));
    expect(shown[0]).toMatchObject({ attempt: 1, deliveryId: deliveryId(events[0]?.event.id ?? '', id) });
    expect(await takeSome(id, 3)).toHaveLength(3);
    expect(await peek(id, 2)).toEqual([]);
  });

  it('shows messages before the statuses that came earlier, as they are leased', async () => {
    const id = await addDestination();
    const [status] = newEvents(1, 'messageStatusUpdate') as [LoggedEvent];
    await createEventLog(store, { dedupeTtlMs: 60_000 }).append('status', [status], Date.now());
    await enqueueDeliveries(store, id, [{ eventId: status.event.id, isSecond: true }]);
    const [message] = (await addEvents(id, 1)) as [LoggedEvent];
    const shown = (await peek(id, 5)).map(({ event }) => event.event.id);
    expect(shown).toEqual([message.event.id, status.event.id]);
    const first = await takeOne(id);
    expect(first.event).toEqual(message);
    await leases.giveBack(id, [await takeOne(id)]);
    expect((await takeOne(id)).event).toEqual(status);
  });

  it('finds the newest in the log that the destination would want', async () => {
    const id = await addDestination();
    const [one, two] = await addEvents(id, 2);
    const destination = { ...(await leases.destination(id)), events: ['moText'] };
    const [newest] = await peekRecent(store, destination, 1);
    expect([one?.event.id, two?.event.id]).toContain(newest?.event.event.id);
    expect(await peekRecent(store, { ...destination, events: ['moMedia'] }, 1)).toEqual([]);
  });
});

describe('large events', () => {
  it('are handed out and shown as many at a time as an answer may hold, and all in the end', async () => {
    const id = await addDestination();
    const content = 'A'.repeat(6 * 1024 * 1024);
    const events = [1, 2, 3, 4].map((n) => {
      const callback = { event: { moMedia: [{ messageId: `${id}-${n}`, content }] } };
      return splitCallback(JSON.stringify(callback), '2026-03-01T12:00:00.000Z')[0] as LoggedEvent;
    });
    await createEventLog(store, { dedupeTtlMs: 60_000 }).append(id, events, Date.now());
    await enqueueDeliveries(
      store,
      id,
      events.map(({ event }) => ({ eventId: event.id })),
    );
    expect(await peek(id, 10)).toHaveLength(3);
    const taken: string[] = [];
    while (taken.length < events.length) {
      const some = await take(id, { max: 10, waitMs: 10_000 });
      expect(some.length).toBeLessThan(3);
      taken.push(...some.map(({ event }) => event.event.id));
      for (const { attempt } of some) expect(attempt).toBe(1);
    }
    expect(taken.sort()).toEqual(events.map(({ event }) => event.id).sort());
  });
});
