import type { LoggedEvent } from '@clickrelay/core';
import { destinationQueue, enqueueDeliveries } from '@clickrelay/queue';
import { describe, expect, it } from 'vitest';
import { endDelivery, logEvent, useApi } from './start-api.ts';

const api = useApi();
const { get } = api;

describe('the ledger', () => {
  it('adds up to what was routed, and names each delivery that is unaccounted for', async () => {
    const from = new Date().toISOString();
    const [delivered, dead] = [await logEvent(api.store), await logEvent(api.store)];
    await endDelivery(api, delivered as LoggedEvent, 'ledger', 'delivered');
    await endDelivery(api, dead as LoggedEvent, 'ledger', 'dead_letter');
    const lost = await logEvent(api.store);
    const path = `/v1/ledger?since=${from}&destination=ledger`;
    const row = { id: 'ledger', accepted: 2, delivered: 1, dead: 1, pending: 0, retrying: 0, parked: 0, removed: 0 };
    expect((await get(path)).body).toEqual({
      from,
      to: expect.any(String),
      balanced: true,
      events: 3,
      unrouted: 1,
      completeSince: null,
      destinations: [{ ...row, unaccounted: 0, differing: [] }],
      upstream: { messages: 0, statuses: 0, quarantined: 0 },
      // Counted in whole minutes, so it includes what other tests sent shortly before.
      intake: expect.objectContaining({
        messages: { callbacks: expect.any(Number), events: expect.any(Number), repeats: expect.any(Number) },
        statuses: { callbacks: expect.any(Number), events: expect.any(Number), repeats: expect.any(Number) },
      }),
      progress: 1,
      next: null,
    });
    await enqueueDeliveries(api.store, 'ledger', [{ eventId: lost.event.id }]);
    await api.store.queue(destinationQueue('ledger')).remove(lost.event.id);
    const { body } = await get(path);
    expect(body).toMatchObject({ balanced: false, destinations: [{ accepted: 3, unaccounted: 1 }] });
    const [{ deliveryId: missing }] = body.destinations[0].differing;
    expect((await api.call('POST', `/v1/deliveries/${missing}/replay`)).status).toBe(202);
    expect((await get(path)).body).toMatchObject({ balanced: true, destinations: [{ accepted: 3, pending: 1 }] });
  });

  it('can be read in parts', async () => {
    const first = (await get('/v1/ledger?limit=1')).body;
    expect(first.next).not.toBeNull();
    const second = (await get(`/v1/ledger?limit=100000&cursor=${first.next}`)).body;
    expect([second.next, second.to, second.progress]).toEqual([null, first.to, 1]);
    const whole = (await get(`/v1/ledger?until=${first.to}`)).body;
    expect(first.events + second.events).toBe(whole.events);
  });
});
