import { listEvents, readDestination } from '@clickrelay/queue';
import { startDestination } from '@clickrelay/testkit';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Api, startApi } from './start-api.ts';

let api: Api;
let crm: Awaited<ReturnType<typeof startDestination>>;
let status = 200;
beforeAll(async () => {
  api = await startApi();
  crm = await startDestination({ answer: () => ({ status, body: 'seen' }) });
  const url = `http://127.0.0.1:${crm.port}/hook`;
  await api.call('PUT', '/v1/destinations/crm', { type: 'webhook', url, format: 'clickatell' });
  await api.call('PUT', '/v1/destinations/bot', { type: 'pull' });
});
afterAll(async () => {
  await crm.close();
  await api.stop();
});
const secretsOf = async () => (await readDestination(api.store, 'crm'))?.config['secret'];

it('sends a signed sample that is marked as a test, and keeps nothing of it', async () => {
  await api.call('POST', '/v1/destinations/crm/pause', {});
  const { status: answered, body } = await api.call('POST', '/v1/destinations/crm/test', { type: 'moMedia' });
  expect([answered, body]).toEqual([
    200,
    {
      delivered: true,
      status: 200,
      durationMs: expect.any(Number),
      response: 'seen',
      error: null,
      format: 'clickatell',
      event: expect.objectContaining({ type: 'moMedia', integrationName: 'Clickrelay test' }),
    },
  ]);
  const sent = crm.requests.at(-1);
  expect(sent?.headers['clickrelay-test']).toBe('true');
  expect(sent?.headers['webhook-id']).toBe(body.event.id);
  expect(JSON.parse(sent?.body ?? '')).toMatchObject({ integrationName: 'Clickrelay test', event: { moMedia: [{}] } });
  new Webhook(String(await secretsOf())).verify(sent?.body ?? '', sent?.headers as Record<string, string>);
  expect((await listEvents(api.store, { limit: 1 })).items).toEqual([]);
  expect((await api.call('GET', '/v1/ledger')).body.destinations).toEqual([]);
  expect((await api.call('GET', '/v1/audit?limit=1')).body.items[0]).toMatchObject({
    action: 'destination.tested',
    target: 'crm',
  });
});

it('reports why a destination did not accept it', async () => {
  status = 401;
  const { body } = await api.call('POST', '/v1/destinations/crm/test');
  expect(body).toMatchObject({
    delivered: false,
    status: 401,
    response: 'seen',
    error: { code: 'destination_rejected', message: expect.stringContaining('answered 401') },
    event: { type: 'moText' },
  });
  await api.call('PUT', '/v1/destinations/private', { type: 'webhook', url: 'http://10.0.0.1/' });
  expect((await api.call('POST', '/v1/destinations/private/test')).body).toMatchObject({
    delivered: false,
    status: null,
    error: { message: expect.stringContaining('EGRESS_ALLOW') },
  });
});

it.each([
  ['bot', {}, 409, 'not_a_webhook_destination'],
  ['none', {}, 404, 'not_found'],
  ['crm', { type: 'moNothing' }, 400, 'invalid_request'],
])('a test of %s with %j is refused', async (id, body, code, word) => {
  expect(await api.call('POST', `/v1/destinations/${id}/test`, body)).toMatchObject({
    status: code,
    body: { error: { code: word } },
  });
});

it('rotates the secret: the old one signs too for the chosen time', async () => {
  status = 200;
  const old = String(await secretsOf());
  const { body } = await api.call('POST', '/v1/destinations/crm/rotate-secret', { keepOldFor: '1h' });
  expect(body).toEqual({
    id: 'crm',
    secrets: [{ secret: expect.stringMatching(/^whsec_/), until: null }],
    oldUntil: expect.any(String),
  });
  expect(Date.parse(body.oldUntil) - Date.now()).toBeGreaterThan(3_500_000);
  expect(await secretsOf()).toEqual([body.secrets[0].secret, { secret: old, until: body.oldUntil }]);
  await api.call('POST', '/v1/destinations/crm/test');
  const sent = crm.requests.at(-1);
  for (const secret of [old, body.secrets[0].secret]) {
    new Webhook(secret).verify(sent?.body ?? '', sent?.headers as Record<string, string>);
  }
  const { body: leaked } = await api.call('POST', '/v1/destinations/crm/rotate-secret', { keepOldFor: '0s' });
  expect(leaked.oldUntil).toBeNull();
  expect(await secretsOf()).toEqual([leaked.secrets[0].secret]);
  const audit = (await api.call('GET', '/v1/audit?limit=1')).body.items[0];
  expect(audit).toMatchObject({ action: 'destination.secret_rotated', target: 'crm', detail: { oldUntil: null } });
});

it('loses no rotation and no pause when several come at once', async () => {
  const rotated = await Promise.all([
    ...Array.from({ length: 5 }, () => api.call('POST', '/v1/destinations/crm/rotate-secret', {})),
    api.call('POST', '/v1/destinations/crm/pause', { reason: 'meanwhile' }),
  ]);
  const kept = JSON.stringify(await secretsOf());
  for (const { body } of rotated.slice(0, 5)) expect(kept).toContain(body.secrets[0].secret);
  expect((await readDestination(api.store, 'crm'))?.paused).toBe('meanwhile');
});

it.each([
  ['bot', {}, 404],
  ['none', {}, 404],
  ['crm', { keepOldFor: '31d' }, 400],
  ['crm', { keepOldFor: 'a while' }, 400],
])('does not rotate %s with %j', async (id, body, code) => {
  expect((await api.call('POST', `/v1/destinations/${id}/rotate-secret`, body)).status).toBe(code);
});
