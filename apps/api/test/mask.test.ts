import { deliveryId, type LoggedEvent, splitCallback } from '@clickrelay/core';
import {
  createAttemptLog,
  createEventLog,
  createMessageIndex,
  enqueueDeliveries,
  putDestination,
  quarantineCallback,
} from '@clickrelay/queue';
import { type SampleType, sampleCallback, samples } from '@clickrelay/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, operations, startApi } from './start-api.ts';

// Prefix of every text of every sample. Every phone number becomes a recognizable one.
const CANARY = 'cAnArY';
const NUMBER = 777_123;
const PARTY = '27999123401';

const withCanaries = (value: unknown, name = ''): unknown => {
  // Fields that say nothing about a person.
  if (/^(messageId|relatedMessageId|clientMessageId|timestamp|channel|statusCode|status)$/.test(name)) return value;
  if (/^l(at|ong)itu[dt]e$/.test(name)) return `7.${NUMBER}`;
  if (name === 'from' || name === 'to') return PARTY;
  if (typeof value === 'string') return `${CANARY} ${value}`.slice(0, 200);
  if (typeof value === 'number') return NUMBER;
  if (Array.isArray(value)) return value.map((item) => withCanaries(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries([
    ...Object.entries(value).map(([key, inner]) => [key, withCanaries(inner, key)]),
    [`${CANARY}Key`, CANARY],
  ]);
};

let api: Api;
const logged: LoggedEvent[] = [];
let quarantined: string;
let headers: Record<'read' | 'reveal', Record<string, string>>;

beforeAll(async () => {
  api = await startApi();
  await putDestination(api.store, { id: 'crm', type: 'pull', events: ['*'], paused: null, config: {} });
  const types = [...Object.keys(samples.byType), `mo 27999123401 ${CANARY}`, 'moNew'];
  for (const type of types) {
    const { event, ...rest } = sampleCallback(type as SampleType, {
      relatedMessageId: 'asked',
      clientMessageId: 'ours',
      channel: type === 'moNew' ? `${CANARY} 27999123401` : 'whatsapp',
      ...(type === 'messageStatusUpdate' && { messageId: 'asked', status: `${CANARY} 27999123401` }),
    });
    const canaries = Object.fromEntries(Object.entries(event).map(([name, list]) => [name, withCanaries(list)]));
    logged.push(...splitCallback(JSON.stringify({ ...rest, event: canaries }), '2026-03-01T12:00:00.000Z'));
  }
  // Valid events have more fields to show.
  expect(logged.filter(({ event }) => event.valid === false)).toEqual([]);
  await createEventLog(api.store, { dedupeTtlMs: 3_600_000 }).append('test', logged, Date.now());
  await createMessageIndex(api.store).add(logged.map(({ event }) => event));
  const attempts = createAttemptLog(api.store);
  for (const { event } of logged) {
    await enqueueDeliveries(api.store, 'crm', [{ eventId: event.id }]);
    await attempts.record({
      eventId: event.id,
      destinationId: 'crm',
      startedAtMs: Date.now() - 1_000,
      durationMs: 5,
      outcome: { kind: 'retry', delayMs: 0 },
      status: 500,
      error: { code: 'destination_rejected', message: 'crm.example.com answered 500' },
      response: `thank you, ${CANARY}`,
    });
  }
  // A lease hands out the waiting deliveries.
  for (let nacked = 0; nacked < logged.length; ) {
    const { deliveries } = (await api.call('POST', '/v1/destinations/crm/lease', { max: 100, waitMs: 5_000 })).body;
    for (const { deliveryId: id, leaseToken } of deliveries) {
      const nack = { deliveryId: id, leaseToken, error: `${CANARY} says no`, retry: false };
      await api.call('POST', '/v1/destinations/crm/nack', nack);
    }
    nacked += deliveries.length;
  }
  const body = Buffer.from(`{"text":"${CANARY} ${PARTY}"`);
  quarantined = await quarantineCallback(api.store, {
    body,
    reason: 'no JSON',
    receivedAt: '2026-03-01T12:00:00.000Z',
  });
  const make = async (scopes: string[]) => ({
    authorization: `Bearer ${(await api.call('POST', '/v1/keys', { name: 'x', scopes })).body.key}`,
  });
  headers = {
    read: await make(['read', 'replay']),
    reveal: await make(['read', 'replay', 'reveal']),
  };
});
afterAll(() => api.stop());

const paths = (): string[] => [
  '/v1/events',
  '/v1/events?order=asc&since=2020-01-01T00:00:00Z',
  '/v1/messages/asked',
  '/v1/messages?clientMessageId=ours',
  '/v1/deliveries',
  '/v1/dead-letters',
  '/v1/dead-letters/groups',
  '/v1/overview',
  '/v1/events?count=estimate&channel=whatsapp',
  '/v1/quarantine',
  `/v1/quarantine/${quarantined}`,
  ...logged.flatMap(({ event: { id } }) => [
    `/v1/events/${id}`,
    `/v1/deliveries/${deliveryId(id, 'crm')}`,
    `/v1/destinations/crm/match?event=${id}`,
  ]),
];

const withReveal = (path: string, reveal: string) => `${path}${path.includes('?') ? '&' : '?'}reveal=${reveal}`;

describe('personal data', () => {
  it.each([
    ['a key without the scope', 'read', undefined],
    ['a key with the scope that does not ask', 'reveal', undefined],
    ['a key with the scope that asks not to', 'reveal', 'false'],
    ['API_KEY that asks not to', undefined, 'false'],
  ] as const)('is in no byte that %s receives', async (_, key, reveal) => {
    for (const path of paths()) {
      const { status, body } = await api.call(
        'GET',
        reveal === undefined ? path : withReveal(path, reveal),
        undefined,
        key && headers[key],
      );
      const text = JSON.stringify(body);
      expect([status, path], text).toEqual([200, path]);
      expect(text).not.toContain(CANARY);
      expect(text).not.toContain(String(NUMBER));
      expect(text).not.toContain('123401');
    }
  });

  it('is hidden field by field; fields that say nothing about a person stay', async () => {
    const of = async (type: string) => {
      const id = logged.find(({ event }) => event.type === type)?.event.id;
      return (await api.call('GET', `/v1/events/${id}`, undefined, headers.read)).body;
    };
    const text = await of('moText');
    expect(text).toMatchObject({
      type: 'moText',
      channel: 'whatsapp',
      from: '…01',
      to: '…01',
      relatedMessageId: 'asked',
      data: { text: '(hidden)', profileName: '(hidden)', encryptionKey: null },
      raw: '(hidden)',
      deliveries: [
        {
          state: 'dead_letter',
          attempts: [
            {
              status: 500,
              error: { code: 'destination_rejected', message: 'crm.example.com answered 500' },
              response: '(hidden)',
            },
            { outcome: 'dead_letter', error: { code: 'nacked', message: '(hidden)' }, response: '' },
          ],
        },
      ],
    });
    expect((await of('messageStatusUpdate')).data).toMatchObject({
      class: expect.any(String),
      final: expect.any(Boolean),
    });
    expect((await of('moMedia')).data.files[0]).toMatchObject({ inline: true, fileName: null, byteSize: null });
    expect((await of('moLocation')).data).toMatchObject({ latitude: '(hidden)', longitude: '(hidden)' });
    expect((await of('moNew')).channel).toBe('(hidden)');
    const letters = (await api.call('GET', '/v1/dead-letters', undefined, headers.read)).body.items;
    const shown = letters.map(({ error, errorCode }: { error: string; errorCode: string }) => [errorCode, error]);
    expect(shown).toEqual(logged.map(() => ['nacked', '(hidden)']));
    const found = (await api.call('GET', `/v1/quarantine/${quarantined}`, undefined, headers.read)).body;
    expect(found).toMatchObject({ id: quarantined, reason: 'no JSON', body: null });
  });

  it('is shown to a caller that may see it and asks for it, which the audit record notes', async () => {
    const [path] = paths().slice(-3);
    expect(await api.call('GET', withReveal(path as string, 'true'), undefined, headers.read)).toMatchObject({
      status: 403,
      body: { error: { code: 'forbidden_scope' } },
    });
    const before = (await api.call('GET', '/v1/audit')).body.items.length;
    const one = await api.call('GET', withReveal(path as string, 'true'), undefined, headers.reveal);
    expect(JSON.stringify(one.body)).toContain(CANARY);
    const list = await api.call('GET', '/v1/events?limit=2&reveal=true', undefined, headers.reveal);
    expect(JSON.stringify(list.body)).toContain(CANARY);
    await api.call('GET', '/v1/events?since=2099-01-01T00:00:00Z&reveal=true', undefined, headers.reveal);
    const entries = (await api.call('GET', '/v1/audit')).body.items;
    expect(entries.slice(0, entries.length - before)).toMatchObject([
      {
        by: expect.stringMatching(/^x \(key_/),
        action: 'personal_data.revealed',
        target: '/v1/events',
        detail: { items: 2, first: list.body.items[0].id, last: list.body.items[1].id },
      },
      { action: 'personal_data.revealed', target: path },
    ]);
  });

  it('is not shown when the audit record cannot be written', async () => {
    await api.store.redis.del('cr:{registry}:audit');
    await api.store.redis.set('cr:{registry}:audit', 'in the way');
    const { status, body } = await api.call('GET', '/v1/events?reveal=true', undefined, headers.reveal);
    expect([status, JSON.stringify(body).includes(CANARY)]).toEqual([500, false]);
    await api.store.redis.del('cr:{registry}:audit');
  });

  it('is shown to API_KEY, which may see everything', async () => {
    expect((await api.call('GET', `/v1/events/${logged[0]?.event.id}`)).body.raw).toEqual(logged[0]?.event.raw);
  });

  it('is hidden in every operation that returns events, deliveries, dead letters or quarantined bodies', () => {
    const unmasked = operations.filter(
      ({ mask, scopes }) => mask === undefined && !scopes.every((scope) => scope === 'lease'),
    );
    // Operations without personal data in their answers. Check before you add one here.
    expect(unmasked.map(({ method, path }) => `${method} ${path}`).sort()).toMatchInlineSnapshot(`
      [
        "delete /v1/alerts/channels/{id}",
        "delete /v1/dead-letters/{deliveryId}",
        "delete /v1/destinations/{id}",
        "delete /v1/keys/{id}",
        "delete /v1/quarantine/{id}",
        "get /v1/alerts",
        "get /v1/alerts/channels",
        "get /v1/alerts/channels/{id}",
        "get /v1/audit",
        "get /v1/credentials",
        "get /v1/destinations",
        "get /v1/destinations/{id}",
        "get /v1/destinations/{id}/hours",
        "get /v1/destinations/{id}/secret",
        "get /v1/health",
        "get /v1/hours",
        "get /v1/intake",
        "get /v1/keys",
        "get /v1/lag",
        "get /v1/ledger",
        "get /v1/overview",
        "get /v1/parts",
        "get /v1/quarantine",
        "get /v1/replays/{id}/failed",
        "get /v1/setup",
        "get /v1/status",
        "get /v1/stream",
        "patch /v1/destinations/{id}",
        "post /v1/alerts/channels/{id}/test",
        "post /v1/credentials",
        "post /v1/credentials/{id}/restore",
        "post /v1/credentials/{id}/revoke",
        "post /v1/dead-letters/remove",
        "post /v1/destinations/apply",
        "post /v1/destinations/{id}/pause",
        "post /v1/destinations/{id}/resume",
        "post /v1/destinations/{id}/rotate-secret",
        "post /v1/destinations/{id}/test",
        "post /v1/health/acknowledge",
        "post /v1/health/withdraw",
        "post /v1/keys",
        "post /v1/messages/reindex",
        "post /v1/quarantine/remove",
        "post /v1/quarantine/reparse",
        "post /v1/quarantine/{id}/reparse",
        "post /v1/setup/test-callback",
        "put /v1/alerts/channels/{id}",
        "put /v1/destinations/{id}",
      ]
    `);
  });
});
