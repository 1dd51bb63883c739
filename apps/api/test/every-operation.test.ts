import { deliveryId } from '@clickrelay/core';
import { createMessageIndex, openSession, quarantineCallback } from '@clickrelay/queue';
import { startDestination } from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { findCallers } from '../src/authenticate.ts';
import { openApiDocument } from '../src/openapi.ts';
import type { Operation } from '../src/operation.ts';
import { publishReceiver } from './sample-receiver.ts';
import { API_KEY, type Api, endDelivery, logEvent, operations, startApi } from './start-api.ts';

/** Every documented operation by method and path, with how often its answer was as documented. */
const calls = new Map<string, number>();
const documented = openApiDocument(operations, '1') as { paths: Record<string, Record<string, unknown>> };
let api: Api;
let crm: Awaited<ReturnType<typeof startDestination>>;
beforeAll(async () => {
  crm = await startDestination();
});
afterEach(() => api.stop());
afterAll(() => crm.close());

/** Calls an operation, and checks its answer against its documented schema. */
const call = async (
  operation: string,
  names: Record<string, string> = {},
  body?: unknown,
  query = '',
  headers?: Record<string, string>,
  // biome-ignore lint/suspicious/noExplicitAny: the answer was checked by its schema
): Promise<any> => {
  const [method = '', template = ''] = operation.split(' ');
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? 'not-given'));
  const { status = 200, response } = operations.find(
    (one) => one.method === method && one.path === template,
  ) as Operation;
  const answer = await api.call(method.toUpperCase(), path + query, body, headers);
  expect([operation, answer.status], JSON.stringify(answer.body)).toEqual([operation, status]);
  if (response === undefined) expect(answer.body).toBeUndefined();
  else {
    const { error } = response.safeParse(answer.body);
    expect(error, operation).toBeUndefined();
  }
  calls.set(operation, (calls.get(operation) ?? Number.NaN) + 1);
  return answer.body;
};

const callAccess = async (): Promise<{ id: string }> => {
  const key = await call('post /v1/keys', {}, { name: 'x', scopes: ['lease'], destinations: ['bot'] });
  await call('get /v1/keys');
  await call('get /v1/whoami');
  const { id } = await call('post /v1/credentials');
  await call('post /v1/credentials', {}, { kind: 'basic' });
  await call('post /v1/credentials/{id}/revoke', { id });
  await call('post /v1/credentials/{id}/restore', { id });
  await call('get /v1/credentials');
  return key;
};

const callDestinations = async (): Promise<void> => {
  const webhook = { type: 'webhook', url: `http://127.0.0.1:${crm.port}/`, events: ['moMedia'] };
  await call('put /v1/destinations/{id}', { id: 'crm' }, webhook);
  await call('post /v1/destinations/apply', {}, { destinations: [{ id: 'bot', type: 'pull' }] });
  await call('patch /v1/destinations/{id}', { id: 'crm' }, { timeoutMs: 9_000 });
  await call('get /v1/destinations');
  await call('get /v1/destinations/{id}', { id: 'crm' });
  await call('get /v1/destinations/{id}/secret', { id: 'crm' });
  await call('post /v1/destinations/{id}/rotate-secret', { id: 'crm' });
  await call('get /v1/destinations/{id}/secret', { id: 'crm' });
  await call('post /v1/destinations/{id}/test', { id: 'crm' }, { type: 'messageStatusUpdate' });
  await call('post /v1/destinations/{id}/pause', { id: 'crm' });
  await call('post /v1/destinations/{id}/resume', { id: 'crm' });
};

const callAlerts = async (): Promise<void> => {
  const channel = { type: 'slack', url: `http://127.0.0.1:${crm.port}/` };
  await call('put /v1/alerts/channels/{id}', { id: 'ops' }, channel);
  await call('get /v1/alerts/channels');
  await call('get /v1/alerts/channels/{id}', { id: 'ops' });
  await call('post /v1/alerts/channels/{id}/test', { id: 'ops' });
  await call('get /v1/alerts');
  await call('delete /v1/alerts/channels/{id}', { id: 'ops' });
};

const callEverything = async (onCluster: boolean): Promise<void> => {
  for (const [path, methods] of Object.entries(documented.paths)) {
    for (const method of Object.keys(methods)) calls.set(`${method} ${path}`, 0);
  }
  api = await startApi({ onCluster });
  const { store } = api;
  const key = await callAccess();
  await call('post /v1/session', {}, { key: API_KEY });
  const { sessionId } = await openSession(
    store,
    String((await findCallers(API_KEY, store)(API_KEY))?.keyId),
    Date.now(),
  );
  const cookie = { cookie: `clickrelay=${sessionId}` };
  const { csrfToken } = await call('get /v1/session', {}, undefined, '', cookie);
  const own = { ...cookie, 'x-csrf-token': csrfToken, 'sec-fetch-site': 'same-origin' };
  await call('delete /v1/session', {}, undefined, '', own);
  await call('delete /v1/keys/{id}', { id: key.id });

  await callDestinations();
  await callAlerts();

  const logged = await logEvent(store, 'moText', { clientMessageId: 'ours' });
  const { id, messageId } = logged.event;
  await createMessageIndex(store).add([logged.event]);
  const dead = await endDelivery(api, logged, 'bot', 'dead_letter');
  await call('get /v1/events');
  await call('get /v1/events', {}, undefined, '?order=asc&include=deliveries');
  await call('get /v1/events/{id}', { id });
  await call('get /v1/messages/{messageId}', { messageId: messageId ?? '' });
  await call('get /v1/messages', {}, undefined, '?clientMessageId=ours');
  await call('post /v1/messages/reindex');
  await call('get /v1/destinations/{id}/match', { id: 'bot' }, undefined, `?event=${id}`);
  await call('get /v1/destinations/{id}/hours', { id: 'bot' });
  await call('get /v1/deliveries/{id}', { id: dead });
  await call('get /v1/deliveries', {}, undefined, '?state=dead_letter');
  await call('get /v1/deliveries', {}, undefined, '?order=next&destination=bot');
  await call('get /v1/dead-letters');
  await call('get /v1/dead-letters/groups');
  await call('get /v1/overview');
  await call('get /v1/lag');
  const { conditions } = await api.health.look();
  await call('get /v1/health');
  const { code, subject } = conditions[0] as (typeof conditions)[number];
  await call('post /v1/health/acknowledge', {}, { code, subject, for: '1h', note: 'known' });
  await call('post /v1/health/withdraw', {}, { code, subject });
  const stop = new AbortController();
  const authorization = `Bearer ${API_KEY}`;
  const stream = await fetch(`${api.url}/v1/stream`, { headers: { authorization }, signal: stop.signal });
  expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  calls.set('get /v1/stream', 1);
  stop.abort();
  await call('post /v1/find', {}, { text: id });
  await call('get /v1/ledger');
  await call('get /v1/intake');
  await call('get /v1/hours');
  await call('get /v1/lag');
  await call('get /v1/status');
  await call('get /v1/setup');
  const port = crm.port;
  await publishReceiver(store, { host: '127.0.0.1', port, pathPrefix: '', credentials: [] });
  await call('get /v1/parts');
  await call('get /v1/lag');
  await call('get /v1/setup');
  await call('post /v1/setup/test-callback');

  await call('post /v1/replays', {}, { dryRun: true, except: [dead] });
  await call('post /v1/replays', {}, { dryRun: true, deliveries: [dead] });
  const { replay } = await call('post /v1/replays', {}, { destination: 'bot', rate: '1/h' });
  await call('get /v1/replays');
  await call('get /v1/replays/{id}', { id: replay.id });
  await call('get /v1/replays/{id}/failed', { id: replay.id });
  for (const state of ['paused', 'cancelled']) await call('patch /v1/replays/{id}', { id: replay.id }, { state });

  await call('post /v1/deliveries/{id}/replay', { id: dead });
  await call('get /v1/destinations/{id}/peek', { id: 'bot' });
  const lease = { max: 1, waitMs: 5_000 };
  const [one] = (await call('post /v1/destinations/{id}/lease', { id: 'bot' }, lease)).deliveries;
  const held = { deliveryId: one.deliveryId, leaseToken: one.leaseToken };
  await call('post /v1/destinations/{id}/extend', { id: 'bot' }, held);
  await call('post /v1/destinations/{id}/nack', { id: 'bot' }, { ...held, retry: false });
  await call('post /v1/dead-letters/remove', {}, { dryRun: true });
  await call('post /v1/dead-letters/remove', {}, { deliveries: [dead, deliveryId(id, 'crm')] });
  const third = await endDelivery(api, await logEvent(store), 'bot', 'dead_letter');
  await call('delete /v1/dead-letters/{deliveryId}', { deliveryId: third });
  const other = await logEvent(store);
  await endDelivery(api, other, 'bot', 'delivered');
  await call('post /v1/deliveries/{id}/replay', { id: deliveryId(other.event.id, 'bot') });
  const [two] = (await call('post /v1/destinations/{id}/lease', { id: 'bot' }, lease)).deliveries;
  await call(
    'post /v1/destinations/{id}/ack',
    { id: 'bot' },
    { deliveryId: two.deliveryId, leaseToken: two.leaseToken },
  );

  const [claim] = (await call('post /v1/once', {}, { keys: ['a message'] })).claims;
  await call('post /v1/once/settle', {}, { outcomes: [{ key: claim.key, token: claim.token, outcome: 'unknown' }] });
  await call('post /v1/once', {}, { keys: ['a message'] });

  const put = (text: string) =>
    quarantineCallback(store, { body: Buffer.from(text), reason: 'x', receivedAt: '2026-03-01T12:00:00.000Z' });
  const broken = await put('{');
  const whole = await put(JSON.stringify({ event: { moNew: [{ messageId: 'm' }] } }));
  await call('post /v1/quarantine/reparse', {}, { dryRun: true });
  await call('post /v1/quarantine/remove', {}, { dryRun: true });
  await call('get /v1/quarantine');
  await call('get /v1/quarantine/{id}', { id: broken });
  await call('delete /v1/quarantine/{id}', { id: broken });
  await call('post /v1/quarantine/{id}/reparse', { id: whole });

  await call('delete /v1/destinations/{id}', { id: 'crm' }, undefined, '?expected=100');
  await call('get /v1/audit');

  const never = [...calls].filter(([, count]) => !(count > 0)).map(([operation]) => operation);
  expect(never).toEqual([]);
};

it('every documented operation answers as documented', () => callEverything(false));

it('every documented operation answers as documented on a Redis Cluster too', () => callEverything(true));
