import { quarantineCallback } from '@clickrelay/queue';
import { expect, it } from 'vitest';
import { endDelivery, logEvent, useApi } from './start-api.ts';

const api = useApi();

it('the audit record lists which key did what, newest first, without what was refused', async () => {
  const { body: key } = await api.call('POST', '/v1/keys', { name: 'ops', scopes: ['admin', 'replay', 'reveal'] });
  const as = { authorization: `Bearer ${key.key}` };
  const did = (method: string, path: string, body?: unknown) => api.call(method, path, body, as);
  const hook = { type: 'webhook', url: 'https://crm.example.com' };
  await did('PUT', '/v1/destinations/crm', hook);
  await did('PUT', '/v1/destinations/crm', { ...hook, timeoutMs: 1000 });
  await did('GET', '/v1/destinations/crm/secret');
  await did('POST', '/v1/destinations/crm/pause', { reason: 'moving house' });
  await did('POST', '/v1/destinations/crm/resume', {});
  await did('POST', '/v1/destinations/apply', { destinations: [{ id: 'bot', type: 'pull' }] });
  await did('POST', '/v1/destinations/apply', { destinations: [{ id: 'bot', type: 'pull' }] });
  await did('POST', '/v1/destinations/apply', { destinations: [{ id: 'two', type: 'pull' }], dryRun: true });
  await did('DELETE', '/v1/destinations/crm');
  for (const method of ['GET', 'DELETE']) await did(method, '/v1/destinations/none');
  const dead = await endDelivery(api, await logEvent(api.store), 'bot', 'dead_letter');
  await did('POST', `/v1/deliveries/${dead}/replay`);
  await did('DELETE', `/v1/dead-letters/${dead}`);
  const other = await endDelivery(api, await logEvent(api.store), 'bot2', 'dead_letter');
  await did('DELETE', `/v1/dead-letters/${other}`);
  const third = await endDelivery(api, await logEvent(api.store), 'bot2', 'dead_letter');
  const filter = "event.from != '2700000001'";
  const selected = { destination: 'bot2', kind: 'refused', filter };
  await did('POST', '/v1/dead-letters/remove', { ...selected, dryRun: true });
  await did('POST', '/v1/dead-letters/remove', { ...selected, expected: 2 });
  await did('POST', '/v1/dead-letters/remove', selected);
  await did('POST', '/v1/dead-letters/remove', { deliveries: [third] });
  const qrt = await quarantineCallback(api.store, { body: Buffer.from('{'), reason: 'x', receivedAt: '2026-03-01' });
  await did('POST', `/v1/quarantine/${qrt}/reparse`);
  await did('DELETE', `/v1/quarantine/${qrt}`);
  await api.call('DELETE', `/v1/keys/${key.id}`);

  const { body } = await api.call('GET', '/v1/audit');
  const by = `ops (${key.id})`;
  expect(body.next).toBeNull();
  expect(body.items.map(({ id: _, at: __, ...entry }: { id: string; at: string }) => entry).reverse()).toEqual([
    {
      by: 'API_KEY',
      action: 'key.made',
      target: key.id,
      detail: { name: 'ops', scopes: ['admin', 'replay', 'reveal'], destinations: [] },
    },
    { by, action: 'destination.added', target: 'crm', detail: { type: 'webhook' } },
    {
      by,
      action: 'destination.changed',
      target: 'crm',
      detail: { changes: { timeoutMs: { before: 15_000, after: 1_000 } } },
    },
    { by, action: 'destination.secret_shown', target: 'crm' },
    { by, action: 'destination.paused', target: 'crm', detail: { reason: 'moving house' } },
    { by, action: 'destination.resumed', target: 'crm' },
    { by, action: 'destination.added', target: 'bot', detail: { type: 'pull' } },
    { by, action: 'destination.removed', target: 'crm', detail: { pending: 0, deadLetters: 0 } },
    { by, action: 'delivery.replayed', target: dead },
    { by, action: 'dead_letter.removed', target: other },
    ...Array.from({ length: 3 }, () => ({
      by,
      action: 'personal_data.searched',
      target: '/v1/dead-letters/remove',
      detail: { fields: ['from'] },
    })),
    {
      by,
      action: 'dead_letters.removed',
      target: 'bot2',
      detail: { destination: 'bot2', events: null, hasFilter: true, kind: 'refused', removed: 1 },
    },
    { by, action: 'quarantine.removed', target: qrt },
    {
      by: 'API_KEY',
      action: 'key.removed',
      target: key.id,
      detail: { name: 'ops', scopes: ['admin', 'replay', 'reveal'], destinations: [] },
    },
  ]);
  const actions = async (query: string) =>
    (await api.get(`/v1/audit?${query}`)).body.items.map(({ action }: { action: string }) => action);
  expect(await actions('target=crm&action=destination.s')).toEqual(['destination.secret_shown']);
  expect(await actions('by=API_KEY')).toEqual(['key.removed', 'key.made']);
  expect(await actions('by=API_KEY&limit=1')).toEqual(['key.removed']);
  expect(await actions(`until=${body.items.at(-1).at}`)).toEqual([]);
  expect(await actions('target=none')).toEqual([]);
  const [newest, second] = body.items;
  expect((await api.call('GET', `/v1/audit?limit=1&cursor=${newest.id}`)).body.items).toEqual([second]);
});
