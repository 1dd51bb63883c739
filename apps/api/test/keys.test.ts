import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, endDelivery, logEvent, operations, startApi } from './start-api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  for (const id of ['bot', 'n8n-one', 'other']) await api.call('PUT', `/v1/destinations/${id}`, { type: 'pull' });
  await api.call('PUT', '/v1/destinations/n8n-hook', { type: 'webhook', url: 'https://crm.example.com' });
});
afterAll(() => api.stop());

const create = async (scopes: string[], destinations?: string[]) => {
  const { status, body } = await api.call('POST', '/v1/keys', { name: 'test', scopes, destinations });
  expect(status).toBe(201);
  const call = (method: string, path: string, sent?: unknown) =>
    api.call(method, path, sent, { authorization: `Bearer ${body.key}` });
  return { body, call };
};

describe('a key', () => {
  it('is shown once, kept and listed as a hash only, and opens nothing once it is removed', async () => {
    const { body, call } = await create(['read']);
    expect(body).toEqual({
      id: expect.stringMatching(/^key_[0-9a-f]{12}$/),
      name: 'test',
      scopes: ['read'],
      destinations: [],
      createdAt: expect.any(String),
      key: expect.stringMatching(/^crk_[0-9a-f]{12}_[\w-]{43}$/),
    });
    const { key, ...told } = body;
    expect((await api.call('GET', '/v1/keys')).body.items).toContainEqual(told);
    const stored = JSON.stringify(await api.store.redis.hgetall('cr:{registry}:keys'));
    expect(stored).toContain(body.id);
    expect(stored).not.toContain(key.slice(-43));
    expect((await call('GET', '/v1/events')).status).toBe(200);
    const altered = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`;
    for (const wrong of [altered, key.slice(0, -1), `crk_${'0'.repeat(12)}_${'a'.repeat(43)}`]) {
      expect((await api.call('GET', '/v1/whoami', undefined, { authorization: `Bearer ${wrong}` })).status).toBe(401);
    }
    expect((await api.call('DELETE', `/v1/keys/${body.id}`)).status).toBe(204);
    expect((await call('GET', '/v1/events')).status).toBe(401);
    expect((await api.call('DELETE', `/v1/keys/${body.id}`)).status).toBe(404);
    expect(JSON.stringify(api.logged)).not.toContain(key.slice(-43));
  });

  it('can ask who it is', async () => {
    const { call } = await create(['lease', 'read'], ['bot', 'n8n-*']);
    expect(await call('GET', '/v1/whoami')).toMatchObject({
      status: 200,
      body: { name: 'test', scopes: ['lease', 'read'], destinations: ['bot', 'n8n-*'], version: '1.2.3' },
    });
    expect((await api.call('GET', '/v1/whoami')).body).toEqual({
      name: 'API_KEY',
      scopes: ['read', 'reveal', 'replay', 'admin', 'lease'],
      destinations: ['*'],
      version: '1.2.3',
    });
  });

  it.each([
    ['no name', { name: ' ', scopes: ['read'] }],
    ['no scope', { name: 'x', scopes: [] }],
    ['a scope that is none', { name: 'x', scopes: ['root'] }],
    ['lease bound to nothing', { name: 'x', scopes: ['lease'] }],
    ['destinations without lease', { name: 'x', scopes: ['read'], destinations: ['bot'] }],
    ['a destination that cannot be', { name: 'x', scopes: ['lease'], destinations: ['No Such'] }],
  ])('with %s is not created', async (_, body) => {
    expect(await api.call('POST', '/v1/keys', body)).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_request' } },
    });
  });
});

describe('a scope', () => {
  it('opens the operations that name it, and nothing else', async () => {
    const scopes = ['read', 'reveal', 'replay', 'admin', 'lease'] as const;
    const keys = await Promise.all(scopes.map((scope) => create([scope], scope === 'lease' ? ['*'] : undefined)));
    for (const [index, { call }] of keys.entries()) {
      const scope = scopes[index] as (typeof scopes)[number];
      for (const { method, path, scopes: needed, responseType } of operations) {
        // A stream does not end.
        if (responseType !== undefined && needed.includes(scope)) continue;
        const { status, body } = await call(
          method.toUpperCase(),
          path.replaceAll(/\{\w+\}/g, 'no-such'),
          method === 'get' ? undefined : '{',
        );
        const isOpen = needed.length === 0 || needed.includes(scope);
        expect([path, method, scope, status === 403], JSON.stringify(body)).toEqual([path, method, scope, !isOpen]);
        if (status === 403) {
          expect(body.error.code).toBe('forbidden_scope');
          for (const one of needed) expect(body.error.message).toContain(one);
        }
      }
    }
  });

  it('`replay` is enough to replay', async () => {
    const id = await endDelivery(api, await logEvent(api.store), 'crm', 'dead_letter');
    const { call } = await create(['replay']);
    expect((await call('POST', `/v1/deliveries/${id}/replay`)).status).toBe(202);
    expect((await call('GET', `/v1/deliveries/${id}`)).status).toBe(403);
  });
});

describe('a key that leases', () => {
  it('leases from the destinations it is bound to, and from no other', async () => {
    const { call } = await create(['lease'], ['bot', 'n8n-*']);
    const held = { deliveryId: `dlv_bot_${'a'.repeat(22)}`, leaseToken: 'x' };
    for (const [verb, body] of [
      ['lease', {}],
      ['ack', held],
      ['nack', held],
      ['extend', held],
    ] as const) {
      for (const id of ['bot', 'n8n-one']) {
        expect((await call('POST', `/v1/destinations/${id}/${verb}`, body)).status).not.toBe(403);
      }
      expect(await call('POST', `/v1/destinations/other/${verb}`, body)).toMatchObject({
        status: 403,
        body: { error: { code: 'forbidden_destination' } },
      });
    }
    expect((await call('GET', '/v1/destinations/bot/peek')).status).toBe(200);
    expect((await call('GET', '/v1/destinations/other/peek')).status).toBe(403);
  });

  it('sees, creates and changes its own pull destinations, but removes none', async () => {
    const { call } = await create(['lease'], ['bot', 'n8n-*']);
    const listed = (await call('GET', '/v1/destinations')).body.items.map(({ id }: { id: string }) => id);
    expect(listed).toEqual(['bot', 'n8n-one']);
    const pull = { type: 'pull', events: ['mo*'], channels: [' WhatsApp '], classes: ['failed'] };
    const { status, body } = await call('PUT', '/v1/destinations/n8n-two', pull);
    expect([status, body]).toEqual([
      200,
      {
        id: 'n8n-two',
        type: 'pull',
        events: ['mo*'],
        channels: ['whatsapp'],
        classes: ['failed'],
        paused: null,
        held: null,
        revision: expect.any(String),
        warnings: [],
      },
    ]);
    const { warnings: _, ...shown } = body;
    expect((await call('GET', '/v1/destinations/n8n-two')).body).toEqual(shown);
    const refused = (code: string) => ({ status: 403, body: { error: { code } } });
    const hook = { type: 'webhook', url: 'https://crm.example.com' };
    expect(await call('PUT', '/v1/destinations/n8n-two', hook)).toMatchObject(refused('forbidden_scope'));
    expect(await call('PUT', '/v1/destinations/n8n-hook', pull)).toMatchObject(refused('forbidden_scope'));
    expect(await call('PUT', '/v1/destinations/other', pull)).toMatchObject(refused('forbidden_destination'));
    expect(await call('GET', '/v1/destinations/other')).toMatchObject(refused('forbidden_destination'));
    expect(await call('GET', '/v1/destinations/n8n-hook')).toMatchObject(refused('forbidden_scope'));
    expect(await call('DELETE', '/v1/destinations/n8n-two')).toMatchObject(refused('forbidden_scope'));
    expect(await call('POST', '/v1/destinations/n8n-two/pause')).toMatchObject(refused('forbidden_scope'));
  });
});
