import { deliveryId, type LoggedEvent, shardOf } from '@clickrelay/core';
import { describe, expect, it } from 'vitest';
import { openGraveyard } from '../../test/dead-letters.ts';
import { idsOf, newConversations, newEvent } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { eventKeys, shardKeys } from '../redis/names.ts';
import { enqueueDeliveries } from './enqueue-deliveries.ts';
import { type ListDeliveriesOptions, listDeliveriesByArrival } from './list-deliveries.ts';

const { store } = useStore();
const { put, append, bury } = openGraveyard(store);

/** Every delivery, a page at a time, each page no longer than asked for. */
const readAll = async (options: ListDeliveriesOptions, mostPages = 100): Promise<string[]> => {
  const found: string[] = [];
  let cursor: string | null | undefined;
  for (let pages = 0; cursor !== null; pages++) {
    expect(pages).toBeLessThan(mostPages);
    const page = await listDeliveriesByArrival(store, { ...options, cursor });
    expect(page.items.length).toBeLessThanOrEqual(options.limit);
    found.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  }
  return found;
};

/** Logs events a millisecond apart, from the first on. */
const logFrom = async (ms: number, events: LoggedEvent[]): Promise<string[]> => {
  await append(events);
  const ids = idsOf(events);
  for (const [index, id] of ids.entries()) {
    await store.redis.zadd(shardKeys(shardOf(id)).log, String((ms + index) * 1_000), id);
  }
  return ids;
};

const queue = (destinationId: string, ids: readonly string[]) =>
  enqueueDeliveries(
    store,
    destinationId,
    ids.map((eventId) => ({ eventId })),
  );

describe('the list of deliveries', () => {
  it('is empty when there are none', async () => {
    expect(await listDeliveriesByArrival(store, { limit: 10 })).toEqual({ items: [], next: null });
    await logFrom(1_000, [newEvent()]);
    expect(await listDeliveriesByArrival(store, { limit: 10 })).toEqual({ items: [], next: null });
  });

  it('tells of each what came last', async () => {
    await put('crm', 'bot');
    const [id = ''] = await logFrom(1_000, [newEvent('moMedia')]);
    await bury('crm', [id]);
    await queue('bot', [id]);
    const known = { eventId: id, eventType: 'moMedia', receivedAt: '2026-03-01T12:00:00.000Z', nextAttemptAt: null };
    const none = { attempts: 0, lastAttemptAt: null, status: null, errorCode: null, error: null };
    expect(await listDeliveriesByArrival(store, { limit: 10 })).toEqual({
      items: [
        { ...known, id: deliveryId(id, 'bot'), destinationId: 'bot', state: 'pending', ...none },
        {
          ...known,
          id: deliveryId(id, 'crm'),
          destinationId: 'crm',
          state: 'dead_letter',
          attempts: 1,
          lastAttemptAt: expect.any(String),
          status: 400,
          errorCode: 'destination_rejected',
          error: 'answered 400',
        },
      ],
      next: null,
    });
  });

  it('pages through all of them exactly once, by the arrival of their events, however short the pages', async () => {
    const destinations = ['a', 'b-1', 'b-2'];
    await put(...destinations);
    const ids = await logFrom(1_000, newConversations(7));
    for (const destinationId of destinations) await queue(destinationId, ids);
    const all = ids.toReversed().flatMap((id) => destinations.map((destinationId) => deliveryId(id, destinationId)));
    for (const limit of [1, 2, 4, 20, 21, 500]) expect([limit, await readAll({ limit })]).toEqual([limit, all]);
  });

  it('holds those of a state, a destination and a time', async () => {
    await put('crm', 'bot');
    const ids = await logFrom(1_000, newConversations(4));
    await bury('crm', ids.slice(0, 2));
    await queue('crm', ids.slice(2));
    await queue('bot', ids);
    const listed = async (options: Partial<ListDeliveriesOptions>) =>
      (await readAll({ limit: 3, ...options })).map(
        (id) => id.slice(4, 7) + ids.findIndex((one) => id.endsWith(one.slice(4))),
      );
    expect(await listed({ destinationId: 'crm' })).toEqual(['crm3', 'crm2', 'crm1', 'crm0']);
    expect(await listed({ state: 'dead_letter' })).toEqual(['crm1', 'crm0']);
    expect(await listed({ state: 'pending', destinationId: 'crm' })).toEqual(['crm3', 'crm2']);
    expect(await listed({ destinationId: 'bot', since: new Date(1_001), until: new Date(1_003) })).toEqual([
      'bot2',
      'bot1',
    ]);
  });

  it('is looked through within its budget: the page is short, and its cursor goes on', async () => {
    await put('crm');
    const ids = await logFrom(1_000, newConversations(600));
    await queue('crm', ids.slice(0, 1));
    const rare = { limit: 5, state: 'pending', maxMs: 0 } as const;
    const first = await listDeliveriesByArrival(store, rare);
    expect(first).toEqual({ items: [], next: expect.any(String) });
    expect(await listDeliveriesByArrival(store, { ...rare, maxMs: 60_000, signal: AbortSignal.abort() })).toEqual(
      first,
    );
    expect(await readAll(rare, 4)).toEqual([deliveryId(ids[0] as string, 'crm')]);
  });

  it('says of what cannot be read that it cannot, and lists the others', async () => {
    await put('crm');
    const [damaged = '', whole = ''] = await logFrom(1_000, [newEvent(), newEvent()]);
    await bury('crm', [damaged, whole]);
    const { deliveries, record } = eventKeys(damaged);
    const [field = ''] = (await store.redis.hkeys(deliveries)).filter((name) => name.startsWith('crm#'));
    await store.redis.hset(deliveries, field, 'not JSON');
    await store.redis.set(record, ' not JSON\n{}');
    const { items } = await listDeliveriesByArrival(store, { limit: 10 });
    expect(items.map(({ eventId, eventType, errorCode }) => [eventId, eventType, errorCode])).toEqual([
      [whole, 'moText', 'destination_rejected'],
      [damaged, 'unknown', 'unreadable'],
    ]);
  });
});
