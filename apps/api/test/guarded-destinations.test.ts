import { enqueueDeliveries, readDestination } from '@clickrelay/queue';
import { beforeEach, describe, expect, it } from 'vitest';
import { endDelivery, logEvent, useApi } from './start-api.ts';

const api = useApi();
const { get } = api;
beforeEach(async () => {
  await api.store.redis.flushall();
  await api.store.redis.set('cr:{registry}:layout', '{"version":1,"shards":64}');
});

const url = 'https://crm.example.com/clickatell';
const path = '/v1/destinations/crm';
const audited = async () => (await get('/v1/audit?limit=1')).body.items[0];

describe('a destination that has something to lose', () => {
  it('is removed only by who says how much, and the audit record has the counts', async () => {
    await endDelivery(api, await logEvent(api.store), 'crm', 'dead_letter');
    for (let n = 0; n < 2; n++) {
      const { event } = await logEvent(api.store);
      await enqueueDeliveries(api.store, 'crm', [{ eventId: event.id }]);
    }
    const refused = await api.call('DELETE', path);
    expect(refused).toMatchObject({ status: 409, body: { error: { code: 'unexpected_count' } } });
    expect(refused.body.error.message).toBe(
      '2 pending deliveries and 1 dead letters would be lost with crm; ' +
        'if you mean that, say so with `expected=3`; nothing was removed',
    );
    expect((await api.call('DELETE', `${path}?expected=2`)).status).toBe(409);
    expect((await get(path)).status).toBe(200);
    expect((await api.call('DELETE', `${path}?expected=3`)).status).toBe(204);
    expect((await get(path)).status).toBe(404);
    expect(await audited()).toMatchObject({
      action: 'destination.removed',
      target: 'crm',
      detail: { pending: 2, deadLetters: 1 },
    });
  });
});

describe('a destination that is there', () => {
  const declared = {
    type: 'webhook',
    url,
    events: ['mo*'],
    filter: "event.from == '2799900001'",
    transform: '{"said": data.text}',
    headers: { 'X-Key': 'canary-1', 'x-other': 'canary-2' },
    auth: { type: 'bearer', token: 'canary-3' },
    proxy: { url: 'http://proxy.example.com:3128', username: 'us', password: 'canary-5' },
    retrySchedule: '0s,5s',
    rate: '50/s',
    ordering: 'conversation',
  };

  it('is not replaced by one that was to be new, and what differs is told without a secret', async () => {
    await api.call('PUT', path, declared);
    const before = await readDestination(api.store, 'crm');
    const { status, body } = await api.call('PUT', `${path}?onlyNew=true`, { type: 'webhook', url: `${url}/2` });
    expect([status, body.error.code]).toEqual([409, 'destination_exists']);
    expect(body.error.issues).toEqual([
      { path: 'auth', message: 'is another one there' },
      { path: 'events', message: 'is ["mo*"] there, and would be ["*"]' },
      { path: 'filter', message: 'is another one there' },
      { path: 'headers', message: 'is another one there' },
      { path: 'ordering', message: 'is "conversation" there, and would be gone' },
      { path: 'proxy', message: 'is another one there' },
      { path: 'rate', message: 'is "50/s" there, and would be gone' },
      { path: 'retrySchedule', message: 'is "0s,5s" there, and would be gone' },
      { path: 'transform', message: 'is another one there' },
      { path: 'url', message: 'is another one there' },
    ]);
    expect(await readDestination(api.store, 'crm')).toEqual(before);
    // The same again is no replacement.
    expect((await api.call('PUT', `${path}?onlyNew=true`, declared)).status).toBe(200);
    expect((await api.call('PUT', '/v1/destinations/new?onlyNew=true', { type: 'pull' })).status).toBe(200);
  });

  it('keeps every setting that a change does not name', async () => {
    const { secret } = (await api.call('PUT', path, declared)).body;
    const before = await readDestination(api.store, 'crm');
    expect(await api.call('PATCH', path, {})).toMatchObject({ status: 200, body: { secret: '(hidden)' } });
    expect(await readDestination(api.store, 'crm')).toEqual(before);

    const changes = { timeoutMs: 1_000, rate: null, headers: { 'X-Key': 'canary-4', 'x-other': null } };
    const { status, body } = await api.call('PATCH', path, changes);
    expect([status, body.rate, body.transform, body.headers]).toEqual([
      200,
      undefined,
      declared.transform,
      { 'x-key': '(hidden)' },
    ]);
    const { rate: _, ...config } = before?.config ?? {};
    expect(await readDestination(api.store, 'crm')).toEqual({
      ...before,
      config: { ...config, timeoutMs: 1_000, headers: { 'x-key': 'canary-4' }, secret },
    });
    expect((await audited()).detail).toEqual({
      changes: {
        headers: 'changed',
        rate: { before: '50/s', after: null },
        timeoutMs: { before: 15_000, after: 1_000 },
      },
    });
    await api.call('PATCH', path, { url: 'https://other.example/x', headers: null, auth: null, filter: null });
    expect((await audited()).detail).toEqual({
      changes: {
        auth: 'changed',
        filter: 'changed',
        headers: 'changed',
        url: { before: 'https://crm.example.com', after: 'https://other.example' },
      },
    });
    const told = JSON.stringify([(await get('/v1/audit')).body, api.logged]);
    for (const secretText of ['canary', 'whsec_', '2799900001']) expect(told).not.toContain(secretText);
  });

  it.each([
    ['a value that does not fit', { timeoutMs: 1 }, 'timeoutMs'],
    ['a setting that does not exist', { colour: 'canary' }, ''],
    ['another type', { type: 'pull' }, 'type'],
    ['a pause, which has commands of its own', { paused: 'canary' }, ''],
  ])('refuses %s, and stays as it was', async (_, changes, place) => {
    await api.call('PUT', path, declared);
    const before = await readDestination(api.store, 'crm');
    const { status, body } = await api.call('PATCH', path, changes);
    expect([status, body.error.code, body.error.issues[0].path]).toEqual([400, 'invalid_request', place]);
    expect(JSON.stringify(body)).not.toContain('canary');
    expect(await readDestination(api.store, 'crm')).toEqual(before);
  });

  it('tells no secret to another host because of a change of its URL', async () => {
    await api.call('PUT', path, declared);
    expect(await api.call('PATCH', path, { url: 'https://evil.example/' })).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_destinations' } },
    });
    expect((await readDestination(api.store, 'crm'))?.config['url']).toBe(url);
    expect((await api.call('PATCH', '/v1/destinations/none', {})).status).toBe(404);
  });
});
