import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, putDestination } from '@clickrelay/queue';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { samples } from '@clickrelay/simulator';
import { type Program, type RedisServer, startDestination, startRedis, waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { startCli } from './run-cli.ts';

const root = join(import.meta.dirname, '../../..');
const TOKEN = 'a-token-for-prometheus';
const API_KEY = 'a-key-of-more-than-16-characters';
const SECRET = `whsec_${Buffer.from('a-canary-secret-of-32-bytes-long').toString('base64')}`;
/** The phone numbers, ids and texts of Clickatell's own samples, and those of this test. */
const NOT_FOR_LABELS = [/27999/, /5b07c04f74c186e46ef5f036c4dc96fc/, /Text Content/, /canary/i, /evt_/, /dlv_/];

let redis: RedisServer;
let program: Program;
let folder: string;
let url: string;
let receiverUrl: string;
const atEnd: (() => Promise<unknown>)[] = [];

const scrape = async (path = '/metrics', key = TOKEN): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  return { status: answer.status, text: await answer.text() };
};
/** The sum of all series of a metric that have these labels; undefined when there are none. */
const readSeries = (text: string, name: string, labels: Record<string, string> = {}): number | undefined => {
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)));
  return lines.length === 0 ? undefined : lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};
const api = async (method: string, path: string, body: unknown): Promise<{ deliveries: Record<string, unknown>[] }> => {
  const headers = { authorization: `Bearer ${API_KEY}` };
  const answer = await fetch(`${url}${path}`, { method, headers, body: JSON.stringify(body) });
  expect(answer.status, path).toBe(200);
  return (await answer.json()) as { deliveries: Record<string, unknown>[] };
};
const post = async (body: string, token: string): Promise<number> =>
  (await fetch(`${receiverUrl}/client-callback/one-api-reply?token=${token}`, { method: 'POST', body })).status;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clickrelay-metrics-'));
  redis = await startRedis();
  const [port, apiPort] = [await freePort(), await freePort()];
  url = `http://127.0.0.1:${apiPort}`;
  receiverUrl = `http://127.0.0.1:${port}`;
  const [well, broken] = [await startDestination(), await startDestination({ answer: 500 })];
  const store = await openStore({ redisUrl: redis.url, role: 'producer' });
  await store.ready();
  const webhook = (id: string, to: string) =>
    putDestination(store, {
      id,
      type: 'webhook',
      events: ['*'],
      paused: null,
      config: { url: to, secret: SECRET, retrySchedule: '0s,10ms' },
    });
  await webhook('crm', well.url);
  await webhook('broken', broken.url);
  await putDestination(store, { id: 'bot', type: 'pull', events: ['moText'], paused: null, config: {} });
  await putDestination(store, { id: 'quiet', type: 'pull', events: ['*'], paused: 'for a while', config: {} });
  await store.close();
  atEnd.push(
    () => well.close(),
    () => broken.close(),
  );
  program = await startCli(
    ['start'],
    {
      DATA_DIR: join(folder, 'data'),
      REDIS_URL: redis.url,
      PORT: String(port),
      API_PORT: String(apiPort),
      EGRESS_ALLOW: '127.0.0.0/8',
      CALLBACK_AUTH: 'query:canary-of-a-credential',
      API_KEY,
      METRICS_TOKEN: TOKEN,
      CLICKRELAY_REDIS_SERVER: findRedisServer(),
    },
    { readyOutput: /Mend/ },
  );
  for (const envelope of [samples.reply, samples.status]) {
    expect(await post(JSON.stringify(envelope), 'canary-of-a-credential')).toBe(200);
  }
  expect(await post('canary: no callback', 'canary-of-a-credential')).toBe(200);
  expect(await post('{}', 'canary-but-a-wrong-one')).toBe(401);
  const { deliveries } = await api('POST', '/v1/destinations/bot/lease', { max: 1, waitMs: 10_000 });
  const { deliveryId, leaseToken } = deliveries[0] as Record<string, unknown>;
  await api('POST', '/v1/destinations/bot/ack', { deliveryId, leaseToken });
});
afterAll(async () => {
  await program?.stop();
  for (const end of atEnd) await end();
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Waits until every process has published its counts, and the ledger was checked. */
const settled = (): Promise<string> =>
  waitUntil(
    async () => {
      const { text } = await scrape();
      const isThere =
        (readSeries(text, 'clickrelay_dead_letters', { destination: 'broken' }) ?? 0) >= 9 &&
        (readSeries(text, 'clickrelay_attempts_total', { destination: 'broken' }) ?? 0) >= 18 &&
        (readSeries(text, 'clickrelay_callbacks_total') ?? 0) >= 4 &&
        (readSeries(text, 'clickrelay_ledger_checked_timestamp_seconds') ?? 0) > 0;
      return isThere ? text : undefined;
    },
    { timeoutMs: 90_000 },
  );

describe('GET /metrics', () => {
  const isTold = (text: string): void => {
    const value = (name: string, labels?: Record<string, string>) => readSeries(text, `clickrelay_${name}`, labels);

    expect(value('processes', { role: 'receiver' })).toBe(1);
    expect(value('processes', { role: 'worker' })).toBe(1);
    expect(value('processes', { role: 'api' })).toBe(1);
    expect(value('redis_up')).toBe(1);
    expect(value('durability_ready', { mode: 'always', durability: 'always' })).toBe(1);
    expect(value('receiver_ready')).toBe(1);
    expect(value('callbacks_total', { result: 'accepted', lane: 'messages' })).toBe(1);
    expect(value('callbacks_total', { result: 'accepted', lane: 'statuses' })).toBe(1);
    expect(value('callbacks_total', { result: 'quarantined' })).toBe(1);
    expect(value('callbacks_total', { result: 'refused', reason: 'wrong_credential' })).toBe(1);
    expect(value('callbacks_total', { result: 'refused', reason: 'queue_unavailable' })).toBe(0);
    expect(value('commit_seconds_count')).toBe(2);
    expect(value('commit_seconds_bucket', { le: '+Inf' })).toBe(2);
    expect(value('quarantined_callbacks')).toBe(1);
    expect(value('events_total', { result: 'new' })).toBe(9);
    expect(value('attempts_total', { destination: 'crm', outcome: 'delivered', role: 'worker' })).toBe(9);
    expect(value('delivery_seconds_count')).toBe(9);
    expect(value('attempts_total', { destination: 'broken', outcome: 'retry', error: 'destination_rejected' })).toBe(9);
    expect(value('attempts_total', { destination: 'broken', outcome: 'dead_letter' })).toBe(9);
    expect(value('dead_letters', { destination: 'broken' })).toBe(9);
    expect(value('attempts_total', { destination: 'bot', outcome: 'delivered', role: 'api' })).toBe(1);
    expect(value('lease_wait_seconds_count')).toBe(1);
    expect(value('deliveries', { destination: 'quiet', state: 'waiting' })).toBe(9);
    expect(value('delivery_oldest_age_seconds', { destination: 'quiet' })).toBeGreaterThan(0);
    expect(value('delivery_oldest_age_seconds', { destination: 'crm' })).toBe(0);
    expect(value('destination_state', { destination: 'quiet', state: 'paused' })).toBe(1);
    expect(value('destination_state', { destination: 'crm', state: 'sending' })).toBe(1);
    expect(value('ledger_unaccounted', { destination: 'crm' })).toBe(0);
    expect(readSeries(text, 'process_resident_memory_bytes', { role: 'worker' })).toBeGreaterThan(10_000_000);
  };

  it('shows what every process counted, and the current state', async () => {
    // Each process publishes every few seconds, at its own time.
    await vi.waitFor(async () => isTold(await settled()), { timeout: 90_000, interval: 200 });
  });

  it('contains no phone number, id, text or secret', async () => {
    const text = await settled();
    for (const pattern of NOT_FOR_LABELS) expect(text).not.toMatch(pattern);
  });

  it('opens to METRICS_TOKEN, which opens nothing else, and to keys of the API', async () => {
    expect((await scrape()).status).toBe(200);
    expect((await scrape('/metrics', API_KEY)).status).toBe(200);
    expect((await scrape('/metrics', 'wrong')).status).toBe(401);
    expect((await scrape('/v1/status')).status).toBe(401);
  });
});

describe('the dashboards and alerts in deploy/', () => {
  /** Metrics and the labels that are used with them. */
  const namesIn = (expression: string): string[] =>
    [...expression.matchAll(/\b((?:clickrelay|process|nodejs)_[a-z0-9_]+)\b/g)].map(([, name]) => name as string);
  const queries = async (): Promise<string[]> => {
    const board = JSON.parse(await readFile(join(root, 'deploy/grafana/clickrelay.json'), 'utf8'));
    const rules = parse(await readFile(join(root, 'deploy/prometheus/clickrelay-alerts.yml'), 'utf8'));
    return [
      ...board.panels.flatMap(({ targets = [] }: { targets?: { expr: string }[] }) => targets.map(({ expr }) => expr)),
      ...board.templating.list.flatMap(({ definition }: { definition?: string }) => definition ?? []),
      ...rules.groups.flatMap(({ rules: some }: { rules: { expr: string }[] }) => some.map(({ expr }) => expr)),
    ];
  };

  it('use only metrics and labels that exist', async () => {
    const text = await settled();
    const all = await queries();
    expect(all.length).toBeGreaterThan(40);
    for (const query of all) {
      const names = namesIn(query);
      expect(names.length, query).toBeGreaterThan(0);
      for (const name of names) expect(readSeries(text, name), `${name} of ${query}`).toBeDefined();
      for (const [, name, matchers] of query.matchAll(/\b(\w+)\{([^}]*)\}/g)) {
        for (const [, label] of (matchers as string).matchAll(/(\w+)(?:=|!=|=~|!~)"/g)) {
          expect(text, `${label} of ${query}`).toMatch(new RegExp(`^${name}\\{[^}]*\\b${label}="`, 'm'));
        }
      }
    }
  });
});
