import { deliveryId, type LoggedEvent } from '@clickrelay/core';
import { type CutMoment, type RedisServer, startFaultProxy, startRedis, waitUntil } from '@clickrelay/testkit';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { idsOf, newConversations, newEvent, newEvents } from '../../test/sample-events.ts';
import { putDestination, removeDestination } from '../destinations/destinations.ts';
import { createDispatcher } from '../jobs/dispatcher.ts';
import type { DeadLetterKind } from '../jobs/outcome.ts';
import type { Settlement } from '../jobs/settle.ts';
import { queueDepths } from '../ledger/depths.ts';
import { createEventLog } from '../log/append.ts';
import { destinationQueue } from '../redis/names.ts';
import { openStore, type Store } from '../redis/store.ts';
import { listDeadLetters, removeDeadLetter, replayDelivery } from './dead-letters.ts';
import { createAttemptLog, enqueueDeliveries, readDelivery, readEnded } from './deliveries.ts';

let redis: RedisServer;
let store: Store;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  store = await openStore({ redisUrl: redis.url, role: 'consumer' });
  await store.redis.flushall();
});
afterEach(() => store.close());

const put = (...ids: string[]) =>
  Promise.all(ids.map((id) => putDestination(store, { id, type: 'webhook', events: ['*'], paused: null, config: {} })));

const append = (events: LoggedEvent[]) =>
  createEventLog(store, { dedupeTtlMs: 60_000 }).append('m1', events, Date.now());

/** Works through what is ready for a destination, as a worker does. */
const settleAll = async (destinationId: string, count: number, settlement: Settlement): Promise<string[]> => {
  const taken: string[] = [];
  const dispatcher = createDispatcher(store, { onError: () => {} });
  dispatcher.add({
    queue: destinationQueue(destinationId),
    room: () => 100,
    run: async ({ id }) => {
      taken.push(id);
      return settlement;
    },
  });
  await waitUntil(() => taken.length === count);
  await dispatcher.close(5_000);
  return taken;
};

/** Makes a dead letter of each, with one attempt. */
const bury = async (
  destinationId: string,
  ids: string[],
  reason = 'answered 400',
  because?: DeadLetterKind,
): Promise<void> => {
  const attempts = createAttemptLog(store);
  await enqueueDeliveries(
    store,
    destinationId,
    ids.map((eventId) => ({ eventId })),
  );
  await Promise.all(
    ids.map((eventId) =>
      attempts.record({
        eventId,
        destinationId,
        startedAtMs: Date.now(),
        durationMs: 1,
        outcome: { kind: 'dead_letter' },
        status: 400,
        error: { code: 'destination_rejected', message: reason },
        response: '',
      }),
    ),
  );
  await settleAll(destinationId, ids.length, { kind: 'dead', reason, because });
};

const readAllPages = async (limit: number, destinationId?: string): Promise<string[]> => {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = await listDeadLetters(store, { limit, cursor, destinationId });
    expect(items.length).toBeLessThanOrEqual(limit);
    found.push(...items.map((item) => item.deliveryId));
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return found;
};

/** Gives a dead letter another time of failure, in ms. */
const failAt = (ms: number, destinationId: string, eventId: string) =>
  store.redis.zadd(store.queue(destinationQueue(destinationId)).toKey('failed'), String(ms), eventId);

const jobOf = (destinationId: string, eventId: string) => store.queue(destinationQueue(destinationId)).getJob(eventId);
const stateOf = async (destinationId: string, eventId: string) =>
  (await readDelivery(store, deliveryId(eventId, destinationId)))?.state;

describe('a dead letter', () => {
  it('is listed with what is known of it', async () => {
    const event = newEvent('moMedia');
    await put('crm');
    await append([event]);
    await bury('crm', [event.event.id], 'answered 400');
    await failAt(Date.parse('2026-03-01T12:00:00.000Z'), 'crm', event.event.id);
    expect(await listDeadLetters(store, { limit: 10 })).toEqual({
      items: [
        {
          deliveryId: deliveryId(event.event.id, 'crm'),
          eventId: event.event.id,
          destinationId: 'crm',
          eventType: 'moMedia',
          kind: 'refused',
          error: 'answered 400',
          errorCode: 'destination_rejected',
          status: 400,
          receivedAt: '2026-03-01T12:00:00.000Z',
          failedAt: '2026-03-01T12:00:00.000Z',
          attempts: 1,
        },
      ],
      next: null,
    });
  });

  it('whose event is gone is listed all the same', async () => {
    const { id } = newEvent().event;
    await put('crm');
    await bury('crm', [id]);
    expect((await listDeadLetters(store, { limit: 10 })).items).toMatchObject([
      { eventId: id, eventType: 'unknown', error: 'answered 400', attempts: 1 },
    ]);
  });

  it('is counted', async () => {
    await put('crm', 'archive');
    await bury('crm', idsOf(newConversations(3)));
    expect((await queueDepths(store)).destinations).toEqual([
      { id: 'archive', waiting: 0, delayed: 0, active: 0, deadLetters: 0 },
      { id: 'crm', waiting: 0, delayed: 0, active: 0, deadLetters: 3 },
    ]);
  });
});

describe('the list of dead letters', () => {
  it('is empty when there are none', async () => {
    expect(await listDeadLetters(store, { limit: 10 })).toEqual({ items: [], next: null });
    await put('crm');
    expect(await listDeadLetters(store, { limit: 10 })).toEqual({ items: [], next: null });
    expect(await listDeadLetters(store, { limit: 10, destinationId: 'other' })).toEqual({ items: [], next: null });
  });

  it('pages through those of all destinations exactly once, newest first, also those of one millisecond', async () => {
    const destinations = ['a', 'b', 'c-1', 'c-2'];
    await put(...destinations);
    const letters: { destinationId: string; eventId: string }[] = [];
    for (const destinationId of destinations) {
      const ids = idsOf(newConversations(15));
      await bury(destinationId, ids);
      letters.push(...ids.map((eventId) => ({ destinationId, eventId })));
    }
    const times = fc.array(fc.constantFrom(5, 6, 6, 6, 7, 1_700_000_000_000), {
      minLength: letters.length,
      maxLength: letters.length,
    });
    await fc.assert(
      fc.asyncProperty(times, fc.integer({ min: 1, max: 70 }), async (failedAt, limit) => {
        await Promise.all(
          letters.map(({ destinationId, eventId }, index) => failAt(failedAt[index] as number, destinationId, eventId)),
        );
        const timeOf = new Map(
          letters.map(({ destinationId, eventId }, index) => [deliveryId(eventId, destinationId), failedAt[index]]),
        );
        const found = await readAllPages(limit);
        expect([...found].sort()).toEqual([...timeOf.keys()].sort());
        const foundTimes = found.map((id) => timeOf.get(id) as number);
        expect(foundTimes).toEqual([...foundTimes].sort((a, b) => b - a));
        expect((await readAllPages(limit, 'c-1')).sort()).toEqual(found.filter((id) => id.includes('_c-1_')).sort());
      }),
      { numRuns: 15 },
    );
  });

  it('pages through hundreds of one destination and one millisecond', async () => {
    await put('crm');
    const ids = idsOf(newConversations(350));
    await bury('crm', ids);
    await Promise.all(ids.map((id) => failAt(5, 'crm', id)));
    expect((await readAllPages(50)).sort()).toEqual(ids.map((id) => deliveryId(id, 'crm')).sort());
  });

  it('holds those of one kind when asked for them, however many others lie between', async () => {
    await put('crm', 'bot');
    const [refused, crashing] = [idsOf(newConversations(160)), idsOf(newConversations(1))];
    const built = idsOf(newConversations(3));
    await bury('crm', refused);
    await bury('crm', built, 'no transform', 'not_built');
    await bury('bot', crashing, 'crashes', 'crashes_consumer');
    // The oldest of all.
    await Promise.all(built.map((id, index) => failAt(5 + index, 'crm', id)));
    const page = await listDeadLetters(store, { limit: 2, kind: 'not_built' });
    const rest = await listDeadLetters(store, { limit: 2, kind: 'not_built', cursor: page.next as string });
    expect([...page.items, ...rest.items].map(({ eventId, kind }) => [eventId, kind])).toEqual(
      built.toReversed().map((id) => [id, 'not_built']),
    );
    expect(rest.next).toBeNull();
    const { items } = await listDeadLetters(store, { limit: 500 });
    expect(Object.groupBy(items, ({ kind }) => kind)).toMatchObject({
      refused: { length: 160 },
      not_built: { length: 3 },
      crashes_consumer: { length: 1 },
    });
  });

  it('has a new kind when it died of something else after a replay', async () => {
    await put('crm');
    const event = newEvent();
    await append([event]);
    await bury('crm', [event.event.id], 'no transform', 'not_built');
    await replayDelivery(store, deliveryId(event.event.id, 'crm'));
    await settleAll('crm', 1, { kind: 'dead', reason: 'answered 400' });
    expect((await listDeadLetters(store, { limit: 10 })).items).toMatchObject([{ kind: 'refused' }]);
  });

  it('goes on where it was when those of the page before are removed', async () => {
    await put('crm');
    const ids = idsOf(newConversations(6));
    await bury('crm', ids);
    for (const [index, id] of ids.entries()) await failAt(100 - index, 'crm', id);
    const { items, next } = await listDeadLetters(store, { limit: 3 });
    for (const item of items) expect(await removeDeadLetter(store, item.deliveryId)).toBe(true);
    const rest = await listDeadLetters(store, { limit: 3, cursor: next as string });
    expect([...items, ...rest.items].map(({ eventId }) => eventId)).toEqual(ids);
    expect(rest.next).toBeNull();
  });

  it('begins anew when its cursor is none', async () => {
    await put('crm');
    const ids = idsOf(newConversations(2));
    await bury('crm', ids);
    await failAt(1, 'crm', ids[0] as string);
    for (const cursor of ['', 'rubbish', '1', '1.', `x.${deliveryId(ids[0] as string, 'crm')}`, '1.dlv_crm_short']) {
      const { items } = await listDeadLetters(store, { limit: 1, cursor });
      expect(items.map(({ eventId }) => eventId)).toEqual([ids[1]]);
    }
  });
});

describe('a replay', () => {
  let eventId: string;
  let id: string;
  beforeEach(async () => {
    await put('crm');
    const event = newEvent();
    await append([event]);
    eventId = event.event.id;
    id = deliveryId(eventId, 'crm');
  });

  it('of a dead letter sends it again from the first attempt on, and keeps the attempts that were made', async () => {
    await bury('crm', [eventId]);
    expect(await replayDelivery(store, id)).toBe('replayed');
    const job = await jobOf('crm', eventId);
    expect([await job?.getState(), job?.attemptsMade, job?.attemptsStarted, job?.data]).toEqual([
      'waiting',
      0,
      0,
      { r: 1 },
    ]);
    expect(await readDelivery(store, id)).toMatchObject({ state: 'pending', nextAttemptAt: null });
    expect((await readDelivery(store, id))?.attempts).toHaveLength(1);
    expect((await listDeadLetters(store, { limit: 10 })).items).toEqual([]);
    expect(await replayDelivery(store, id)).toBe('already_pending');
    expect(await settleAll('crm', 1, { kind: 'dead', reason: 'answered 400 again' })).toEqual([eventId]);
    expect((await listDeadLetters(store, { limit: 10 })).items).toMatchObject([{ error: 'answered 400 again' }]);
    expect(await replayDelivery(store, id)).toBe('replayed');
  });

  it('of a delivered event sends it again', async () => {
    await createAttemptLog(store).record({
      eventId,
      destinationId: 'crm',
      startedAtMs: 1,
      durationMs: 1,
      outcome: { kind: 'delivered' },
      status: 200,
      error: undefined,
      response: '',
    });
    expect(await replayDelivery(store, id)).toBe('replayed');
    expect((await jobOf('crm', eventId))?.data).toEqual({ r: 1 });
    expect(await stateOf('crm', eventId)).toBe('pending');
    expect(await replayDelivery(store, id)).toBe('already_pending');
    expect(await settleAll('crm', 1, { kind: 'done' })).toEqual([eventId]);
  });

  it('of a delivery that waits or is under way changes nothing; one that waits for its retry gets it now', async () => {
    await enqueueDeliveries(store, 'crm', [{ eventId, job: { a: 1 } }]);
    expect(await replayDelivery(store, id)).toBe('already_pending');
    const whileActive: string[] = [];
    const dispatcher = createDispatcher(store, { onError: () => {} });
    dispatcher.add({
      queue: destinationQueue('crm'),
      room: () => 1,
      run: async () => {
        whileActive.push(await replayDelivery(store, id));
        return { kind: 'retry', delayMs: 60_000, reason: 'answered 503' };
      },
    });
    await waitUntil(async () => (await (await jobOf('crm', eventId))?.getState()) === 'delayed');
    await dispatcher.close(1_000);
    expect(whileActive).toEqual(['already_pending']);
    expect(await replayDelivery(store, id)).toBe('replayed');
    const job = await jobOf('crm', eventId);
    expect([await job?.getState(), job?.data]).toEqual(['waiting', { a: 1 }]);
  });

  it('that several people ask for at the same time is one', async () => {
    const replayAtOnce = async () => (await Promise.all([1, 2, 3, 4].map(() => replayDelivery(store, id)))).sort();
    await bury('crm', [eventId]);
    const ofDead = await replayAtOnce();
    expect(ofDead).toContain('replayed');
    expect(ofDead).not.toContain('not_found');
    expect(await settleAll('crm', 1, { kind: 'retry', delayMs: 60_000, reason: 'answered 503' })).toEqual([eventId]);
    expect(await replayAtOnce()).toContain('replayed');
    expect(await settleAll('crm', 1, { kind: 'done' })).toEqual([eventId]);
    expect(await replayAtOnce()).toContain('replayed');
    expect(await settleAll('crm', 1, { kind: 'done' })).toEqual([eventId]);
    expect(await jobOf('crm', eventId)).toBeUndefined();
  });

  it('of a delivery that is owed and whose job is gone makes a new one', async () => {
    await enqueueDeliveries(store, 'crm', [{ eventId }]);
    await (await jobOf('crm', eventId))?.remove();
    expect(await replayDelivery(store, id)).toBe('replayed');
    expect(await (await jobOf('crm', eventId))?.getState()).toBe('waiting');
  });

  it('of what never was delivered there is not found', async () => {
    await bury('crm', [eventId]);
    for (const unknown of [
      '',
      'rubbish',
      eventId,
      deliveryId(eventId, 'other'),
      deliveryId(newEvent().event.id, 'crm'),
    ]) {
      expect(await replayDelivery(store, unknown)).toBe('not_found');
    }
  });

  it('to a destination that was removed is not found', async () => {
    await bury('crm', [eventId]);
    await removeDestination(store, 'crm');
    expect(await replayDelivery(store, id)).toBe('not_found');
    expect(await store.redis.keys('*crm*')).toEqual([]);
  });
});

describe('giving up a dead letter', () => {
  it('removes it, and nothing is owed any more', async () => {
    const [a, b] = idsOf(newConversations(2)) as [string, string];
    await put('crm');
    await bury('crm', [a, b]);
    expect(await removeDeadLetter(store, deliveryId(a, 'crm'))).toBe(true);
    expect(await jobOf('crm', a)).toBeUndefined();
    expect(await readEnded(store, a)).toEqual(new Set(['crm']));
    expect(await stateOf('crm', a)).toBeUndefined();
    expect((await listDeadLetters(store, { limit: 10 })).items.map(({ eventId }) => eventId)).toEqual([b]);
    expect(await removeDeadLetter(store, deliveryId(a, 'crm'))).toBe(false);
  });

  it.each<CutMoment>(['before', 'inside', 'after'])(
    'is finished by asking again when the connection broke %s any of its commands',
    async (moment) => {
      await put('crm');
      const proxy = await startFaultProxy(redis.port);
      const asker = await openStore({ redisUrl: proxy.url, role: 'producer' });
      await asker.ready();
      for (let command = 1, happened = true; happened; command++) {
        const [event] = newEvents(1) as [LoggedEvent];
        await append([event]);
        const eventId = event.event.id;
        await bury('crm', [eventId]);
        const id = deliveryId(eventId, 'crm');
        await waitUntil(() => asker.redis.status === 'ready');
        const cut = proxy.cutAt({ command, moment, refuse: true });
        await removeDeadLetter(asker, id).catch(() => {});
        happened = cut.happened;
        proxy.heal();
        const isListed = (await listDeadLetters(store, { limit: 10 })).items.length > 0;
        if (isListed) expect([command, await removeDeadLetter(store, id)]).toEqual([command, true]);
        expect([command, (await listDeadLetters(store, { limit: 10 })).items]).toEqual([command, []]);
        // Nothing holds the event back from being cleaned away.
        expect([command, (await readDelivery(store, id))?.state]).not.toEqual([command, 'dead_letter']);
      }
      await asker.close();
      await proxy.close();
    },
  );

  it('while somebody else sends it again leaves it sent again, or given up, and never neither', async () => {
    const other = await openStore({ redisUrl: redis.url, role: 'producer' });
    await other.ready();
    await put('crm');
    const ids = idsOf(newConversations(150));
    await bury('crm', ids);
    const ends = await Promise.all(
      ids.map(async (eventId, index) => {
        const id = deliveryId(eventId, 'crm');
        // One of them a little earlier, by another step each time.
        const late = async <T>(steps: number, work: () => Promise<T>): Promise<T> => {
          for (let step = 0; step < steps; step++) await store.redis.ping();
          return work();
        };
        const [removed, replayed] = await Promise.all([
          late(index % 12, () => removeDeadLetter(store, id)),
          late(Math.floor(index / 12) % 3, () => replayDelivery(other, id)),
        ]);
        const job = await jobOf('crm', eventId);
        return { removed, replayed, is: await job?.getState(), owed: (await stateOf('crm', eventId)) === 'pending' };
      }),
    );
    for (const { removed, replayed, ...end } of ends) {
      const isSent = replayed === 'replayed';
      expect([removed, replayed, end]).toEqual([
        isSent ? removed : true,
        replayed,
        isSent ? { is: 'waiting', owed: true } : { is: undefined, owed: false },
      ]);
    }
    expect(new Set(ends.map(({ replayed }) => replayed === 'replayed')).size).toBe(2);
    await other.close();
  });

  it('is refused for what is none', async () => {
    const { id } = newEvent().event;
    await put('crm');
    await enqueueDeliveries(store, 'crm', [{ eventId: id }]);
    for (const other of ['', 'rubbish', id, deliveryId(id, 'other'), deliveryId(id, 'crm')]) {
      expect(await removeDeadLetter(store, other)).toBe(false);
    }
    expect(await stateOf('crm', id)).toBe('pending');
    expect(await (await jobOf('crm', id))?.getState()).toBe('waiting');
  });
});
