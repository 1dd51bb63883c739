import type { LoggedEvent } from '@clickrelay/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { endDelivery, logEvent, useApi } from './start-api.ts';

const api = useApi();
const { get } = api;
const ids = (events: readonly LoggedEvent[]) => events.map(({ event }) => event.id);

describe('events', () => {
  const logged: LoggedEvent[] = [];
  let from: string;
  beforeAll(async () => {
    from = new Date(Date.now() - 1).toISOString();
    for (let n = 0; n < 4; n++) logged.push(await logEvent(api.store, 'moText', { content: `text ${n}` }));
    logged.push(await logEvent(api.store, 'messageStatusUpdate'));
  });
  const recent = (query: string) => get(`/v1/events?since=${from}&${query}`);

  it('are listed newest first, a page at a time', async () => {
    const first = (await recent('limit=2')).body;
    const second = (await recent(`limit=2&cursor=${first.next}`)).body;
    const third = (await recent(`limit=2&cursor=${second.next}`)).body;
    const listed = [first, second, third].flatMap((page) => page.items.map((event: { id: string }) => event.id));
    expect(listed).toEqual(ids(logged).reverse());
    expect(third.next).toBeNull();
    expect(third.items[0]).toEqual(logged[0]?.event);
  });

  it('can be chosen by type', async () => {
    const types = async (list: string) =>
      (await recent(`type=${list}`)).body.items.map((event: { type: string }) => event.type);
    expect(await types('messageStatusUpdate')).toEqual(['messageStatusUpdate']);
    expect(await types('moText, messageStatusUpdate')).toHaveLength(5);
    expect(await types('mo*')).toHaveLength(4);
    expect(await types('moMedia')).toEqual([]);
  });

  it('can be chosen by time', async () => {
    expect((await get(`/v1/events?until=${from}`)).body).toEqual({ items: [], next: null });
    expect((await get('/v1/events?since=2099-01-01T00:00:00Z')).body).toEqual({ items: [], next: null });
  });

  it('can be followed oldest first, without gaps or repeats', async () => {
    const begin = (await get('/v1/events?order=asc')).body;
    expect(begin.items).toEqual([]);
    const nothing = (await get(`/v1/events?order=asc&after=${begin.next}`)).body;
    expect(nothing.items).toEqual([]);

    const fresh = [await logEvent(api.store), await logEvent(api.store), await logEvent(api.store)];
    const first = (await get(`/v1/events?order=asc&limit=2&cursor=${nothing.next}`)).body;
    const second = (await get(`/v1/events?order=asc&limit=2&cursor=${first.next}`)).body;
    const third = (await get(`/v1/events?order=asc&limit=2&cursor=${second.next}`)).body;
    expect([first, second, third].map((page) => page.items.map((event: { id: string }) => event.id))).toEqual([
      ids(fresh).slice(0, 2),
      ids(fresh).slice(2),
      [],
    ]);
  });

  it('can be read one by one, with their deliveries', async () => {
    const one = await logEvent(api.store);
    const delivered = await endDelivery(api, one, 'crm', 'delivered');
    const { status, body } = await get(`/v1/events/${one.event.id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...one.event,
      deliveries: [{ id: delivered, destinationId: 'crm', state: 'delivered', nextAttemptAt: null }],
    });
  });

  it.each(['evt_AAAAAAAAAAAAAAAAAAAAAA', 'evt_', '../status', '%2e%2e', 'x'.repeat(5000)])(
    'that are none are not found: %s',
    async (id) => {
      const { status, body } = await get(`/v1/events/${encodeURIComponent(id)}`);
      expect([status, body.error.code]).toEqual([404, 'not_found']);
      expect(body.error.message.length).toBeLessThan(200);
    },
  );
});
