import { deliveryId } from '@clickrelay/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openGraveyard } from '../../test/dead-letters.ts';
import { idsOf, newConversations, newEvent } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { queueDepths } from '../ledger/queue-figures.ts';
import { destinationQueue, eventKeys } from '../redis/names.ts';
import { listDeadLetters } from './list-dead-letters.ts';
import { removeDeadLetter } from './remove-dead-letter.ts';
import { replayDelivery } from './replay-delivery.ts';

const { store } = useStore();
const { put, append, settleAll, bury, failAt } = openGraveyard(store);

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

  it('is looked through within its budget: the page is short, and its cursor goes on', async () => {
    await put('crm', 'bot');
    const built = idsOf(newConversations(1));
    await bury('crm', idsOf(newConversations(600)));
    await bury('bot', built, 'no transform', 'not_built');
    await failAt(5, 'bot', built[0] as string);
    const none = await listDeadLetters(store, { limit: 2, kind: 'not_built', maxMs: 0 });
    expect(none).toEqual({ items: [], next: expect.any(String) });
    const stop = AbortSignal.abort();
    const cut = await listDeadLetters(store, { limit: 2, kind: 'not_built', signal: stop });
    expect(cut).toEqual(none);
    const found: string[] = [];
    let cursor: string | null | undefined;
    for (let pages = 0; cursor !== null; pages++) {
      expect(pages).toBeLessThan(3);
      const page = await listDeadLetters(store, { limit: 2, kind: 'not_built', maxMs: 0, cursor });
      found.push(...page.items.map(({ eventId }) => eventId));
      cursor = page.next;
    }
    expect(found).toEqual(built);
  });

  it('holds those that failed in a time', async () => {
    await put('crm', 'bot');
    const ids = idsOf(newConversations(4));
    await bury('crm', ids.slice(0, 2));
    await bury('bot', ids.slice(2));
    for (const [index, id] of ids.entries()) await failAt(1_000 + index, index < 2 ? 'crm' : 'bot', id);
    const listed = async (since?: Date, until?: Date) =>
      (await listDeadLetters(store, { limit: 10, since, until })).items.map(({ eventId }) => ids.indexOf(eventId));
    expect(await listed(new Date(1_001))).toEqual([3, 2, 1]);
    expect(await listed(undefined, new Date(1_002))).toEqual([1, 0]);
    expect(await listed(new Date(1_001), new Date(1_003))).toEqual([2, 1]);
  });

  it('says of what cannot be read that it cannot, and lists the others', async () => {
    await put('crm');
    const events = [newEvent('moText'), newEvent('moMedia'), newEvent('moLocation')];
    await append(events);
    const [head, attempt, job] = idsOf(events) as [string, string, string];
    await bury('crm', [head, attempt, job]);
    await store.redis.set(eventKeys(head).record, ' not JSON\n{}');
    const { deliveries } = eventKeys(attempt);
    const [field = ''] = (await store.redis.hkeys(deliveries)).filter((name) => name.startsWith('crm#'));
    await store.redis.hset(deliveries, field, 'not JSON');
    await store.redis.hset(store.queue(destinationQueue('crm')).toKey(job), 'data', 'not JSON');
    const { items } = await listDeadLetters(store, { limit: 10 });
    const told = items.map(({ eventId, eventType, errorCode }) => [eventId, [eventType, errorCode]]);
    expect(Object.fromEntries(told)).toEqual({
      [head]: ['unknown', 'destination_rejected'],
      [attempt]: ['moMedia', 'unreadable'],
      [job]: ['moLocation', 'destination_rejected'],
    });
  });

  it('has a new kind when it died of something else after a replay', async () => {
    await put('crm');
    const event = newEvent();
    await append([event]);
    await bury('crm', [event.event.id], 'no transform', 'not_built');
    await replayDelivery(store, deliveryId(event.event.id, 'crm'));
    await settleAll('crm', 1, { kind: 'dead_letter', reason: 'answered 400' });
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
