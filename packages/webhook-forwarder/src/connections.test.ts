import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { waitUntil } from '@clickrelay/testkit';
import { expect, test } from 'vitest';
import { failure, sampleAttempt } from '../test/sample-attempt.ts';
import { listen, listenRaw, msOf, open } from '../test/use-webhook.ts';
import { webhookConfig } from './config.ts';
import { webhookAdapter } from './deliver.ts';

test('deliveries share connections, and no more are open than `concurrency` says', async () => {
  let answered = 0;
  const { url, connections } = await listenRaw((socket) => {
    const answer = () => {
      answered++;
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    };
    answer();
    socket.on('data', answer);
  });
  const destination = open(url, { concurrency: 2 });
  await Promise.all(Array.from({ length: 20 }, () => destination.deliver(sampleAttempt())));
  expect(answered).toBe(20);
  expect(connections()).toBe(2);
});

test('deliveries one after the other do not open a connection each', async () => {
  const { url, connections } = await listenRaw((socket) => {
    const answer = () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    answer();
    socket.on('data', answer);
  });
  const destination = open(url);
  for (let index = 0; index < 20; index++) await destination.deliver(sampleAttempt());
  expect(connections()).toBeLessThanOrEqual(2);
});

test('a delivery that gave up waiting for a connection is never sent', async () => {
  let requests = 0;
  const { url } = await listenRaw((socket) => {
    requests++;
    socket.on('data', () => requests++);
    setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), 300);
  });
  const destination = open(url, { concurrency: 1 });
  const stop = new AbortController();
  const first = destination.deliver(sampleAttempt());
  const second = failure(destination.deliver(sampleAttempt({ signal: stop.signal })));
  stop.abort();
  expect(await second).toMatchObject({ code: 'delivery_aborted', retryable: true });
  await first;
  await sleep(50);
  expect(requests).toBe(1);
});

test('an aborted attempt ends at once, closes its connection and may be tried again', async () => {
  const { url, sockets } = await listenRaw(() => {});
  const destination = open(url);
  const stop = new AbortController();
  const delivering = failure(destination.deliver(sampleAttempt({ signal: stop.signal })));
  await waitUntil(() => sockets.size === 1);
  stop.abort(new Error('canary'));
  const error = await delivering;
  expect(error).toMatchObject({ code: 'delivery_aborted', retryable: true });
  expect(inspect(error, { depth: 9 })).not.toContain('canary');
  await waitUntil(() => sockets.size === 0);
});

test('an attempt that was aborted before it began is not sent', async () => {
  const server = await listen();
  const error = await failure(open(server.url).deliver(sampleAttempt({ signal: AbortSignal.abort() })));
  expect(error).toMatchObject({ code: 'delivery_aborted', retryable: true });
  expect(server.requests).toEqual([]);
});

test('an abort after the status line leaves the delivery delivered', async () => {
  const stop = new AbortController();
  const { url } = await listenRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
    setTimeout(() => stop.abort(), 100);
  });
  const receipt = await open(url).deliver(sampleAttempt({ signal: stop.signal }));
  expect(receipt).toEqual({ status: 200, response: 'half' });
});

test('closing lets running attempts end, refuses new ones, and may be done twice', async () => {
  const server = await listen(() => ({ status: 200, body: 'slow', delayMs: 200 }));
  const destination = open(server.url);
  const delivering = destination.deliver(sampleAttempt());
  await server.waitFor(1);
  const closing = destination.close();
  expect(await failure(destination.deliver(sampleAttempt()))).toMatchObject({ code: 'delivery_aborted' });
  expect(await delivering).toEqual({ status: 200, response: 'slow' });
  await closing;
  await destination.close();
  expect(server.requests).toHaveLength(1);
});

test('a connection that was still being made when closing is given up', async () => {
  const { url, connections } = await listenRaw(() => {});
  const name = Promise.withResolvers<{ address: string; family: number }[]>();
  const adapter = webhookAdapter({
    egressAllow: ['127.0.0.1/32'],
    userAgent: 'Clickrelay/0',
    resolve: () => name.promise,
  });
  const destination = adapter.open(
    webhookConfig.parse({ url: url.replace('127.0.0.1', 'crm.example.com'), timeoutMs: 100 }),
  );
  expect(await failure(destination.deliver(sampleAttempt()))).toMatchObject({ code: 'destination_timeout' });
  await destination.close();
  name.resolve([{ address: '127.0.0.1', family: 4 }]);
  await sleep(100);
  expect(connections()).toBe(0);
});

test('nothing is left open after closing', async () => {
  const server = await listen((_, index) => ([200, 500, 'reset', 'hang'] as const)[index % 4] ?? 200);
  const resources = () => process.getActiveResourcesInfo().filter((kind) => /Timeout|TCP|TLS/.test(kind)).length;
  const before = resources();

  // As many as there are attempts: a cut connection that was used before would be tried again at once.
  const destination = open(server.url, { concurrency: 40 });
  const stop = new AbortController();
  let ended = 0;
  const attempts = Array.from({ length: 40 }, () =>
    failure(destination.deliver(sampleAttempt({ signal: stop.signal })))
      .catch(() => {})
      .finally(() => ended++),
  );
  await waitUntil(() => ended === 30 && server.requests.length === 40);
  expect(resources()).toBeGreaterThan(before + 10);
  // One listener for all of them: with one each, adding one would search thousands of others.
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);

  stop.abort();
  await Promise.all(attempts);
  await destination.close();
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  // Sooner than an idle connection or a deadline would end by itself.
  await waitUntil(() => resources() <= before, { timeoutMs: 2000 });
});

test('one destination that hangs delays no other', async () => {
  const hanging = open((await listen('hang')).url, { concurrency: 1, timeoutMs: 5000 });
  const healthy = open((await listen()).url);
  const stuck = Array.from({ length: 50 }, () => failure(hanging.deliver(sampleAttempt())));
  expect(await msOf(healthy.deliver(sampleAttempt()))).toBeLessThan(4_000);
  for (const error of await Promise.all(stuck)) expect(error.code).toBe('destination_timeout');
});
