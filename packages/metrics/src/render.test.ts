import { type DurabilityReport, openStore, type Store } from '@clickrelay/queue';
import { type RedisServer, startRedis, waitUntil } from '@clickrelay/testkit';
import { Gauge, Registry } from '@prometheus-io/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createProcessMetrics, type ProcessMetrics, type ProcessRole } from './process.ts';
import { publishMetrics } from './publish.ts';
import { createRenderer, type Renderer } from './render.ts';
import { createWorkerMetrics } from './worker.ts';

const durability: DurabilityReport = {
  ready: true,
  mode: 'always',
  durability: 'always',
  mayBeLost: '',
  problems: [],
};

let redis: RedisServer;
let store: Store;
let api: ProcessMetrics;
let renderer: Renderer;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  store = await openStore({ redisUrl: redis.url, role: 'producer' });
  await store.ready();
  await store.redis.flushall();
  api = createProcessMetrics('api');
  renderer = createRenderer({ store, own: api, durability: () => durability, version: '1.2.3', sharedMs: 0 });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  api.stop();
  await renderer.stop();
  await store.close();
});

/** Another process, as this one sees it. */
const startProcess = (name: string, role: ProcessRole = 'worker') => {
  const own = { ...createProcessMetrics(role), process: name };
  own.registry.setDefaultLabels({ role, process: name });
  closing.push(() => own.stop());
  const metrics = createWorkerMetrics(own.registry);
  new Gauge({ name: 'a_gauge', help: 'Of its state', registers: [own.registry] }).set(7);
  return { metrics, publishing: publishMetrics(store, own, { everyMs: 50 }) };
};
const attempt = {
  destinationId: 'crm',
  durationMs: 500,
  outcome: { kind: 'delivered' },
  error: undefined,
} as const;
const text = async (): Promise<string> => (await renderer.render()).text;
const until = (...lines: string[]): Promise<string> =>
  waitUntil(async () => {
    const now = await text();
    return lines.every((line) => now.includes(line)) ? now : undefined;
  });
const delivered = (process: string, count: number): string =>
  `clickrelay_attempts_total{destination="crm",outcome="delivered",error="",role="worker",process="${process}"} ${count}`;

describe('metrics of several processes', () => {
  it('stand side by side, each under one heading', async () => {
    const [one, two] = [startProcess('a:1'), startProcess('b:2')];
    one.metrics.attempted(attempt);
    two.metrics.attempted(attempt);
    two.metrics.attempted(attempt);
    const rendered = await until(delivered('a:1', 1), delivered('b:2', 2), 'clickrelay_processes{role="worker"} 2');
    expect(rendered.match(/^# TYPE clickrelay_attempts_total counter$/gm)).toHaveLength(1);
    await Promise.all([one.publishing.stop(), two.publishing.stop()]);
  });

  it('of one that has ended are its counters only', async () => {
    const { metrics, publishing } = startProcess('a:1');
    await until('a_gauge{role="worker",process="a:1"} 7');
    metrics.attempted(attempt);
    await publishing.stop();
    const rendered = await until(delivered('a:1', 1), 'clickrelay_processes{role="worker"} 0');
    expect(rendered).not.toContain('a_gauge{');
  });

  it('of one that was killed are its counters only, and then nothing', async () => {
    const { metrics, publishing } = startProcess('a:1');
    metrics.attempted(attempt);
    await until(delivered('a:1', 1));
    await publishing.stop();
    const [key] = await store.redis.keys('*snapshot:a:1');
    // As it is when nothing has come for a while; published as by one that runs.
    const running = startProcess('a:1');
    await until('clickrelay_processes{role="worker"} 1');
    const body = await store.redis.getBuffer(key as string);
    await running.publishing.stop();
    await store.redis.set(key as string, body as Buffer, 'PX', 60_000);
    const rendered = await until('clickrelay_processes{role="worker"} 0');
    expect(rendered).not.toContain('a_gauge{');
    await store.redis.pexpire(key as string, 1);
    await waitUntil(async () => !(await text()).includes('process="a:1"'));
  });

  it('are those of the API alone while Redis is away, which is said', async () => {
    await until('clickrelay_redis_up 1');
    await redis.kill('SIGSTOP');
    try {
      const rendered = await text();
      expect(rendered).toContain('clickrelay_redis_up 0');
      expect(rendered).toContain('process_cpu_seconds_total{role="api"');
      expect(rendered).not.toContain('clickrelay_processes{');
    } finally {
      await redis.kill('SIGCONT');
    }
  });
});

describe('what a worker counts', () => {
  it('reads as Prometheus wants it, with known error codes only', async () => {
    const registry = new Registry();
    const metrics = createWorkerMetrics(registry);
    const receivedAt = new Date(Date.now() - 700).toISOString();
    metrics.delivered('messages', receivedAt);
    metrics.attempted({ ...attempt, outcome: { kind: 'retry' }, error: { code: 'a phone number' } });
    const lines = (await registry.metrics()).split('\n');
    expect(lines).toContain('clickrelay_delivery_seconds_bucket{le="0.5",lane="messages"} 0');
    expect(lines).toContain('clickrelay_delivery_seconds_bucket{le="1",lane="messages"} 1');
    expect(lines).toContain('clickrelay_delivery_seconds_bucket{le="+Inf",lane="messages"} 1');
    expect(lines).toContain('clickrelay_delivery_seconds_count{lane="messages"} 1');
    expect(lines).toContain('clickrelay_attempts_total{destination="crm",outcome="retry",error="other"} 1');
  });

  it('forgets a destination that is removed', async () => {
    const registry = new Registry();
    const metrics = createWorkerMetrics(registry);
    metrics.attempted(attempt);
    expect(await registry.metrics()).toContain('destination="crm"');
    metrics.forget('crm');
    expect(await registry.metrics()).not.toContain('destination="crm"');
  });
});
