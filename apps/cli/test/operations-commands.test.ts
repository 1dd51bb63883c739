import { expect, test } from 'vitest';
import { condition, delivery, event, useScriptedApi } from './use-scripted-api.ts';

const { answers, api, cli } = useScriptedApi();

test('the ledger is added up over its parts, and says loudly when it does not balance', async () => {
  const zero = { pending: 0, retrying: 0, parked: 0, dead: 0, removed: 0, unaccounted: 0, differing: [] };
  const crm = { ...zero, id: 'crm', accepted: 5, delivered: 3, pending: 2, retrying: 1 };
  const part = {
    from: null,
    to: '2026-11-20T10:00:00.000Z',
    events: 6,
    unrouted: 1,
    completeSince: '2026-11-13T10:00:00.000Z',
    balanced: true,
    destinations: [crm],
    upstream: { messages: 2, statuses: 0, quarantined: 1 },
    intake: {
      from: '2026-11-20T09:00:00.000Z',
      to: '2026-11-20T10:00:00.000Z',
      messages: { callbacks: 7, events: 8, repeats: 1 },
      statuses: { callbacks: 2, events: 2, repeats: 1 },
    },
    progress: 0.5,
    next: 'c2',
  };
  answers['GET /v1/ledger'] = part;
  answers['GET /v1/ledger?cursor=c2'] = { ...part, events: 4, unrouted: 0, destinations: [crm], next: null };
  const balanced = await cli('ledger');
  expect([balanced.code, balanced.stdout]).toEqual([
    0,
    [
      '10 events logged up to 2026-11-20T10:00:00Z; 1 of them were wanted by no destination',
      '9 callbacks became 10 events, 2 repetitions dropped (counted in whole minutes or hours, from 2026-11-20T09:00:00Z to 2026-11-20T10:00:00Z)',
      'accepted, but not yet events: 2 groups of messages, 0 of statuses; in quarantine: 1',
      'events before 2026-11-13T10:00:00Z may have left the log: no destination was waiting for them',
      '',
      'DESTINATION  ACCEPTED  = DELIVERED  + PENDING  + PARKED  + DEAD  + REMOVED  + UNACCOUNTED',
      'crm          10          6            4          0         0       0          0            2 failed before',
      '',
      'it balances',
      '',
    ].join('\n'),
  ]);

  const differing = [{ deliveryId: delivery.id, eventId: event.id, problem: 'no_job' }];
  const off = { ...crm, accepted: 6, unaccounted: 1, differing };
  answers['GET /v1/ledger?cursor=c2'] = { ...part, balanced: false, destinations: [off], next: null };
  const { code, stdout } = await cli('ledger');
  expect(code).toBe(1);
  expect(stdout).toContain(
    [
      'IT DOES NOT BALANCE: nobody will ever send this delivery',
      `  ${delivery.id}  is pending, but has no job`,
      `send one: clickrelay replay ${delivery.id}`,
    ].join('\n'),
  );
  const json = await cli('ledger', '--json');
  expect([json.code, JSON.parse(json.stdout).balanced]).toEqual([1, false]);
  answers['GET /v1/ledger?destination=crn'] = { ...part, destinations: [], next: null };
  const mistyped = await cli('ledger', '--destination', 'crn');
  expect([mistyped.code, mistyped.stdout, mistyped.stderr]).toEqual([3, '', 'error: no such thing\n']);
  answers['GET /v1/destinations/crn'] = { id: 'crn' };
  const idle = await cli('ledger', '--destination', 'crn');
  expect([idle.code, idle.stdout.split('\n').at(-2)]).toEqual([0, 'none of them was routed to crn']);
  expect((await cli('ledger', '--since', 'yesterday')).stderr).toContain('--since takes an age');
});

test('setup shows what to paste, what has arrived, and how to see the hidden credential', async () => {
  const urls = (secret: string, base = 'http://localhost:8080') => ({
    replies: `${base}/client-callback/one-api-reply?token=${secret}`,
    statuses: `${base}/client-callback/one-api-status?token=${secret}`,
  });
  const told = (secret: string) => ({
    publicUrl: null,
    callbackUrls: { public: null, local: urls(secret) },
    credentials: [{ kind: 'query', name: 'token', secret }],
    received: {
      messages: { firstAt: '2026-11-20T10:00:00.000Z', lastAt: '2026-11-20T11:00:00.000Z', last24h: 1 },
      statuses: { firstAt: null, lastAt: null, last24h: 0 },
    },
    receivers: [{ process: 'vm:1', version: '0.0.0', readiness: { ready: true, durability: 'always' }, spool: null }],
    problems: [condition],
  });
  answers['GET /v1/setup'] = told('(hidden)');
  expect((await cli('setup')).stdout).toBe(
    [
      'the callback URLs on this machine; set PUBLIC_URL to see those for Clickatell:',
      '  replies   http://localhost:8080/client-callback/one-api-reply?token=(hidden)',
      '  statuses  http://localhost:8080/client-callback/one-api-status?token=(hidden)',
      '  query     token: (hidden)',
      '  (hidden): `clickrelay setup --reveal` shows it',
      '',
      'received',
      '  messages  last 2026-11-20T11:00:00Z, first 2026-11-20T10:00:00Z; 1 callback in 24 hours',
      '  statuses  none yet',
      '',
      'receivers',
      '  vm:1 (0.0.0) ready, kept: always',
      '',
      'one thing needs you',
      '',
      'CRITICAL  crm takes nothing; 371 deliveries wait',
      '          destination_failing crm, for 26 minutes',
      '          -> see what it answers: clickrelay destinations test crm',
      '',
    ].join('\n'),
  );
  expect((await cli('setup', '--fail-on', 'warning')).code).toBe(1);
  const open = told('s3cret');
  const callbackUrls = { ...open.callbackUrls, public: urls('s3cret', 'https://hooks.example.com') };
  answers['GET /v1/setup?reveal=true'] = { ...open, callbackUrls, problems: [] };
  const { stdout } = await cli('setup', '--reveal');
  expect(stdout).toContain("to paste into Clickatell's portal; each URL takes both kinds:\n  replies   https://hooks.");
  expect(stdout).not.toContain('shows it');
});

test('keys are created, listed and removed', async () => {
  const key = {
    id: 'key_1',
    name: 'n8n',
    scopes: ['lease'],
    destinations: ['n8n-*'],
    createdAt: '2026-11-20T10:00:00Z',
  };
  Object.assign(answers, {
    'POST /v1/keys': { ...key, key: 'crk_shown-once' },
    'GET /v1/keys?limit=500': { items: [key], next: null },
    'DELETE /v1/keys/key_1': {},
  });
  const created = await cli('keys', 'create', 'n8n', '--scopes', 'lease', '--destinations', 'bot, n8n-*');
  expect(created.stdout).toBe('key_1 (n8n) may lease from n8n-*\nthe key, shown only now: crk_shown-once\n');
  expect(JSON.parse(api.requests[0]?.body ?? '')).toEqual({
    name: 'n8n',
    scopes: ['lease'],
    destinations: ['bot', 'n8n-*'],
  });
  expect((await cli('keys')).stdout).toContain('key_1  n8n   lease   n8n-*');
  expect((await cli('keys', 'remove', 'key_1')).stdout).toContain('key_1 is removed');
});

test('lease leases, shows, acks and nacks', async () => {
  const leased = {
    deliveryId: 'dlv_bot_A',
    leaseToken: 't0k3n',
    attempt: 2,
    leaseEndsAt: '2026-11-20T10:00:30Z',
    event,
  };
  Object.assign(answers, {
    'POST /v1/destinations/bot/lease': { deliveries: [leased] },
    'POST /v1/destinations/bot/ack': { deliveryId: 'dlv_bot_A', state: 'delivered' },
    'POST /v1/destinations/bot/nack': { deliveryId: 'dlv_bot_A', state: 'dead_letter' },
  });
  const bodies = () => api.requests.map(({ path, body }) => [path, JSON.parse(body)]);
  expect((await cli('lease', 'bot', '--wait-ms', '100')).stdout).toContain('with the token t0k3n');
  expect((await cli('lease', 'bot', '--max', '3', '--ack')).stdout).toContain('delivered');
  expect((await cli('lease', 'bot', '--nack', 'no')).stdout).toContain('dead_letter');
  expect(bodies()).toEqual([
    ['/v1/destinations/bot/lease', { max: 1, waitMs: 100 }],
    ['/v1/destinations/bot/lease', { max: 3 }],
    ['/v1/destinations/bot/ack', { deliveryId: 'dlv_bot_A', leaseToken: 't0k3n' }],
    ['/v1/destinations/bot/lease', { max: 1 }],
    ['/v1/destinations/bot/nack', { deliveryId: 'dlv_bot_A', leaseToken: 't0k3n', error: 'no' }],
  ]);
  answers['POST /v1/destinations/bot/lease'] = { deliveries: [] };
  expect((await cli('lease', 'bot')).stdout).toBe('nothing to lease from bot\n');
});

test('audit lists who did what', async () => {
  answers['GET /v1/audit?limit=20'] = {
    items: [
      {
        id: 'aud_1-0',
        at: '2026-11-20T10:00:00.000Z',
        by: 'API_KEY',
        action: 'destination.paused',
        target: 'crm',
        detail: { reason: 'moving' },
      },
    ],
    next: 'aud_1-0',
  };
  expect((await cli('audit')).stdout).toBe(
    [
      'AT                    BY       ACTION              TARGET',
      '2026-11-20T10:00:00Z  API_KEY  destination.paused  crm     {"reason":"moving"}',
      'more: clickrelay audit --cursor aud_1-0',
      '',
    ].join('\n'),
  );
});

test("Clickatell's own lag is shown by lane and channel, with what was left out", async () => {
  const row = { early: 0, unusable: 0, counts: [] };
  const hour = { at: '2026-11-20T10:00:00.000Z', ours: false, rows: [] };
  answers['GET /v1/lag?hours=2'] = {
    from: hour.at,
    boundsSeconds: [],
    rows: [
      { ...row, lane: 'messages', channel: 'whatsapp', class: null, events: 40, medianMs: 1_200, p95Ms: 240_000 },
      {
        ...row,
        lane: 'statuses',
        channel: 'sms',
        class: 'delivered',
        events: 7,
        early: 2,
        unusable: 3,
        medianMs: null,
        p95Ms: null,
      },
    ],
    hours: [{ ...hour, ours: true }, hour],
  };
  expect((await cli('lag', '--hours', '2')).stdout).toBe(
    [
      'LANE      CHANNEL   CLASS      EVENTS  MEDIAN  P95',
      'messages  whatsapp             40      1.2 s   4.0 min',
      'statuses  sms       delivered  7       -       -',
      '1 of these hours left out: callbacks were refused here, and some came late by that',
      '2 arrived before they occurred: the clock here is behind that of Clickatell',
      '3 more have a time that cannot be: missing, 0, in seconds or in the future',
      '',
    ].join('\n'),
  );
  answers['GET /v1/lag?hours=24'] = { from: hour.at, boundsSeconds: [], rows: [], hours: [hour] };
  expect((await cli('lag')).stdout).toBe('no new events in the last 1 hours\n');
});
