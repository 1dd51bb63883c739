import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, putDestination } from '@clickrelay/queue';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { sampleCallback } from '@clickrelay/simulator';
import {
  type Destination,
  PERSON_KEY,
  type RedisServer,
  startDestination,
  startRedis,
  waitUntil,
} from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startCli } from './run-cli.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
const atEnd: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of atEnd.splice(0).reverse()) await end();
});

interface ExportedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number };
  readonly attributes: { readonly key: string; readonly value: Record<string, unknown> }[];
}

/** What an OTLP/HTTP collector got from each service. */
const spansOf = (collector: Destination): (ExportedSpan & { service: unknown })[] =>
  collector.requests.flatMap(({ body }) =>
    JSON.parse(body).resourceSpans.flatMap((one: Record<string, never>) => {
      const { resource, scopeSpans } = one as unknown as {
        resource: { attributes: ExportedSpan['attributes'] };
        scopeSpans: { spans: ExportedSpan[] }[];
      };
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value['stringValue'];
      return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service })));
    }),
  );

const listen = async (answer?: Parameters<typeof startDestination>[0]): Promise<Destination> => {
  const server = await startDestination(answer);
  atEnd.push(() => server.close());
  return server;
};

/** Starts everything, with a destination that fails at first. Returns a function that posts a callback. */
const start = async (environment: Record<string, string>, destinationUrl: string) => {
  const folder = await mkdtemp(join(tmpdir(), 'clickrelay-traces-'));
  atEnd.push(() => rm(folder, { recursive: true, force: true }));
  const store = await openStore({ redisUrl: redis.url, role: 'consumer' });
  await store.redis.flushall();
  await store.ready();
  const config = { url: destinationUrl, secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}` };
  await putDestination(store, { id: 'crm', type: 'webhook', events: ['*'], paused: null, config });
  await store.close();
  const port = String(await freePort());
  const program = await startCli(
    ['start', '--roles', 'receiver,worker'],
    {
      DATA_DIR: join(folder, 'data'),
      REDIS_URL: redis.url,
      PERSON_KEY,
      PORT: port,
      EGRESS_ALLOW: '127.0.0.0/8',
      RETRY_SCHEDULE: '0s,20ms,20ms',
      CALLBACK_AUTH: 'none',
      CLICKRELAY_REDIS_SERVER: findRedisServer(),
      ...environment,
    },
    { readyOutput: /Mend|callbacks/ },
  );
  atEnd.push(() => program.stop());
  return async (headers: Record<string, string>): Promise<void> => {
    const body = JSON.stringify(sampleCallback('moText', { content: 'canary-text', from: '2783123' }));
    const url = `http://127.0.0.1:${port}/client-callback/one-api-reply`;
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
  };
};

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

describe('traces', () => {
  it('lead from the callback through its commit to each attempt, and on to the destination', async () => {
    const collector = await listen();
    const crm = await listen({ answer: (_, index) => (index === 0 ? 503 : 200) });
    const post = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url.replace(/\/$/, '') }, crm.url);
    await post({ traceparent: `00-${TRACE}-${PARENT}-01` });
    const [first, second] = await crm.waitFor(2);
    const spans = await waitUntil(
      () => {
        const found = spansOf(collector);
        return found.length >= 5 ? found : undefined;
      },
      { timeoutMs: 20_000 },
    );

    expect(collector.requests[0]?.path).toBe('/v1/traces');
    expect(spans.map(({ name, service }) => `${service} ${name}`).sort()).toEqual([
      'clickrelay-receiver callback',
      'clickrelay-receiver commit',
      'clickrelay-worker deliver',
      'clickrelay-worker deliver',
      'clickrelay-worker ingest',
    ]);
    const named = (name: string) => spans.filter((span) => span.name === name);
    const [[callback], [commit], [ingest], attempts] = [
      named('callback'),
      named('commit'),
      named('ingest'),
      named('deliver'),
    ];
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
    expect(callback?.parentSpanId).toBe(PARENT);
    expect(commit?.parentSpanId).toBe(callback?.spanId);
    expect(ingest?.parentSpanId).toBe(callback?.spanId);
    for (const attempt of attempts) expect(attempt.parentSpanId).toBe(ingest?.spanId);
    const sent = [first, second].map((request) => request?.headers['traceparent']);
    expect(sent.sort()).toEqual(attempts.map(({ spanId }) => `00-${TRACE}-${spanId}-01`).sort());
    expect(attempts.map(({ status }) => status.code ?? 0).sort()).toEqual([0, 2]);
    for (const { body } of collector.requests) expect(body).not.toMatch(/canary|2783123/);
  });

  it('are neither made nor handed on unless they are configured', async () => {
    const crm = await listen();
    const post = await start({}, crm.url);
    await post({ traceparent: `00-${TRACE}-${PARENT}-01` });
    const [request] = await crm.waitFor(1);
    expect(request?.headers['traceparent']).toBeUndefined();
  });
});
