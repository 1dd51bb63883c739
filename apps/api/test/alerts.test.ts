import { startDestination } from '@clickrelay/testkit';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useApi } from './start-api.ts';

const api = useApi();
let receiver: Awaited<ReturnType<typeof startDestination>>;
beforeAll(async () => {
  receiver = await startDestination();
});
afterAll(() => receiver.close());

const path = (id: string): string => `/v1/alerts/channels/${id}`;
const put = (id: string, body: object) => api.call('PUT', path(id), body);
const canary = (): string => `${receiver.url}services/canary-url`;

it('a channel is added with defaults, and its URL is in no answer', async () => {
  const added = await put('team', { type: 'slack', url: canary() });
  expect([added.status, added.body]).toEqual([
    200,
    {
      id: 'team',
      type: 'slack',
      url: '(hidden)',
      severities: ['critical', 'warning'],
      codes: ['*'],
      groupWait: '30s',
      groupInterval: '5m',
      repeat: { critical: '4h', warning: '24h' },
      quiet: null,
      sendResolved: true,
      failing: null,
      warnings: [],
    },
  ]);
  const { warnings: _, ...shown } = added.body;
  expect((await api.get(path('team'))).body).toEqual(shown);
  expect((await api.get('/v1/alerts/channels')).body).toEqual({ items: [shown], next: null });
});

it('a signing secret is shown once, and is kept when it is left out', async () => {
  const added = await put('hook', { type: 'webhook', url: canary() });
  const { secret } = added.body;
  expect(secret).toMatch(/^whsec_/);
  expect((await put('hook', { type: 'webhook', url: '(hidden)', sendResolved: false })).body.secret).toBe('(hidden)');
  const before = receiver.requests.length;
  const tested = await api.call('POST', `${path('hook')}/test`);
  expect(tested.body).toEqual({ delivered: true, status: 200, error: null, note: null });
  const { body, headers } = receiver.requests[before] as (typeof receiver.requests)[0];
  const sent = new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, unknown>;
  expect([sent['type'], headers['webhook-id']]).toEqual(['clickrelay.test', expect.stringMatching(/^alt_/)]);
});

it.each([
  [{ type: 'slack' }, 'url: is left out, and there is none to keep'],
  [{ type: 'slack', url: 'canary' }, 'url: url must be an absolute URL'],
  [{ type: 'slack', url: 'https://h.example/canary', codes: ['nothing_like_that_*'] }, 'codes.0: must match a code'],
  [
    { type: 'slack', url: 'https://h.example/canary', quiet: { from: '08:00', to: '08:00', timeZone: 'UTC' } },
    'quiet.to: must not be the time of `from`',
  ],
  [
    { type: 'slack', url: 'https://h.example/canary', quiet: { from: '22:00', to: '07:00', timeZone: 'Nowhere' } },
    'quiet.timeZone: must be a time zone',
  ],
])('what can never work is refused: %j', async (body, message) => {
  const { status, body: answer } = await put('never', body);
  const issues = answer.error.issues.map(
    (issue: { path: string; message: string }) => `${issue.path}: ${issue.message}`,
  );
  expect([status, answer.error.code, issues.join('\n')]).toEqual([
    400,
    'invalid_request',
    expect.stringContaining(message),
  ]);
  expect(JSON.stringify(answer)).not.toContain('canary');
  expect((await api.get(path('never'))).status).toBe(404);
});

it('a channel that this API may not call is added with a warning that names nothing of it', async () => {
  const { body } = await put('inside', { type: 'slack', url: 'https://10.0.0.7/canary' });
  expect(body.warnings).toEqual([
    'nothing is sent to a private address, or without https, unless EGRESS_ALLOW of the API opens the address',
  ]);
});

it('a test says what the service answered, in words of its own', async () => {
  await put('team', { type: 'slack', url: canary() });
  receiver.answerWith(() => ({ status: 404, body: 'channel_not_found' }));
  const test = () => api.call('POST', `${path('team')}/test`);
  expect((await test()).body).toEqual({
    delivered: false,
    status: 404,
    error: '404',
    note: 'it answered channel_not_found',
  });
  receiver.answerWith(() => ({ status: 500, body: 'canary of an answer' }));
  expect((await test()).body).toEqual({ delivered: false, status: 500, error: '500', note: null });
  receiver.answerWith(202);
  await put('flow', { type: 'teams', url: canary() });
  expect((await api.call('POST', `${path('flow')}/test`)).body).toEqual({
    delivered: true,
    status: 202,
    error: null,
    note: expect.stringMatching(/^the flow began; Teams does not say whether it posted/),
  });
  const { items } = (await api.get('/v1/alerts?limit=2')).body;
  expect(items).toEqual([
    {
      id: expect.stringMatching(/^alt_/),
      at: expect.any(String),
      channelId: 'flow',
      what: 'test',
      code: 'test',
      severity: 'info',
      subject: { kind: 'channel', id: 'flow' },
      status: 202,
      error: null,
      tries: 1,
    },
    expect.objectContaining({ channelId: 'team', status: 500, error: '500' }),
  ]);
  expect((await api.call('POST', `${path('nobody')}/test`)).status).toBe(404);
});

it('a removed channel is gone, and each change is in the audit record without its secrets', async () => {
  await put('ops', { type: 'webhook', url: canary() });
  await put('ops', { type: 'webhook', url: `${canary()}2`, groupWait: '10s' });
  await put('ops', { type: 'webhook', groupWait: '10s' });
  expect((await api.call('DELETE', path('ops'))).status).toBe(204);
  expect((await api.call('DELETE', path('ops'))).status).toBe(404);
  const { items } = (await api.get('/v1/audit?limit=500')).body;
  const told = items.filter(({ target }: { target: string }) => target === 'ops').reverse();
  expect(told.map(({ action, detail }: { action: string; detail: unknown }) => [action, detail])).toEqual([
    ['alert_channel.added', { type: 'webhook' }],
    ['alert_channel.changed', { changes: { groupWait: { before: '30s', after: '10s' }, url: 'changed' } }],
    ['alert_channel.removed', undefined],
  ]);
});

it('reading needs read, changing and testing admin', async () => {
  const { key } = (await api.call('POST', '/v1/keys', { name: 'reader', scopes: ['read'] })).body;
  const headers = { authorization: `Bearer ${key}` };
  const statusOf = async (method: string, to: string, body?: object) =>
    (await api.call(method, to, body, headers)).status;
  expect(await statusOf('GET', '/v1/alerts')).toBe(200);
  expect(await statusOf('GET', path('team'))).toBe(200);
  expect(await statusOf('PUT', path('team'), { type: 'slack', url: canary() })).toBe(403);
  expect(await statusOf('DELETE', path('team'))).toBe(403);
  expect(await statusOf('POST', `${path('team')}/test`)).toBe(403);
});

it('no URL, no secret and no answer of a channel is in an answer, the audit record or the log', async () => {
  const answers = await Promise.all(
    ['/v1/alerts/channels', '/v1/alerts', '/v1/audit?limit=500'].map(async (one) => (await api.get(one)).body),
  );
  expect(answers.every(({ items }) => items.length > 0)).toBe(true);
  expect(api.logged.length).toBeGreaterThan(0);
  const told = JSON.stringify([answers, api.logged]);
  for (const secret of ['canary', 'whsec_', `127.0.0.1:${receiver.port}`, 'h.example'])
    expect(told).not.toContain(secret);
});
