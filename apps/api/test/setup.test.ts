import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { splitCallback } from '@clickrelay/core';
import { createEventLog, reportTest } from '@clickrelay/queue';
import { freePort } from '@clickrelay/service/machine';
import { startDestination } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { publishReceiver, sampleReceiver } from './sample-receiver.ts';
import { type Api, logEvent, startApi } from './start-api.ts';

const SECRET = 'canary-secret';

let api: Api;
/** Stands in for the receiver and the proxy in front of it. */
let front: Awaited<ReturnType<typeof startDestination>>;
beforeEach(async () => {
  front = await startDestination();
});
afterEach(async () => {
  await front.close();
  await api.stop();
});

const start = async (publicUrl: string | undefined = `http://127.0.0.1:${front.port}`): Promise<void> => {
  api = await startApi({ publicUrl, callbackAuth: `query:${SECRET}, basic:clickatell:${SECRET}` });
};

const facts = sampleReceiver({ integrationIds: ['pinned'] });

const codesOf = (body: { problems: { code: string }[] }) => body.problems.map(({ code }) => code);

it('shows what to enter in the portal, and the credential only to a caller that may see it and asks', async () => {
  await start('https://hooks.example.com/');
  await publishReceiver(api.store, facts);
  const { status, body } = await api.call('GET', '/v1/setup');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    publicUrl: 'https://hooks.example.com/',
    callbackUrls: {
      public: {
        replies: 'https://hooks.example.com/in/one-api-reply?token=(hidden)',
        statuses: 'https://hooks.example.com/in/one-api-status?token=(hidden)',
      },
      local: { replies: 'http://localhost:8080/in/one-api-reply?token=(hidden)' },
    },
    credentials: [
      { kind: 'query', name: 'token', secret: '(hidden)' },
      { kind: 'basic', name: 'clickatell', secret: '(hidden)' },
    ],
    receivers: [{ process: 'a:1', pathPrefix: '/in', readiness: { ready: true }, spool: null }],
  });
  expect(JSON.stringify(body)).not.toContain(SECRET);
  expect(codesOf(body)).toEqual([]);

  const makeKey = async (...scopes: string[]) => {
    const made = await api.call('POST', '/v1/keys', { name: 'x', scopes });
    return { authorization: `Bearer ${made.body.key}` };
  };
  const refused = await api.call('GET', '/v1/setup?reveal=true', undefined, await makeKey('read'));
  expect([refused.status, refused.body.error.code]).toEqual([403, 'forbidden_scope']);
  const shown = await api.call('GET', '/v1/setup?reveal=true', undefined, await makeKey('read', 'reveal'));
  expect(shown.body.callbackUrls.public.replies).toBe(`https://hooks.example.com/in/one-api-reply?token=${SECRET}`);
  expect(shown.body.credentials[1]).toEqual({ kind: 'basic', name: 'clickatell', secret: SECRET });
  const [latest] = (await api.call('GET', '/v1/audit')).body.items;
  expect(latest).toMatchObject({ action: 'setup.credential_shown', target: 'CALLBACK_AUTH' });
  expect(JSON.stringify(api.logged)).not.toContain(SECRET);
});

it('lists what is wrong between Clickatell and the receiver, and what came first and last', async () => {
  let aheadMs = 0;
  api = await startApi({ now: () => Date.now() + aheadMs });
  await api.health.look();
  aheadMs = 40_000;
  await api.health.look();
  const before = (await api.call('GET', '/v1/setup')).body;
  expect(codesOf(before)).toEqual(expect.arrayContaining(['credential_unknown', 'no_public_url']));
  expect([before.credentials, before.callbackUrls]).toEqual([null, { public: null, local: null }]);

  const problems = [{ setting: 'appendonly', value: 'no', mend: 'set it to yes' }];
  const readiness = { ...facts.readiness, ready: false, problems };
  await publishReceiver(api.store, { ...facts, credentials: ['none'], readiness });
  const logged = await logEvent(api.store, 'messageStatusUpdate');
  const other = { ...logged, event: { ...logged.event, id: `${logged.event.id.slice(0, -4)}0000` } };
  const counted = { callbacks: 1, repeats: 0, ownRepeats: 0 };
  await createEventLog(api.store, { dedupeTtlMs: 60_000 }).append('s001', [{ ...other, counted }], Date.now());
  await api.health.look();
  aheadMs = 60_000;
  await api.health.look();
  const { body } = await api.call('GET', '/v1/setup');
  expect(codesOf(body)).toContain('no_public_url');
  expect(body.received).toEqual({
    messages: { firstAt: null, lastAt: null, last24h: 0 },
    statuses: { firstAt: expect.any(String), lastAt: expect.any(String), last24h: 1 },
  });
});

/** Takes test callbacks as the receiver and the worker behind it do. */
const takeCallbacks = (wantedBy: string[] = []): void => {
  front.answerWith(async ({ body }) => {
    const [logged] = splitCallback(body, new Date().toISOString());
    const { id, type, receivedAt } = (logged as NonNullable<typeof logged>).event;
    const report = {
      lane: 'messages' as const,
      receivedAt,
      splitAt: receivedAt,
      eventType: type,
      valid: true,
      wantedBy,
    };
    await reportTest(api.store, id, report);
    return { status: 200, body: '{"accepted":1}' };
  });
};
const test = async (body: object = {}) => (await api.call('POST', '/v1/setup/test-callback', body)).body;
const stepsOf = ({ steps }: { steps: { step: string; ok: boolean }[] }) =>
  steps.map(({ step, ok }) => `${step} ${ok ? 'ok' : 'WRONG'}`);

it('a test callback goes through the public address, and each step is reported', async () => {
  await start();
  takeCallbacks(['crm']);
  const result = await test();
  expect(stepsOf(result)).toEqual(['resolved ok', 'connected ok', 'answered ok', 'committed ok', 'split ok']);
  expect(result).toMatchObject({ ok: true, through: 'public', type: 'moText', wantedBy: ['crm'], deliveries: [] });
  expect(result.steps.at(-1).detail).toBe('1 event of the lane messages: moText; would go to crm');
  expect(front.requests[0]).toMatchObject({
    method: 'POST',
    path: `/client-callback/one-api-reply?token=${SECRET}`,
  });
  expect(JSON.parse(front.requests[0]?.body ?? '')).toMatchObject({ integrationName: 'Clickrelay test' });
  expect(JSON.stringify(result)).not.toContain(SECRET);
  const [latest] = (await api.call('GET', '/v1/audit')).body.items;
  expect(latest).toMatchObject({ action: 'setup.test_callback_sent', detail: { type: 'moText', deliver: false } });
});

it('a test callback is delivered on request, marked as a test, and to webhooks only', async () => {
  await start();
  takeCallbacks(['bot', 'crm']);
  const crm = await startDestination();
  await api.call('PUT', '/v1/destinations/crm', { type: 'webhook', url: `http://127.0.0.1:${crm.port}/` });
  await api.call('PUT', '/v1/destinations/bot', { type: 'pull' });
  expect((await test()).deliveries).toEqual([]);
  const { ok, deliveries } = await test({ type: 'messageStatusUpdate', deliver: true });
  const delivered = { destinationId: 'crm', delivered: true, status: 200, durationMs: expect.any(Number), error: null };
  expect([ok, deliveries]).toEqual([true, [delivered]]);
  expect(crm.requests).toHaveLength(1);
  expect(crm.requests[0]?.headers['clickrelay-test']).toBe('true');
  expect(front.requests[1]?.path).toContain('/one-api-status');
  await crm.close();
});

it('a redirect is reported as the problem, and not followed', async () => {
  await start();
  const behind = await startDestination();
  const location = `http://127.0.0.1:${behind.port}/there?token=${SECRET}`;
  front.answerWith(() => ({ status: 301, headers: { location } }));
  const result = await test();
  expect(stepsOf(result)).toEqual(['resolved ok', 'connected ok', 'answered WRONG']);
  expect(result.steps.at(-1)).toMatchObject({
    detail: `301: a redirect to http://127.0.0.1:${behind.port}/there`,
    mend: expect.stringContaining('Clickatell does not follow'),
  });
  expect(behind.requests).toEqual([]);
  await behind.close();
});

it.each([
  [401, '{"error":{"code":"wrong_credential"}}', '401: wrong_credential', 'the same CALLBACK_AUTH'],
  [403, '<h1>no</h1>', '403', 'CALLBACK_ALLOW_IPS'],
  [502, '', '502', 'does not reach the receiver'],
  [200, 'It works!', '200, but what answers is not the receiver', 'send the callback paths on'],
])('an answer of %i %s is reported with what to do', async (status, body, detail, mend) => {
  await start();
  front.answerWith(() => ({ status, body }));
  const result = await test();
  expect([result.ok, result.steps.at(-1)]).toMatchObject([
    false,
    { step: 'answered', ok: false, detail, mend: expect.stringContaining(mend) },
  ]);
});

it('a test callback that ends in quarantine is reported', async () => {
  await start();
  front.answerWith(() => ({ status: 200, body: '{"accepted":0,"quarantined":"qrt_1"}' }));
  expect((await test()).steps.at(-1)).toMatchObject({
    step: 'committed',
    ok: false,
    detail: 'it is in quarantine as qrt_1',
  });
});

it('a name without an address, a closed port and a server without TLS are each reported', async () => {
  await start('https://no-such-host.invalid');
  expect(stepsOf(await test())).toEqual(['resolved WRONG']);
  await api.stop();
  await start(`http://127.0.0.1:${await freePort()}`);
  expect(stepsOf(await test())).toEqual(['resolved ok', 'connected WRONG']);
  await api.stop();
  await start(`https://127.0.0.1:${front.port}`);
  expect(stepsOf(await test())).toEqual(['resolved ok', 'connected ok', 'tls WRONG']);
  expect(front.requests).toEqual([]);
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.warn('NOT RUN: a certificate that nobody trusts needs openssl');

it.skipIf(!hasOpenssl)('an untrusted certificate is reported, and its owner does not get the credential', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'clickrelay-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  spawnSync('openssl', [
    'req',
    '-x509',
    ...curve,
    '-keyout',
    key,
    '-out',
    cert,
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
  ]);
  let requests = 0;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => {
    requests++;
    response.end('{"accepted":1}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await start(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const result = await test();
  expect(stepsOf(result)).toEqual(['resolved ok', 'connected ok', 'tls WRONG']);
  expect(result.steps.at(-1).detail).toContain('is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)');
  expect(requests).toBe(0);
  server.close();
  rmSync(folder, { recursive: true });
});

it('without PUBLIC_URL only the receiver is tested, and without a receiver nothing can be tested', async () => {
  api = await startApi({ callbackAuth: `basic:clickatell:${SECRET}` });
  const refused = await api.call('POST', '/v1/setup/test-callback', {});
  expect([refused.status, refused.body.error.code]).toEqual([409, 'no_receiver']);
  await publishReceiver(api.store, { ...facts, host: '127.0.0.1', port: front.port });
  takeCallbacks();
  expect(await test()).toMatchObject({
    ok: true,
    through: 'local',
    url: `http://127.0.0.1:${front.port}/in/one-api-reply`,
  });
  expect(front.requests[0]?.headers.authorization).toMatch(/^Basic /);
  expect(JSON.parse(front.requests[0]?.body ?? '')).toMatchObject({ integrationId: 'pinned' });
});
