import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@clickrelay/service/machine';
import { type Envelope, sampleCallback } from '@clickrelay/simulator';
import {
  type Destination,
  type Program,
  type RedisCluster,
  startDestination,
  startRedisCluster,
  waitUntil,
} from '@clickrelay/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli, startCli } from './run-cli.ts';

// All of Clickrelay on a real Redis Cluster of three servers. The servers refuse a command that touches two of them, so
// this calls once everything that people and programs can ask for.

let folder: string;
let cluster: RedisCluster;
let program: Program;
let environment: Record<string, string>;
let apiKey: string;
let token: string;
const destinations: Destination[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clickrelay-cli-'));
  cluster = await startRedisCluster({ withReplicas: false, nodeTimeoutMs: 15_000 });
  environment = {
    DATA_DIR: join(folder, 'data'),
    PORT: String(await freePort()),
    API_PORT: String(await freePort()),
    REDIS_URL: cluster.url,
    EGRESS_ALLOW: '127.0.0.0/8',
    RETRY_SCHEDULE: '0s,20ms,20ms',
    LOG_LEVEL: 'info',
  };
  program = await startCli(['start'], environment, { readyOutput: /Mend/, timeoutMs: 60_000 });
  const secrets = JSON.parse(await readFile(join(folder, 'data', 'secrets.json'), 'utf8'));
  apiKey = secrets.apiKey;
  token = secrets.callbackAuth.slice('query:'.length);
  // The parts open their own connections, and one of them may need a second try when the machine is busy.
  await waitUntil(async () => (await call('GET', '/status')).status === 200, {
    what: 'an API that reaches the Cluster',
  });
});
afterAll(async () => {
  await program?.stop();
  await Promise.all(destinations.map((destination) => destination.close()));
  await cluster?.stop();
  await rm(folder, { recursive: true });
});

// biome-ignore lint/suspicious/noExplicitAny: the tests compare each value that they read
type Any = any;

const call = async (
  method: string,
  path: string,
  body?: unknown,
  key = apiKey,
): Promise<{ status: number; body: Any }> => {
  const response = await fetch(`http://127.0.0.1:${environment['API_PORT']}/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
};
const ok = async (method: string, path: string, body?: unknown, key = apiKey): Promise<Any> => {
  const answer = await call(method, path, body, key);
  expect([method, path, Math.floor(answer.status / 100)], JSON.stringify(answer.body)).toEqual([method, path, 2]);
  return answer.body;
};
const cli = async (...args: string[]): Promise<Any> => {
  const { code, stdout, stderr } = await runCli([...args, '--json'], environment);
  expect([args.join(' '), code], `${stderr}\n${stdout}`).toEqual([args.join(' '), 0]);
  return stdout === '' ? undefined : JSON.parse(stdout);
};

const post = async (body: string): Promise<Any> => {
  const response = await fetch(
    `http://127.0.0.1:${environment['PORT']}/client-callback/one-api-reply?token=${encodeURIComponent(token)}`,
    { method: 'POST', body },
  );
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text);
};
const send = (envelope: Envelope): Promise<Any> => post(JSON.stringify(envelope));

const put = async (id: string, events: string[], more: Record<string, unknown> = {}): Promise<Destination> => {
  const destination = await startDestination({ answer: 200 });
  destinations.push(destination);
  await ok('PUT', `/destinations/${id}`, { type: 'webhook', url: `${destination.url}hook`, events, ...more });
  return destination;
};
/** Waits until nothing is under way and the ledger balances. */
const balanced = (): Promise<Any> =>
  waitUntil(
    async () => {
      const { code, stdout } = await runCli(['ledger', '--json'], environment);
      const ledger = JSON.parse(stdout);
      return code === 0 && ledger.balanced && ledger.destinations.every((one: Any) => one.pending === 0) && ledger;
    },
    { timeoutMs: 30_000, everyMs: 200, what: 'a ledger that balances' },
  );

/** Enough destinations for their tags to be on every server. */
const BOTS = ['bot-1', 'bot-2', 'bot-3', 'bot-4', 'bot-5'];
const MESSAGES = 40;
const LARGE = 600_000;

it('on a Redis Cluster callbacks become deliveries, are leased, and the ledger balances', async () => {
  const crm = await put('crm', ['mo*']);
  for (const id of BOTS) await cli('destinations', 'add', id, '--type', 'pull', '--events', 'moText');
  await Promise.all(Array.from({ length: MESSAGES - 1 }, () => send(sampleCallback('moText'))));
  await send(sampleCallback('moText', { content: 'x'.repeat(LARGE) }));
  const arrived = await crm.waitFor(MESSAGES, 30_000);
  expect(new Set(arrived.map(({ headers }) => headers['webhook-id'])).size).toBe(MESSAGES);

  for (const id of BOTS) {
    expect((await ok('GET', `/destinations/${id}/peek?limit=5`)).deliveries).toHaveLength(5);
    const acked = new Set<string>();
    let [nacked, extended, unanswered] = [false, false, false];
    while (acked.size < MESSAGES) {
      const { deliveries } = await ok('POST', `/destinations/${id}/lease`, { max: 20, waitMs: 10_000, leaseMs: 1_000 });
      expect(deliveries).not.toEqual([]);
      for (const { deliveryId, leaseToken, attempt } of deliveries) {
        const lease = { deliveryId, leaseToken };
        if (!nacked) {
          nacked = true;
          expect((await ok('POST', `/destinations/${id}/nack`, { ...lease, error: 'not now' })).state).toBe('retrying');
          continue;
        }
        // This one comes back.
        if (!unanswered) {
          unanswered = true;
          continue;
        }
        if (!extended) {
          extended = true;
          await ok('POST', `/destinations/${id}/extend`, { ...lease, leaseMs: 60_000 });
        }
        const answer = await call('POST', `/destinations/${id}/ack`, lease);
        // A busy machine may be slower than the lease, and the delivery is handed out again.
        if (answer.status === 409) continue;
        expect([answer.status, answer.body], String(attempt)).toEqual([200, { deliveryId, state: 'delivered' }]);
        acked.add(deliveryId);
      }
    }
  }
  const ledger = await balanced();
  expect(ledger.destinations.map(({ id, delivered }: Any) => [id, delivered])).toEqual(
    [...BOTS, 'crm'].map((id) => [id, MESSAGES]),
  );
  expect((await cli('events', '--limit', '100')).items).toHaveLength(MESSAGES);
});

it('on a Redis Cluster a message is followed through its statuses and replies', async () => {
  const [messageId, clientMessageId] = ['cluster-message', 'order-7'];
  for (const [statusCode, timestamp] of [
    [2, 1_000],
    [4, 3_000],
    [5, 2_000],
  ]) {
    await send(sampleCallback('messageStatusUpdate', { messageId, clientMessageId, statusCode, timestamp }));
  }
  await send(sampleCallback('moButtonResponse', { relatedMessageId: messageId }));
  const message = await waitUntil(
    async () => {
      const { body } = await call('GET', `/messages/${messageId}`);
      return body?.statusCount === 3 && body?.replyCount === 1 && body;
    },
    { timeoutMs: 20_000 },
  );
  expect(message).toMatchObject({ messageId, clientMessageId });
  expect((await ok('GET', `/messages?clientMessageId=${clientMessageId}`)).items).toHaveLength(1);
  expect((await cli('message', messageId))[0].statusCount).toBe(3);
  expect(await cli('message', clientMessageId)).toHaveLength(1);
  await ok('POST', '/messages/reindex');
  expect(JSON.stringify(await ok('POST', '/find', { text: messageId }))).toContain(messageId);
});

it('on a Redis Cluster dead letters are grouped, chosen and sent again, and holds are kept and shown', async () => {
  const flaky = await put('flaky', ['moLocation']);
  flaky.answerWith(404);
  await Promise.all(Array.from({ length: 12 }, () => send(sampleCallback('moLocation'))));
  await waitUntil(async () => (await call('GET', '/dead-letters?limit=100')).body.items.length === 12, {
    timeoutMs: 30_000,
  });
  expect(JSON.stringify(await ok('GET', '/dead-letters/groups'))).toContain('flaky');
  const [first, second] = (await cli('dead-letters')).items;
  expect((await ok('GET', `/deliveries/${first.deliveryId}`)).state).toBe('dead_letter');
  await ok('DELETE', `/dead-letters/${first.deliveryId}`);
  flaky.answerWith(200);
  const before = flaky.requests.length;
  await cli('replay', second.deliveryId);
  await flaky.waitFor(before + 1);
  expect((await ok('POST', '/replays', { destination: 'flaky', events: ['moLocation'], dryRun: true })).matched).toBe(
    10,
  );
  await cli('replay', '--all', '--destination', 'flaky', '--rate', '50/s');
  await flaky.waitFor(before + 11, 30_000);
  const [done] = (await cli('replays', 'list')).items;
  expect(done).toMatchObject({ state: 'done', replayed: 10 });
  await waitUntil(async () => (await ok('GET', `/replays/${done.id}`)).delivered === 10, { timeoutMs: 20_000 });
  expect((await cli('replays', 'failed', done.id)).items).toEqual([]);
  for (const word of ['pause', 'cancel', 'resume']) expect((await cli('replays', word, done.id)).state).toBe('done');
  await waitUntil(async () => (await call('GET', '/dead-letters')).body.items.length === 0);

  flaky.answerWith(404);
  await Promise.all(Array.from({ length: 6 }, () => send(sampleCallback('moLocation'))));
  await waitUntil(async () => (await call('GET', '/dead-letters')).body.items.length === 6, { timeoutMs: 30_000 });
  const dead = (await cli('dead-letters')).items.map(({ deliveryId }: Any) => deliveryId);
  const again = await cli('replay', dead[0], dead[1]);
  await waitUntil(async () => (await ok('GET', `/replays/${again.id}`)).failed === 2, { timeoutMs: 20_000 });
  expect((await cli('replays', 'failed', again.id)).items.sort()).toEqual(dead.slice(0, 2).sort());
  await waitUntil(async () => (await call('GET', '/dead-letters')).body.items.length === 6, { timeoutMs: 20_000 });
  const planned = await cli(
    'dead-letters',
    'remove',
    '--all',
    '--events',
    'moLocation',
    '--except',
    dead[0],
    '--dry-run',
  );
  expect(planned).toMatchObject({ matched: 5, leftOut: [{ reason: 'excepted', count: 1 }] });
  expect((await cli('dead-letters', 'remove', dead[1], dead[2])).removed).toBe(2);
  expect((await cli('dead-letters', 'remove', '--all', '--except', dead[0], '--expected', '3')).removed).toBe(3);
  await cli('dead-letters', 'remove', dead[0]);
  flaky.answerWith(200);

  const from = flaky.requests.length;
  flaky.answerWith(() => ({ status: 429, headers: { 'retry-after': '3' } }));
  await send(sampleCallback('moLocation'));
  await waitUntil(async () => (await call('GET', '/destinations/flaky')).body.held?.reason === 'throttled', {
    timeoutMs: 20_000,
  });
  flaky.answerWith(200);
  await flaky.waitFor(from + 2, 30_000);
  await cli('destinations', 'pause', 'flaky', '--reason', 'moving house');
  expect((await ok('GET', '/destinations/flaky')).paused).toBe('moving house');
  await send(sampleCallback('moLocation'));
  await cli('destinations', 'resume', 'flaky');
  await flaky.waitFor(from + 3, 30_000);
  await balanced();
});

it('on a Redis Cluster a body that is not a callback is kept, shown and parsed again, even a large one', async () => {
  const { quarantined } = await post('no callback');
  const large = await post(`no callback ${'x'.repeat(LARGE)}`);
  expect((await cli('quarantine')).items.map(({ bytes }: Any) => bytes).sort()).toEqual([11, LARGE + 12]);
  expect((await cli('quarantine', 'show', quarantined, '--reveal')).body.text).toBe('no callback');
  expect((await ok('GET', `/quarantine/${large.quarantined}`)).body.text).toHaveLength(LARGE + 12);
  expect((await call('POST', `/quarantine/${quarantined}/reparse`)).status).toBe(422);
  for (const id of [quarantined, large.quarantined]) await ok('DELETE', `/quarantine/${id}`);
  expect((await cli('quarantine')).items).toEqual([]);
});

it('on a Redis Cluster keys open only their scopes, sessions are kept, and the audit record has it all', async () => {
  const { id, key } = await ok('POST', '/keys', { name: 'n8n', scopes: ['lease'], destinations: ['bot-*'] });
  expect(await ok('GET', '/whoami', undefined, key)).toMatchObject({ scopes: ['lease'], destinations: ['bot-*'] });
  await ok('POST', '/destinations/bot-1/lease', {}, key);
  expect((await call('POST', '/destinations/crm/lease', {}, key)).status).toBe(403);
  expect((await cli('keys', 'list')).items).toHaveLength(1);
  await cli('keys', 'remove', id);
  expect((await call('GET', '/whoami', undefined, key)).status).toBe(401);
  await ok('POST', '/session', { key: apiKey });
  await ok('POST', '/destinations/crm/rotate-secret');
  await cli('destinations', 'remove', 'bot-5');
  const { items } = await cli('audit');
  expect(items.length).toBeGreaterThan(10);
  await ok('GET', '/overview');
});

it('on a Redis Cluster status and doctor find nothing wrong, and no part logged an error', async () => {
  const status = await cli('status');
  expect(status).toMatchObject({ durability: { ready: true, durability: 'always' } });
  expect((await runCli(['status'], environment)).stdout).toContain('what is acknowledged is kept: always');
  const doctor = await runCli(['doctor', '--json'], environment);
  const bad = JSON.parse(doctor.stdout).conditions.filter(
    (one: Any) => one.severity === 'critical' && one.state === 'raised',
  );
  expect(bad).toEqual([]);
  const lines = program
    .stderr()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  // On a busy machine a server may take too long to answer. What a Cluster refuses (CROSSSLOT, MOVED) reads otherwise.
  const isOfMachine = ({ errorCode, reason }: Any) =>
    errorCode === 'queue_unavailable' || /does not answer \(ETIMEDOUT\)/.test(reason);
  const errors = lines
    .map((line) => JSON.parse(line))
    .filter((line) => (line.level >= 50 || /\.error$/.test(line.msg)) && !isOfMachine(line));
  expect(errors).toEqual([]);
});
