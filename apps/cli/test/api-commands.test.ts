import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@clickrelay/service/machine';
import { type Destination, startDestination, waitUntil } from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { runCli, startCli } from './run-cli.ts';

// Against scripted answers: what is tested is what the commands ask for and what they make of it.
let dataDir: string;
let api: Destination;
let answers: Record<string, unknown>;

const event = {
  id: 'evt_AAAAAAAAAAAAAAAAAAAAAA',
  type: 'moText',
  integrationId: 'i1',
  integrationName: 'My integration',
  channel: 'whatsapp',
  from: '2799900001',
  to: '2799900002',
  messageId: 'm1',
  relatedMessageId: null,
  clientMessageId: null,
  occurredAt: '2026-11-20T10:00:00.000Z',
  receivedAt: '2026-11-20T10:00:01.000Z',
  data: { text: 'hello\nthere \u001b[31mred' },
  raw: { content: 'hello' },
};
const delivery = {
  id: 'dlv_crm_AAAAAAAAAAAAAAAAAAAAAA',
  eventId: event.id,
  destinationId: 'crm',
  state: 'dead_letter',
  attempts: [
    {
      number: 1,
      startedAt: '2026-11-20T10:00:02.000Z',
      durationMs: 12.4,
      outcome: 'dead_letter',
      status: 503,
      error: { code: 'destination_rejected', message: 'crm answered 503' },
      response: 'sorry',
    },
  ],
  nextAttemptAt: null,
};

/** What every command asks for that shows personal data, unless it is told to reveal it. */
const withoutMasking = (path: string) =>
  path.replace(/([?&])reveal=false(&|$)/, (_, before, after) => (after ? before : ''));

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'clickrelay-cli-'));
  await writeFile(join(dataDir, 'secrets.json'), '{"apiKey":"k3y"}');
});
afterAll(() => rm(dataDir, { recursive: true }));
beforeEach(async () => {
  answers = {};
  api = await startDestination({
    answer: ({ method, path }) => {
      const answer = answers[`${method} ${withoutMasking(path)}`];
      if (answer !== undefined) return { status: 200, body: JSON.stringify(answer) };
      return { status: 404, body: '{"error":{"code":"not_found","message":"no such thing"}}' };
    },
  });
  await writeFile(join(dataDir, 'run.json'), JSON.stringify({ apiUrl: `http://127.0.0.1:${api.port}` }));
});
afterEach(() => api.close());

const env = () => ({ DATA_DIR: dataDir, TZ: 'UTC' });
const cli = (...args: string[]) => runCli(args, env());
const asked = () => api.requests.map(({ method, path, body }) => `${method} ${path}${body && ` ${body}`}`);

test('events lists what came in, and nothing of it moves the terminal', async () => {
  answers['GET /v1/events?limit=5&type=moText'] = { items: [event], next: 'c2' };
  const { stdout, code } = await cli('events', '--limit', '5', '--type', 'moText');
  expect([code, stdout]).toEqual([
    0,
    [
      'RECEIVED             TYPE    CHANNEL   FROM -> TO                EVENT',
      '2026-11-20 10:00:01  moText  whatsapp  2799900001 -> 2799900002  evt_AAAAAAAAAAAAAAAAAAAAAA  hello there [31mred',
      'more: clickrelay events --limit 5 --type moText --cursor c2',
      '',
    ].join('\n'),
  ]);
  expect(api.requests[0]?.headers.authorization).toBe('Bearer k3y');
  answers['GET /v1/events?limit=20&type=mo*&reveal=true'] = { items: [event], next: 'c3' };
  const revealed = await cli('events', '--type', 'mo*', '--reveal');
  expect(revealed.stdout).toContain("\nmore: clickrelay events --type 'mo*' --reveal --cursor c3\n");
});

test('one event is shown with its deliveries and attempts, or as the JSON of the API', async () => {
  const callback = { size: 612, elements: 2, others: ['evt_B'] };
  const told = {
    ...event,
    callback,
    repeats: { count: 1, lastAt: '2026-11-20T10:00:09.000Z' },
    deliveries: [delivery],
  };
  answers[`GET /v1/events/${event.id}`] = told;
  const { stdout } = await cli('events', event.id);
  expect(stdout).toContain(
    [
      'deliveries',
      '  crm dead letter (503)  dlv_crm_AAAAAAAAAAAAAAAAAAAAAA',
      '    attempt 1 at 2026-11-20 10:00:02, 12 ms: dead letter (503 crm answered 503)',
    ].join('\n'),
  );
  expect(stdout).toContain('a callback of 612 characters with 2 elements; the others: evt_B\n');
  expect(stdout).toContain('1 times, last at 2026-11-20 10:00:09: dropped\n');
  expect(JSON.parse((await cli('events', event.id, '--json')).stdout)).toEqual(told);
});

test('a message is shown with its statuses, the late ones marked, and the replies to it', async () => {
  const status = { id: event.id, code: 6, name: 'READ', class: 'read', final: true, late: false };
  const read = { ...status, occurredAt: '2026-11-20T10:00:05.000Z', receivedAt: '2026-11-20T10:00:06.000Z' };
  const late = { ...read, code: 5, name: 'DEVICE_ACK', class: 'delivered', final: false, late: true };
  const told = {
    messageId: 'm/1',
    clientMessageId: 'order-7',
    channel: 'whatsapp',
    current: read,
    statusCount: 2,
    statuses: [{ ...late, occurredAt: '2026-11-20T10:00:04.000Z', receivedAt: '2026-11-20T10:00:09.000Z' }, read],
    received: [],
    replyCount: 1,
    replies: [event],
    complete: true,
  };
  answers['GET /v1/messages/m%2F1'] = told;
  expect((await cli('message', 'm/1')).stdout).toBe(
    [
      'message m/1',
      '  client id  order-7',
      '  channel    whatsapp',
      '  stands at  READ (read, final) since 2026-11-20 10:00:05',
      '',
      'statuses',
      '  HAPPENED             RECEIVED             STATUS        CLASS      EVENT',
      '  2026-11-20 10:00:04  2026-11-20 10:00:09  5 DEVICE_ACK  delivered  evt_AAAAAAAAAAAAAAAAAAAAAA  late',
      '  2026-11-20 10:00:05  2026-11-20 10:00:06  6 READ        read       evt_AAAAAAAAAAAAAAAAAAAAAA',
      '',
      'replies',
      '  HAPPENED             TYPE    FROM -> TO                EVENT',
      '  2026-11-20 10:00:00  moText  2799900001 -> 2799900002  evt_AAAAAAAAAAAAAAAAAAAAAA  hello there [31mred',
      '',
    ].join('\n'),
  );
  answers['GET /v1/messages?clientMessageId=order-7'] = { items: [told], next: null };
  expect(JSON.parse((await cli('message', 'order-7', '--json')).stdout)).toEqual([told]);
  expect((await cli('message', 'nothing')).code).toBe(1);
  expect((await cli('message')).code).toBe(2);
});

test('the ledger is added up over its parts, and is loud when it does not balance', async () => {
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
      '10 events logged up to 2026-11-20 10:00:00; 1 of them no destination wanted',
      '9 callbacks became 10 events, 2 repetitions dropped (counted in whole minutes or hours, from 2026-11-20 09:00:00 to 2026-11-20 10:00:00)',
      'accepted and no events yet: 2 groups of messages, 0 of statuses; in quarantine: 1',
      'events before 2026-11-13 10:00:00 may have left the log: they were owed to nobody',
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
      `  ${delivery.id}  pending, and nothing will go on with it`,
      `send one: clickrelay replay ${delivery.id}`,
    ].join('\n'),
  );
  const json = await cli('ledger', '--json');
  expect([json.code, JSON.parse(json.stdout).balanced]).toEqual([1, false]);
  answers['GET /v1/ledger?destination=crn'] = { ...part, destinations: [], next: null };
  const mistyped = await cli('ledger', '--destination', 'crn');
  expect([mistyped.code, mistyped.stdout.split('\n').at(-2)]).toEqual([0, 'none of them was routed to crn']);
  expect((await cli('ledger', '--from', 'yesterday')).stderr).toContain('--from takes an age');
});

test('setup says what to paste, what has come, and how to see the credential that it hides', async () => {
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
    problems: [{ code: 'no_public_url', message: 'nobody knows how', mend: 'set PUBLIC_URL' }],
  });
  answers['GET /v1/setup'] = told('(hidden)');
  expect((await cli('setup')).stdout).toBe(
    [
      'the callback URLs on this machine; those for Clickatell are told once PUBLIC_URL is set:',
      '  replies   http://localhost:8080/client-callback/one-api-reply?token=(hidden)',
      '  statuses  http://localhost:8080/client-callback/one-api-status?token=(hidden)',
      '  query     token: (hidden)',
      '  (hidden): `clickrelay setup --reveal` shows it',
      '',
      'received',
      '  messages  last 2026-11-20 11:00:00, first 2026-11-20 10:00:00; 1 callback in 24 hours',
      '  statuses  none yet',
      '',
      'receivers',
      '  vm:1 (0.0.0) ready, kept: always',
      '',
      '! nobody knows how',
      '  -> set PUBLIC_URL',
      '',
    ].join('\n'),
  );
  const open = told('s3cret');
  const callbackUrls = { ...open.callbackUrls, public: urls('s3cret', 'https://hooks.example.com') };
  answers['GET /v1/setup?reveal=true'] = { ...open, callbackUrls, problems: [] };
  const { stdout } = await cli('setup', '--reveal');
  expect(stdout).toContain("to paste into Clickatell's portal; either takes either kind:\n  replies   https://hooks.");
  expect(stdout).not.toContain('shows it');
});

test('--since takes an age', async () => {
  await cli('events', '--since', '2h');
  const since = Date.parse(new URL(`http://x${api.requests[0]?.path}`).searchParams.get('since') as string);
  expect(Math.abs(Date.now() - since - 7_200_000)).toBeLessThan(120_000);
  expect((await cli('events', '--since', 'yesterday')).code).toBe(2);
});

test('tail follows from now on, each event with where it went, until it is told to stop', async () => {
  answers['GET /v1/events?order=asc&limit=100'] = { items: [], next: 'c1' };
  answers['GET /v1/events?order=asc&limit=100&after=c1'] = { items: [event], next: 'c2' };
  answers['GET /v1/events?order=asc&limit=100&after=c2'] = { items: [], next: 'c2' };
  answers[`GET /v1/events/${event.id}`] = { ...event, deliveries: [{ ...delivery, state: 'delivered' }] };
  const program = await startCli(['tail'], env());
  await program.waitForOutput(/evt_.*\n/);
  expect(program.stdout()).toBe(
    '2026-11-20 10:00:01  moText  whatsapp  2799900001 -> 2799900002  hello there [31mred  evt_AAAAAAAAAAAAAAAAAAAAAA  => crm delivered\n',
  );
  await waitUntil(() => asked().filter((line) => line.endsWith('after=c2&reveal=false')).length > 1);
  expect(await program.stop('SIGINT')).toEqual({ code: 0, signal: null });
});

test('tail goes on where it was when Clickrelay was away for a while', async () => {
  const page = (items: unknown[], next: string) => ({ status: 200, body: JSON.stringify({ items, next }) });
  let isAway = true;
  api.answerWith(({ path }) => {
    if (path.includes(event.id)) return { status: 200, body: JSON.stringify({ ...event, deliveries: [delivery] }) };
    if (!path.includes('after=')) return page([], 'c1');
    if (isAway) return 'reset';
    return path.includes('after=c1') ? page([event], 'c2') : page([], 'c2');
  });
  const program = await startCli(['tail'], env());
  await waitUntil(() => /this goes on when it is back/.test(program.stderr()));
  expect(program.stderr()).toContain(api.url.replace(/\/$/, ''));
  isAway = false;
  await program.waitForOutput(/evt_.*\n/);
  expect(program.stderr().match(/goes on/g)).toHaveLength(1);
  expect(await program.stop('SIGINT')).toEqual({ code: 0, signal: null });
});

test('the secret of a destination is printed alone, or each of them on its line', async () => {
  answers['GET /v1/destinations/crm/secret'] = { id: 'crm', secret: 'whsec_a' };
  expect((await cli('destinations', 'secret', 'crm')).stdout).toBe('whsec_a\n');
  const both = { id: 'crm', secret: ['whsec_b', { secret: 'whsec_a', until: '2026-12-01T00:00:00Z' }] };
  answers['GET /v1/destinations/crm/secret'] = both;
  expect((await cli('destinations', 'secret', 'crm')).stdout).toBe('whsec_b\nwhsec_a\n');
  expect(JSON.parse((await cli('destinations', 'secret', 'crm', '--json')).stdout)).toEqual(both);
});

test('destinations are added, with a new secret shown, listed, paused, resumed and removed', async () => {
  const crm = {
    id: 'crm',
    type: 'webhook',
    events: ['mo*'],
    paused: null,
    held: null,
    url: 'https://crm.example.com/',
  };
  answers['PUT /v1/destinations/crm'] = { ...crm, secret: 'whsec_abc' };
  answers['GET /v1/destinations?limit=500'] = { items: [crm], next: null };
  answers['POST /v1/destinations/crm/pause'] = crm;
  answers['POST /v1/destinations/crm/resume'] = crm;
  answers['DELETE /v1/destinations/crm'] = {};
  const added = await cli('destinations', 'add', 'crm', '--url', 'https://crm.example.com/', '--events', 'mo*, x');
  expect(added.stdout).toBe('crm (webhook) gets mo* from now on\nits secret: whsec_abc\n');
  answers['PUT /v1/destinations/old'] = { ...crm, secret: '(hidden)' };
  expect((await cli('destinations', 'add', 'old', '--url', 'https://crm.example.com/')).stdout).toBe(
    'old (webhook) gets mo* from now on\nits secret is what it was; `clickrelay destinations secret old` shows it\n',
  );
  expect((await cli('destinations')).stdout).toBe(
    'DESTINATION  TYPE     EVENTS  STATE   URL\ncrm          webhook  mo*     active  https://crm.example.com/\n',
  );
  await cli('destinations', 'pause', 'crm', '--reason', 'moving');
  await cli('destinations', 'resume', 'crm');
  expect((await cli('destinations', 'remove', 'crm')).stdout).toBe('crm is removed\n');
  expect(asked()).toEqual([
    'PUT /v1/destinations/crm {"type":"webhook","url":"https://crm.example.com/","events":["mo*","x"]}',
    'PUT /v1/destinations/old {"type":"webhook","url":"https://crm.example.com/"}',
    'GET /v1/destinations?limit=500',
    'POST /v1/destinations/crm/pause {"reason":"moving"}',
    'POST /v1/destinations/crm/resume',
    'DELETE /v1/destinations/crm',
  ]);
  expect((await cli('destinations', 'add', 'crm')).code).toBe(2);
});

test('replay sends one delivery again, or many: counted first, followed to the end, paused, cancelled and resumed', async () => {
  const made = { id: 'rpl_1', by: 'API_KEY', createdAt: '2026-11-23T08:00:00.000Z', rate: '500/s', skipped: 0 };
  const sent = { replayed: 1, delivered: 0, failed: 0 };
  const running = { ...made, selection: { state: 'dead_letter' }, state: 'running', matched: 3, ...sent };
  const done = { ...running, state: 'done', replayed: 3, delivered: 2, failed: 1 };
  const until = '2026-11-23T08:00:00.123Z';
  const plan = { matched: 3, leftOut: [], oldest: '2026-11-22T21:02:11.000Z', until, seconds: null };
  answers['POST /v1/deliveries/dlv_crm_1/replay'] = {};
  answers['POST /v1/replays'] = { ...plan, replay: running };
  answers['GET /v1/replays/rpl_1'] = done;
  answers['GET /v1/replays?limit=500'] = { items: [done], next: null };
  answers['GET /v1/replays/rpl_1/failed?limit=500'] = { items: ['dlv_crm_2'], next: null };
  expect((await cli('replay', 'dlv_crm_1')).stdout).toBe('dlv_crm_1 is sent again\n');
  expect((await cli('replay', '--all', '--destination', 'crm', '--events', 'mo*, x', '--rate', '500/s')).stdout).toBe(
    [
      'rpl_1 is done: 3 of 3 sent again: 2 delivered, 1 failed again',
      'see which failed again with `clickrelay replays failed rpl_1`',
      '',
    ].join('\n'),
  );
  expect((await cli('replay', '--all', '--detach')).stdout).toBe('rpl_1 sends 3 dead letters again\n');
  const leftOut = [
    { reason: 'excepted', count: 2 },
    { reason: 'not_heard_of_yet', count: 1 },
  ];
  answers['POST /v1/replays'] = { ...plan, leftOut, seconds: 6, replay: null };
  const dry = await cli('replay', '--all', '--since', until, '--except', 'dlv_crm_3, dlv_crm_4', '--dry-run');
  expect(dry.stdout).toBe(
    [
      '3 dead letters would be sent again, in 6 s',
      'the oldest came 2026-11-22 21:02:11',
      'left out: 2 excepted',
      'left out: 1 not_heard_of_yet',
      `send the same with --until ${until}`,
      '',
    ].join('\n'),
  );
  const json = await cli('replay', 'dlv_crm_1', 'dlv_crm_2', '--delivered', '--dry-run', '--json');
  expect(JSON.parse(json.stdout)).toEqual({ ...plan, leftOut, seconds: 6 });
  // Also of one: nothing is sent by a dry run.
  await cli('replay', 'dlv_crm_1', '--dry-run');
  const table = (await cli('replays', 'list')).stdout;
  expect(table).toMatch(/SENT AGAIN +DELIVERED +FAILED AGAIN.*\n.* 3\/3 +2 +1 +500\/s/);
  expect((await cli('replays', 'failed', 'rpl_1')).stdout).toBe('dlv_crm_2\n');
  for (const [word, state] of [
    ['pause', 'paused'],
    ['cancel', 'cancelled'],
    ['resume', 'running'],
  ] as const) {
    answers['PATCH /v1/replays/rpl_1'] = { ...running, state };
    expect((await cli('replays', word, 'rpl_1')).stdout).toBe(
      `rpl_1 is ${state}: 1 of 3 sent again: 0 delivered, 0 failed again, 1 under way\n`,
    );
  }
  expect(asked()).toEqual([
    'POST /v1/deliveries/dlv_crm_1/replay',
    'POST /v1/replays {"destination":"crm","events":["mo*","x"],"rate":"500/s","dryRun":false}',
    'GET /v1/replays/rpl_1',
    'POST /v1/replays {"dryRun":false}',
    `POST /v1/replays {"since":"${until}","except":["dlv_crm_3","dlv_crm_4"],"dryRun":true}`,
    'POST /v1/replays {"deliveries":["dlv_crm_1","dlv_crm_2"],"state":"delivered","dryRun":true}',
    'POST /v1/replays {"deliveries":["dlv_crm_1"],"dryRun":true}',
    'GET /v1/replays?limit=500&reveal=false',
    'GET /v1/replays/rpl_1/failed?limit=500',
    'PATCH /v1/replays/rpl_1 {"state":"paused"}',
    'PATCH /v1/replays/rpl_1 {"state":"cancelled"}',
    'PATCH /v1/replays/rpl_1 {"state":"running"}',
  ]);
  expect((await cli('replay')).code).toBe(2);
  expect((await cli('replay', 'dlv_crm_1', '--all')).code).toBe(2);
  expect((await cli('replay', '--all', '--since', 'yesterday')).stderr).toContain('--since takes an age');
  expect((await cli('replay', 'dlv_crm_9')).stderr).toBe('error: no such thing\n');
});

test('dead letters are removed one by one, or many: counted first, and more than a hundred only by their number', async () => {
  const until = '2026-11-23T08:00:00.123Z';
  const plan = { matched: 101, leftOut: [], oldest: '2026-11-22T21:02:11.000Z', until };
  answers['DELETE /v1/dead-letters/dlv_crm_1'] = {};
  answers['POST /v1/dead-letters/remove'] = { ...plan, removed: 0, left: 101 };
  expect((await cli('dead-letters', 'remove', 'dlv_crm_1')).stdout).toBe('dlv_crm_1 is removed\n');
  const chosen = ['dead-letters', 'remove', '--all', '--destination', 'crm', '--kind', 'not_built'];
  expect((await cli(...chosen, '--dry-run')).stdout).toBe(
    [
      '101 dead letters would be removed, for good',
      'the oldest came 2026-11-22 21:02:11',
      `remove them with --until ${until} --expected 101`,
      '',
    ].join('\n'),
  );
  const refused = await cli(...chosen);
  expect([refused.code, refused.stderr]).toEqual([
    1,
    `error: 101 dead letters match, and would be gone for good; if that is meant, add --expected 101 --until ${until}\n`,
  ]);
  // Time is up after a hundred.
  const lefts = [101, 1, 0];
  const removals = [0, 100, 1];
  api.answerWith(() => ({
    status: 200,
    body: JSON.stringify({ ...plan, removed: removals.shift(), left: lefts.shift() }),
  }));
  const json = await cli(...chosen, '--expected', '101', '--json');
  expect(JSON.parse(json.stdout)).toEqual({ ...plan, removed: 101 });
  api.answerWith(() => ({ status: 200, body: JSON.stringify({ ...plan, matched: 2, removed: 2, left: 0 }) }));
  expect((await cli('dead-letters', 'remove', 'dlv_crm_1', 'dlv_crm_2')).stdout).toBe('2 dead letters removed\n');
  const filter = '{"destination":"crm","kind":"not_built"';
  expect(asked()).toEqual([
    'DELETE /v1/dead-letters/dlv_crm_1',
    ...Array(3).fill(`POST /v1/dead-letters/remove ${filter},"dryRun":true}`),
    ...[101, 1].map((left) => `POST /v1/dead-letters/remove ${filter},"until":"${until}","expected":${left}}`),
    'POST /v1/dead-letters/remove {"deliveries":["dlv_crm_1","dlv_crm_2"],"dryRun":true}',
    `POST /v1/dead-letters/remove {"deliveries":["dlv_crm_1","dlv_crm_2"],"until":"${until}","expected":2}`,
  ]);
  expect((await cli('dead-letters', 'remove')).code).toBe(2);
  expect((await cli('dead-letters', 'remove', 'dlv_crm_1', '--all')).code).toBe(2);
});

test('dead letters and quarantine are listed and shown', async () => {
  const letter = {
    deliveryId: delivery.id,
    eventId: event.id,
    destinationId: 'crm',
    eventType: 'moText',
    kind: 'not_built',
  };
  answers['GET /v1/dead-letters?limit=20'] = {
    items: [{ ...letter, error: 'crm answered 503', failedAt: '2026-11-20T10:00:03.000Z', attempts: 10 }],
    next: null,
  };
  answers[`GET /v1/deliveries/${delivery.id}`] = delivery;
  const kept = { id: 'qrt_1', receivedAt: '2026-11-20T10:00:03.000Z', reason: 'not JSON', bytes: 3 };
  answers['GET /v1/quarantine?limit=20'] = { items: [kept], next: null };
  answers['GET /v1/quarantine/qrt_1'] = { ...kept, body: { text: '{\u0007"', base64: 'ewci' } };
  answers['POST /v1/quarantine/qrt_1/reparse'] = { accepted: 1 };
  expect((await cli('dead-letters')).stdout).toBe(
    [
      'FAILED               DESTINATION  TYPE    KIND       DELIVERY                        TRIES  ERROR',
      '2026-11-20 10:00:03  crm          moText  not built  dlv_crm_AAAAAAAAAAAAAAAAAAAAAA  10     crm answered 503',
      'send one again: clickrelay replay dlv_crm_AAAAAAAAAAAAAAAAAAAAAA',
      '',
    ].join('\n'),
  );
  expect((await cli('dead-letters', 'show', delivery.id)).stdout).toContain('    | sorry\n');
  expect((await cli('quarantine')).stdout).toContain('2026-11-20 10:00:03  qrt_1  3      not JSON\n');
  expect((await cli('quarantine', 'show', 'qrt_1')).stdout).toContain('\n\n{\uFFFD"\n');
  expect((await cli('quarantine', 'reparse', 'qrt_1')).stdout).toBe('qrt_1 is accepted now: 1 event\n');
});

test('personal data is asked for with --reveal only', async () => {
  const hidden = { ...event, from: '…01', to: '…02', data: { text: '(hidden)' }, raw: '(hidden)' };
  const entry = { id: 'qrt_1', receivedAt: '2026-11-20T10:00:03.000Z', reason: 'not JSON', bytes: 3 };
  answers[`GET /v1/events/${event.id}`] = { ...hidden, deliveries: [] };
  answers[`GET /v1/events/${event.id}?reveal=true`] = { ...event, deliveries: [] };
  answers['GET /v1/quarantine/qrt_1'] = { ...entry, body: null };
  answers['GET /v1/quarantine/qrt_1?reveal=true'] = { ...entry, body: { text: 'boo', base64: 'Ym9v' } };
  expect((await cli('events', event.id)).stdout).toContain('as received\n  (hidden): --reveal shows it\n');
  expect((await cli('events', event.id, '--reveal')).stdout).toContain('"content": "hello"');
  expect((await cli('quarantine', 'show', 'qrt_1')).stdout).toContain('(hidden): --reveal shows it');
  expect((await cli('quarantine', 'show', 'qrt_1', '--reveal')).stdout).toContain('\nboo\n');
  await cli('events', '--reveal');
  await cli('message', 'm1', '--reveal');
  await cli('dead-letters', '--reveal');
  await cli('dead-letters', 'show', delivery.id, '--reveal');
  await cli('destinations', 'match', 'crm', '--event', event.id, '--reveal');
  await cli('replays', 'list', '--reveal');
  await cli('tail', '--reveal');
  expect(asked().map((line) => /reveal=\w+/.exec(line)?.[0])).toEqual([
    'reveal=false',
    'reveal=true',
    'reveal=false',
    // `message` looks for an id of ours too.
    ...Array.from({ length: 9 }, () => 'reveal=true'),
  ]);
});

test('a list of destinations, keys or replays is shown whole, however many pages it has', async () => {
  const key = (id: string) => ({
    id,
    name: 'n8n',
    scopes: ['read'],
    destinations: [],
    createdAt: '2026-11-20T10:00:00Z',
  });
  answers['GET /v1/keys?limit=500'] = { items: [key('key_1')], next: 'c1' };
  answers['GET /v1/keys?limit=500&cursor=c1'] = { items: [key('key_2')], next: null };
  expect(JSON.parse((await cli('keys', '--json')).stdout)).toEqual({ items: [key('key_1'), key('key_2')], next: null });
});

test('an API that is away, or refuses the key, is told with what to do', async () => {
  const port = await freePort();
  const away = await runCli(['events'], {
    ...env(),
    API_URL: `http://127.0.0.1:${port}`,
    CLICKRELAY_COMMAND: './clickrelay',
  });
  expect([away.code, away.stderr]).toEqual([
    1,
    `error: clickrelay is not running here: nothing answers at http://127.0.0.1:${port}; start it with \`./clickrelay start\`, or set API_URL and API_KEY to where it runs\n`,
  ]);
  api.answerWith(() => ({
    status: 404,
    body: '{"error":{"code":"not_found","message":"nothing is served at this path"}}',
  }));
  expect((await cli('events')).stderr).toContain('is not the API of Clickrelay');
  api.answerWith(() => ({ status: 401, body: '{"error":{"code":"unauthorized","message":"no"}}' }));
  const refused = await cli('events', '--json');
  expect([refused.code, JSON.parse(refused.stderr)]).toEqual([
    1,
    { error: { code: 'unauthorized', message: expect.stringContaining('refuses the key from API_KEY or DATA_DIR') } },
  ]);
});

test('a file that declares what is no destination is refused in words', async () => {
  const file = join(dataDir, 'destinations.yaml');
  await writeFile(file, 'destinations: [{ id: team, type: chat }]');
  const { code, stderr } = await cli('destinations', 'apply', '-f', file);
  expect([code, stderr]).toEqual([1, expect.stringContaining("Expected 'webhook' | 'pull'")]);
  expect(stderr).not.toContain('    at ');
  const noAdapter = await runCli(['destinations', 'apply', '-f', file], { ...env(), ADAPTERS: './nothing.mjs' });
  expect(noAdapter.stderr).toContain('error: ADAPTERS: ./nothing.mjs is no adapter');
  expect(noAdapter.stderr).not.toContain('    at ');
});

test('keys are created, listed and removed', async () => {
  const key = {
    id: 'key_1',
    name: 'n8n',
    scopes: ['lease'],
    destinations: ['n8n-*'],
    createdAt: '2026-11-20T10:00:00Z',
  };
  answers = {
    'POST /v1/keys': { ...key, key: 'crk_shown-once' },
    'GET /v1/keys?limit=500': { items: [key], next: null },
    'DELETE /v1/keys/key_1': {},
  };
  const created = await cli('keys', 'create', 'n8n', '--scopes', 'lease', '--destinations', 'bot, n8n-*');
  expect(created.stdout).toBe('key_1 (n8n) may lease from n8n-*\nthe key, shown this once: crk_shown-once\n');
  expect(JSON.parse(api.requests[0]?.body ?? '')).toEqual({
    name: 'n8n',
    scopes: ['lease'],
    destinations: ['bot', 'n8n-*'],
  });
  expect((await cli('keys')).stdout).toContain('key_1  n8n   lease   n8n-*');
  expect((await cli('keys', 'remove', 'key_1')).stdout).toContain('key_1 is removed');
});

test('lease takes, shows and answers', async () => {
  const leased = {
    deliveryId: 'dlv_bot_A',
    leaseToken: 't0k3n',
    attempt: 2,
    leaseEndsAt: '2026-11-20T10:00:30Z',
    event,
  };
  answers = {
    'POST /v1/destinations/bot/lease': { deliveries: [leased] },
    'POST /v1/destinations/bot/ack': { deliveryId: 'dlv_bot_A', state: 'delivered' },
    'POST /v1/destinations/bot/nack': { deliveryId: 'dlv_bot_A', state: 'dead_letter' },
  };
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

test('audit tells who did what', async () => {
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
      'AT                   BY       ACTION              TARGET',
      '2026-11-20 10:00:00  API_KEY  destination.paused  crm     {"reason":"moving"}',
      'more: clickrelay audit --cursor aud_1-0',
      '',
    ].join('\n'),
  );
});

test('destinations show, rotate-secret and test', async () => {
  answers['GET /v1/destinations/crm'] = {
    id: 'crm',
    type: 'webhook',
    events: ['mo*'],
    paused: null,
    held: null,
    secret: '(hidden)',
    timeoutMs: 15000,
  };
  const sum = {
    delivered: 1203,
    failed: 1,
    firstTry: 1203,
    p95Ms: 130,
    deliveredShare: 1203 / 1204,
    firstTryShare: 1,
  };
  answers['GET /v1/destinations/crm/hours'] = { items: [], sum };
  expect((await cli('destinations', 'show', 'crm')).stdout).toBe(
    'state      active\nlast 24h   1204 attempts, 99.91 % delivered, 100 % of those at first try, 95 % within 130 ms\nid         crm\ntype       webhook\nevents     mo*\nsecret     (hidden)\ntimeoutMs  15000\n',
  );
  answers['POST /v1/destinations/crm/rotate-secret'] = { secrets: ['whsec_n3w'], oldUntil: '2026-11-20T10:00:00.000Z' };
  expect((await cli('destinations', 'rotate-secret', 'crm', '--keep-old-for', '7d')).stdout).toBe(
    'crm is signed with whsec_n3w from now on\nthe old one signs too until 2026-11-20 10:00:00\n',
  );
  answers['POST /v1/destinations/crm/test'] = {
    delivered: false,
    status: 401,
    durationMs: 12,
    response: 'who are you?',
    error: { code: 'destination_rejected', message: 'crm.example.com answered 401' },
  };
  expect(await cli('destinations', 'test', 'crm', '--type', 'moMedia')).toMatchObject({
    code: 1,
    stdout: 'crm did not take a moMedia: crm.example.com answered 401 (after 12 ms)\n  | who are you?\n',
  });
  expect(asked()).toEqual([
    'GET /v1/destinations/crm',
    'GET /v1/destinations/crm/hours',
    'POST /v1/destinations/crm/rotate-secret {"keepOldFor":"7d"}',
    'POST /v1/destinations/crm/test {"type":"moMedia"}',
  ]);
});
