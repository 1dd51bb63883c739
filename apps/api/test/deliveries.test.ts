import { deliveryId } from '@clickrelay/core';
import { enqueueDeliveries } from '@clickrelay/queue';
import { describe, expect, it } from 'vitest';
import { endDelivery, logEvent, useApi } from './start-api.ts';

const api = useApi();
const { get } = api;

describe('deliveries and dead letters', () => {
  it('show every attempt, and can be replayed', async () => {
    const one = await logEvent(api.store);
    const id = await endDelivery(api, one, 'shop', 'dead_letter');
    expect((await get(`/v1/deliveries/${id}`)).body).toMatchObject({
      id,
      eventId: one.event.id,
      destinationId: 'shop',
      state: 'dead_letter',
      attempts: [
        {
          number: 1,
          startedAt: '2026-03-01T12:00:01.000Z',
          durationMs: 12,
          outcome: 'dead_letter',
          status: 500,
          error: { code: 'destination_rejected', message: 'answered 500 to the last attempt' },
          response: 'oh no',
        },
      ],
      nextAttemptAt: null,
    });

    const replayed = await api.call('POST', `/v1/deliveries/${id}/replay`);
    expect(replayed).toMatchObject({ status: 202, body: { id, state: 'pending' } });
    expect(await api.call('POST', `/v1/deliveries/${id}/replay`)).toMatchObject({
      status: 409,
      body: { error: { code: 'already_pending' } },
    });
    expect((await get('/v1/dead-letters?destination=shop')).body).toEqual({ items: [], next: null });
  });

  it('can be replayed even if they were delivered', async () => {
    const id = await endDelivery(api, await logEvent(api.store), 'again', 'delivered');
    expect(await api.call('POST', `/v1/deliveries/${id}/replay`)).toMatchObject({
      status: 202,
      body: { state: 'pending' },
    });
  });

  it('are listed newest first, and can be removed', async () => {
    const events = [await logEvent(api.store), await logEvent(api.store), await logEvent(api.store)];
    const letters: string[] = [];
    for (const one of events) letters.unshift(await endDelivery(api, one, 'dead', 'dead_letter'));
    const first = (await get('/v1/dead-letters?destination=dead&limit=2')).body;
    const second = (await get(`/v1/dead-letters?destination=dead&limit=2&cursor=${first.next}`)).body;
    expect([...first.items, ...second.items].map(({ deliveryId }) => deliveryId)).toEqual(letters);
    expect(second).toEqual({
      items: [
        {
          deliveryId: letters[2],
          eventId: events[0]?.event.id,
          destinationId: 'dead',
          eventType: 'moText',
          errorCode: 'destination_rejected',
          kind: 'refused',
          error: 'answered 500 to the last attempt',
          status: 500,
          receivedAt: '2026-03-01T12:00:00.000Z',
          failedAt: expect.any(String),
          attempts: 1,
        },
      ],
      next: null,
    });

    expect(await api.call('DELETE', `/v1/dead-letters/${letters[2]}`)).toMatchObject({ status: 204, body: undefined });
    expect(await api.call('DELETE', `/v1/dead-letters/${letters[2]}`)).toMatchObject({ status: 404 });
    expect((await get('/v1/dead-letters?destination=dead')).body.items).toHaveLength(2);
  });

  it('are listed by state, destination and arrival', async () => {
    const [one, two] = [await logEvent(api.store), await logEvent(api.store)];
    const dead = await endDelivery(api, one, 'listed', 'dead_letter');
    const done = await endDelivery(api, two, 'listed', 'delivered');
    const ids = async (query: string) =>
      (await get(`/v1/deliveries?destination=listed${query}`)).body.items.map(({ id }: { id: string }) => id);
    expect(await ids('')).toEqual([done, dead]);
    expect(await ids('&state=dead_letter')).toEqual([dead]);
    expect(await ids('&state=pending')).toEqual([]);
    expect(await ids('&until=2020-01-01T00:00:00Z')).toEqual([]);
    expect(await ids('&since=2020-01-01T00:00:00Z&limit=1')).toEqual([done]);
    expect(await ids('&error=destination_rejected')).toEqual([dead]);
    expect(await ids('&error=destination_timeout')).toEqual([]);
    expect((await get('/v1/deliveries?destination=listed&order=next&error=destination_timeout')).status).toBe(400);
    const [listed] = (await get('/v1/deliveries?destination=listed&state=dead_letter')).body.items;
    const { eventId, eventType, attempts, status, errorCode } = listed;
    expect([eventId, eventType, attempts, status, errorCode]).toEqual([
      one.event.id,
      'moText',
      1,
      500,
      'destination_rejected',
    ]);
    const failed = async (query: string) =>
      (await get(`/v1/dead-letters?destination=listed${query}`)).body.items.length;
    expect([await failed('&since=2020-01-01T00:00:00Z'), await failed('&until=2020-01-01T00:00:00Z')]).toEqual([1, 0]);
  });

  it.each(['/v1/deliveries', '/v1/dead-letters', '/v1/dead-letters/groups'])(
    'of a destination that does not exist are no empty list: %s',
    async (path) => {
      expect((await get(`${path}?destination=nowhere`)).status).toBe(404);
    },
  );

  it('that are still under way are not dead letters', async () => {
    const one = await logEvent(api.store);
    await enqueueDeliveries(api.store, 'pending', [{ eventId: one.event.id }]);
    const id = deliveryId(one.event.id, 'pending');
    expect((await api.call('DELETE', `/v1/dead-letters/${id}`)).status).toBe(404);
    expect((await get(`/v1/deliveries/${id}`)).body).toMatchObject({ state: 'pending', attempts: [] });
  });

  it.each(['dlv_none_AAAAAAAAAAAAAAAAAAAAAA', 'dlv', '%00'])('with an invalid id are not found: %s', async (id) => {
    expect((await get(`/v1/deliveries/${id}`)).status).toBe(404);
    expect((await api.call('POST', `/v1/deliveries/${id}/replay`)).status).toBe(404);
    expect((await api.call('DELETE', `/v1/dead-letters/${id}`)).status).toBe(404);
  });
});
