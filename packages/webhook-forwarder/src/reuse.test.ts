import type { Socket } from 'node:net';
import { waitUntil } from '@clickrelay/testkit';
import { expect, test } from 'vitest';
import { failure, sampleAttempt } from '../test/sample-attempt.ts';
import { listenRaw, open } from '../test/use-webhook.ts';
import { webhookConfig } from './config.ts';
import { webhookAdapter } from './deliver.ts';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

/** Answers the first request of each connection, and lets `serveLater` do the rest. */
const startServer = async (serveLater: (socket: Socket) => unknown) => {
  let requests = 0;
  const server = await listenRaw((socket) => {
    requests++;
    socket.write(OK);
    socket.on('data', () => {
      requests++;
      serveLater(socket);
    });
  });
  return { ...server, requests: () => requests };
};

test.each<[string, (socket: Socket) => unknown]>([
  ['resets', (socket) => socket.resetAndDestroy()],
  ['closes', (socket) => socket.destroy()],
  ['ends', (socket) => socket.end()],
])('a destination that %s a connection it has used before costs no attempt', async (_, serveLater) => {
  const { url, connections, requests } = await startServer(serveLater);
  const destination = open(url);
  for (const count of [1, 2, 3]) {
    expect(await destination.deliver(sampleAttempt())).toMatchObject({ status: 200 });
    expect(connections()).toBe(count);
  }
  expect(requests()).toBe(5);
});

test('a new connection that is cut costs an attempt: nothing is tried for ever', async () => {
  let requests = 0;
  const { url } = await listenRaw((socket) => {
    requests++;
    if (requests > 1) socket.resetAndDestroy();
    else {
      socket.write(OK);
      socket.on('data', () => {
        requests++;
        socket.resetAndDestroy();
      });
    }
  });
  const destination = open(url);
  await destination.deliver(sampleAttempt());
  expect(await failure(destination.deliver(sampleAttempt()))).toMatchObject({ code: 'destination_unreachable' });
  expect(requests).toBe(3);
});

test('an answer that has begun is not asked for again', async () => {
  const { url, requests } = await startServer((socket) => socket.end('HTTP/1.1 2'));
  const destination = open(url);
  await destination.deliver(sampleAttempt());
  expect(await failure(destination.deliver(sampleAttempt()))).toMatchObject({ code: 'destination_unreachable' });
  expect(requests()).toBe(2);
});

test('a name that moves is followed while deliveries go on', async () => {
  const { url } = await startServer((socket) => socket.write(OK));
  const address = { now: '127.0.0.1' };
  const adapter = webhookAdapter({
    egressAllow: ['127.0.0.0/8'],
    userAgent: 'Clickrelay/0',
    resolve: async () => [{ address: address.now, family: 4 }],
    connectionAgeMs: 200,
  });
  const destination = adapter.open(
    webhookConfig.parse({ url: url.replace('127.0.0.1', 'hooks.example.com'), concurrency: 1 }),
  );
  await destination.deliver(sampleAttempt());
  address.now = '127.0.0.2';
  // Nobody listens there: sooner or later, without a silence, a delivery finds out.
  await waitUntil(async () => {
    const outcome = await destination.deliver(sampleAttempt()).catch((error: { code: string }) => error.code);
    return outcome === 'destination_unreachable';
  });
  await destination.close();
});

test('a connection that the destination closes after each answer, without saying so, costs no attempt', async () => {
  let requests = 0;
  const { url } = await listenRaw((socket) => {
    requests++;
    socket.write(OK);
    socket.on('data', () => socket.resetAndDestroy());
  });
  const destination = open(url, { concurrency: 2 });
  await Promise.all(Array.from({ length: 20 }, () => destination.deliver(sampleAttempt())));
  expect(requests).toBe(20);
});

test('an answer that nobody asked for is not taken for the next one', async () => {
  const { url, connections } = await listenRaw((socket) => {
    const answer = () => socket.write(`${OK}HTTP/1.1 500 Sorry\r\ncontent-length: 0\r\n\r\n`);
    answer();
    socket.on('data', answer);
  });
  const destination = open(url, { concurrency: 1 });
  for (const _ of [1, 2, 3]) expect(await destination.deliver(sampleAttempt())).toMatchObject({ status: 200 });
  expect(connections()).toBe(3);
});
