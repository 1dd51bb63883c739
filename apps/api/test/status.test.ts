import { enqueueDeliveries } from '@clickrelay/queue';
import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { logEvent, useApi } from './start-api.ts';

const api = useApi();
const { get } = api;

describe('the status', () => {
  it('says how safe callbacks are, and what is waiting where', async () => {
    await api.call('PUT', '/v1/destinations/slow', { type: 'pull' });
    await enqueueDeliveries(api.store, 'slow', [{ eventId: (await logEvent(api.store)).event.id }]);
    await waitUntil(async () => (await get('/v1/status')).body.durability.ready);
    const { body } = await get('/v1/status');
    expect(body).toEqual({
      credentials: [],
      version: '1.2.3',
      durability: {
        ready: true,
        mode: 'always',
        durability: 'always',
        mayBeLost: expect.stringContaining('lost with the disk'),
        problems: [],
      },
      eventLogBytes: expect.any(Number),
      ingest: { messages: expect.any(Number), statuses: 0 },
      destinations: expect.arrayContaining([{ id: 'slow', waiting: 1, delayed: 0, active: 0, deadLetters: 0 }]),
    });
    expect(body.eventLogBytes).toBeGreaterThan(0);
  });
});
