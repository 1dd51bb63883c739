import { deliveryId, type LoggedEvent } from '@clickrelay/core';
import { fairNow, waitUntil } from '@clickrelay/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { newEvent } from '../../test/sample-events.ts';
import { useLeases } from '../../test/use-leases.ts';
import { createAttemptLog } from '../deliveries/attempt-log.ts';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { listDeadLetters } from '../deliveries/list-dead-letters.ts';
import { createOrdering } from '../deliveries/ordering.ts';
import { readDelivery } from '../deliveries/read-deliveries.ts';
import { removeDeadLetter } from '../deliveries/remove-dead-letter.ts';
import { pauseDestination, putDestination, removeDestination } from '../destinations/destinations.ts';
import { createDispatcher } from '../jobs/dispatcher.ts';
import type { Outcome } from '../jobs/outcome.ts';
import { createEventLog } from '../log/append.ts';
import { claimOf, conversationKey, destinationQueue, ingestQueue } from '../redis/names.ts';
import type { Leases } from './leases.ts';
import { peekWaiting } from './peek.ts';
import type { Lease, LeaseOptions } from './waiter.ts';

/* Pull destinations with `ordering: conversation`. */

const test = useLeases();
const { store } = test;
/** As another process of the API would have it. */
let others: Leases;
beforeAll(async () => {
  others = await test.openLeases();
});

/** What is woken by nobody comes after 5 s at the earliest. */
const PROMPTLY_MS = 4_000;

let destinations = 0;
const addDestination = async (id = `chat-${++destinations}`): Promise<string> => {
  await putDestination(store, {
    id,
    type: 'pull',
    events: ['*'],
    paused: null,
    config: { ordering: 'conversation' },
  });
  return id;
};

let claims = 0;
const log = async (events: readonly LoggedEvent[], claim = `test-${++claims}`): Promise<void> => {
  await createEventLog(store, { dedupeTtlMs: 60_000 }).append(claim, events, Date.now());
};

/** Texts of these people, one after the other, as the worker queues them. */
const addTexts = async (id: string, ...from: string[]): Promise<LoggedEvent[]> => {
  const events = from.map((one) => newEvent('moText', { from: one }));
  await log(events);
  await queue(id, events);
  return events;
};

const queue = async (id: string, events: readonly LoggedEvent[], delayMs = 0): Promise<void> => {
  await createOrdering(store, id).join(events.map(({ event }) => event));
  await enqueueDeliveries(
    store,
    id,
    events.map(({ event }) => ({ eventId: event.id, delayMs })),
  );
};

/** Sleeps for so long that somebody must wake it. */
const addSleeping = async (id: string, from: string): Promise<LoggedEvent> => {
  const sleeping = newEvent('moText', { from });
  await log([sleeping]);
  await queue(id, [sleeping], 600_000);
  return sleeping;
};

/** Looks once for as many as there may be, unless told otherwise. */
const take = (id: string, options: Partial<LeaseOptions> = {}, from?: Leases): Promise<Lease[]> =>
  test.take(id, { max: 10, ...options }, from);
const { takeAny, takeOne } = test;

const idOf = (logged: LoggedEvent | undefined): string => logged?.event.id ?? '';
const idsOf = (taken: readonly { event: LoggedEvent }[]): string[] => taken.map(({ event }) => event.event.id);

/** Until so many deliveries sleep because it is not their turn. */
const putOff = (id: string, count: number): Promise<unknown> =>
  waitUntil(async () => (await store.queue(destinationQueue(id)).getDelayedCount()) === count);

/** What a process writes down first when it is told how a lease ended; then it dies. */
const recordOnly = (id: string, lease: Lease, outcome: Outcome): Promise<void> =>
  createAttemptLog(store, { lingerMs: 0 }).record({
    eventId: lease.event.event.id,
    destinationId: id,
    startedAtMs: Date.now(),
    durationMs: 1,
    outcome,
    status: null,
    error: outcome.kind === 'delivered' ? undefined : { code: 'nacked', message: 'no such customer' },
    response: '',
  });

describe('deliveries of a conversation', () => {
  it('are leased one after the other, in the order they came, and those of others meanwhile', async () => {
    const id = await addDestination();
    const [a1, a2, b1, a3, b2] = await addTexts(id, '27831', '27831', '27832', '27831', '27832');
    const first: Lease[] = [];
    while (first.length < 2) first.push(...(await take(id, { waitMs: 5_000 })));
    expect(idsOf(first).sort()).toEqual([idOf(a1), idOf(b1)].sort());
    expect(await take(id)).toEqual([]);
    expect(await take(id, {}, others)).toEqual([]);
    const ofA = first.find(({ event }) => event.event.id === idOf(a1)) as Lease;
    await others.ack(id, ofA);
    const second = await takeOne(id);
    expect(idsOf([second])).toEqual([idOf(a2)]);
    expect(await take(id)).toEqual([]);
    await test.leases.ack(id, second);
    const third = await takeOne(id, {}, others);
    expect(idsOf([third])).toEqual([idOf(a3)]);
    const ofB = first.find(({ event }) => event.event.id === idOf(b1)) as Lease;
    await test.leases.ack(id, ofB);
    expect(idsOf([await takeOne(id)])).toEqual([idOf(b2)]);
  });

  it('are never out together, however many consume, and each comes promptly after the one before', async () => {
    const id = await addDestination();
    const people = ['27841', '27842', '27843'];
    const events = await addTexts(id, ...Array.from({ length: 20 }, () => people).flat());
    const out = new Set<string>();
    const order: string[] = [];
    let overlaps = 0;
    let slowest = 0;
    let since = fairNow();
    const consume = async (from: Leases): Promise<void> => {
      while (order.length < events.length) {
        for (const lease of await takeAny(id, { max: 2, waitMs: 500 }, from)) {
          const person = lease.event.event.from ?? '';
          if (out.has(person)) overlaps++;
          out.add(person);
          order.push(lease.event.event.id);
          slowest = Math.max(slowest, fairNow() - since);
          since = fairNow();
          await new Promise((resolve) => setImmediate(resolve));
          out.delete(person);
          await from.ack(id, lease);
        }
      }
    };
    await Promise.all([test.leases, others, test.leases, others].map(consume));
    expect(overlaps).toBe(0);
    expect(slowest).toBeLessThan(PROMPTLY_MS);
    for (const person of people) {
      const ofOne = events.filter(({ event }) => event.from === person).map(({ event }) => event.id);
      expect(order.filter((eventId) => ofOne.includes(eventId))).toEqual(ofOne);
    }
  });

  it('wait for one that was given back until it has come again and ended', async () => {
    const id = await addDestination();
    const [one, two] = await addTexts(id, '27833', '27833');
    const lease = await takeOne(id);
    expect(idsOf([lease])).toEqual([idOf(one)]);
    await test.leases.nack(id, lease, { error: 'the workflow broke', retry: true });
    const again = await takeOne(id);
    expect(idsOf([again])).toEqual([idOf(one)]);
    expect(again.attempt).toBe(2);
    expect(await take(id)).toEqual([]);
    await test.leases.ack(id, again);
    expect(idsOf([await takeOne(id)])).toEqual([idOf(two)]);
  });

  it('wait for one whose lease ran out, which comes first again', async () => {
    const id = await addDestination();
    const [one, two] = await addTexts(id, '27833', '27833');
    await takeOne(id, { leaseMs: 1_000 });
    expect(await take(id)).toEqual([]);
    const again = await takeOne(id);
    expect(again).toMatchObject({ attempt: 2, deliveryId: deliveryId(idOf(one), id) });
    await test.leases.ack(id, again);
    const next = await takeOne(id);
    expect(next).toMatchObject({ attempt: 1, deliveryId: deliveryId(idOf(two), id) });
    await test.leases.ack(id, next);
    expect((await readDelivery(store, deliveryId(idOf(two), id)))?.attempts).toHaveLength(1);
  });

  it('wait for one that nobody was there to take', async () => {
    const id = await addDestination();
    const [one] = await addTexts(id, '27833', '27833');
    const lease = await takeOne(id);
    await test.leases.giveBack(id, [lease]);
    const again = await takeOne(id);
    expect(again).toMatchObject({ attempt: 1, deliveryId: deliveryId(idOf(one), id) });
    expect(await take(id)).toEqual([]);
  });

  it('do not wait for a dead letter, whether it is kept or removed', async () => {
    const id = await addDestination();
    const [one, two, three] = await addTexts(id, '27833', '27833', '27833');
    const since = fairNow();
    for (const event of [one, two]) {
      const lease = await takeOne(id);
      expect(idsOf([lease])).toEqual([idOf(event)]);
      expect(await test.leases.nack(id, lease, { error: 'no such customer', retry: false })).toEqual({
        state: 'dead_letter',
      });
      await removeDeadLetter(store, lease.deliveryId);
    }
    expect(idsOf([await takeOne(id)])).toEqual([idOf(three)]);
    expect(fairNow() - since).toBeLessThan(PROMPTLY_MS);
  });

  it('that are queued late do not pass the one that is out', async () => {
    const id = await addDestination();
    const early = newEvent('moText', { from: '27833' });
    const [late] = (await addTexts(id, '27833')) as [LoggedEvent];
    const lease = await takeOne(id);
    const before = { ...early, event: { ...early.event, receivedAt: '2020-01-01T00:00:00.000Z' } };
    await log([before]);
    await queue(id, [before]);
    expect(await take(id)).toEqual([]);
    expect(idsOf([lease])).toEqual([late.event.id]);
    await test.leases.ack(id, lease);
    expect(idsOf([await takeOne(id)])).toEqual([before.event.id]);
  });
});

describe('a delivery whose turn comes just before it sleeps', () => {
  it('is taken again at once', async () => {
    const id = await addDestination();
    await pauseDestination(store, id, 'its deliveries are taken by hand here');
    await addTexts(id, '27833');
    let runs = 0;
    const dispatcher = createDispatcher(store, { onError: () => {} });
    await dispatcher.add({
      queue: destinationQueue(id),
      room: () => 1,
      run: async () =>
        ++runs === 1
          ? { kind: 'await_turn', delayMs: 600_000, hasCome: () => Promise.resolve(true) }
          : { kind: 'done' },
    });
    await waitUntil(() => runs === 2);
    await dispatcher.close(1_000);
  });
});

describe('a peek', () => {
  it('shows the first of each conversation, and none of one that is out', async () => {
    const id = await addDestination();
    const peek = async () => idsOf(await peekWaiting(store, await test.leases.destination(id), 10));
    const [a1, a2, b1] = await addTexts(id, '27831', '27831', '27832', '27832');
    expect(await peek()).toEqual([idOf(a1), idOf(b1)]);
    const lease = await takeOne(id);
    expect(idsOf([lease])).toEqual([idOf(a1)]);
    expect(await peek()).toEqual([idOf(b1)]);
    await test.leases.ack(id, lease);
    await waitUntil(async () => (await peek()).includes(idOf(a2)));
    expect(await peek()).toContain(idOf(b1));
  });
});

describe('when a process dies', () => {
  it('after an ack was written down, the next comes, and what was acked does not come again', async () => {
    const id = await addDestination();
    await addTexts(id, '27833');
    const two = await addSleeping(id, '27833');
    const lease = await takeOne(id, { leaseMs: 1_000 });
    await recordOnly(id, lease, { kind: 'delivered' });
    const next = await takeOne(id);
    expect(idsOf([next])).toEqual([idOf(two)]);
    await test.leases.ack(id, next);
    expect(await take(id)).toEqual([]);
  });

  it('after it gave the place up, the next is told by whoever finds the job', async () => {
    const id = await addDestination();
    await addTexts(id, '27833');
    const two = await addSleeping(id, '27833');
    const lease = await takeOne(id, { leaseMs: 1_000 });
    await recordOnly(id, lease, { kind: 'delivered' });
    const { from, to } = lease.event.event;
    // Names of keys are told in places where personal data is not.
    expect((await store.redis.keys('*')).join()).not.toContain('27833');
    const key = conversationKey(destinationQueue(id), store.people.conversationOf(String(from), String(to)));
    expect(await store.redis.zrem(key, lease.event.event.id)).toBe(1);
    expect(idsOf([await takeOne(id)])).toEqual([idOf(two)]);
  });

  it('after the last nack was written down, it is a dead letter and not leased beside the next', async () => {
    const id = await addDestination();
    const [one, two] = await addTexts(id, '27833', '27833');
    const lease = await takeOne(id, { leaseMs: 1_000 });
    await recordOnly(id, lease, { kind: 'dead_letter' });
    const next = await takeOne(id);
    expect(idsOf([next])).toEqual([idOf(two)]);
    expect(await take(id, { waitMs: 3_000 })).toEqual([]);
    const { items } = await listDeadLetters(store, { limit: 10, destinationId: id });
    expect(items).toMatchObject([{ eventId: idOf(one), error: 'no such customer', kind: 'refused' }]);
  });

  it('before it had queued what has a place, others of the conversation wait while its group is there, and no longer', async () => {
    const id = await addDestination();
    const ingest = ingestQueue('messages');
    const group = await store.queue(ingest).add('', { callbacks: [] }, { delay: 60_000 });
    const unqueued = newEvent('moText', { from: '27833' });
    await log([unqueued], claimOf(ingest, group.id ?? ''));
    await createOrdering(store, id).join([unqueued.event]);
    const [next] = await addTexts(id, '27833');
    expect(await take(id)).toEqual([]);
    await putOff(id, 1);
    await group.remove();
    expect(idsOf([await takeOne(id)])).toEqual([idOf(next)]);
  });
});

describe('a destination that is removed and made again', () => {
  it('does not wait for what was removed with it', async () => {
    const id = await addDestination();
    await addTexts(id, '27833', '27833');
    await takeOne(id);
    await removeDestination(store, id);
    await addDestination(id);
    const [next] = await addTexts(id, '27833');
    expect(idsOf([await takeOne(id)])).toEqual([idOf(next)]);
  });
});
