import type { Socket } from 'node:net';
import { waitUntil } from '@clickrelay/testkit';
import { expect, test } from 'vitest';
import { failure, sampleAttempt, sampleEvent } from '../test/sample-attempt.ts';
import { listenRaw, msOf, open, trickle } from '../test/use-webhook.ts';
import { webhookConfig } from './config.ts';
import { webhookAdapter } from './deliver.ts';

test.each<[string, (socket: Socket) => void]>([
  ['says nothing', () => {}],
  ['trickles its status line', (socket) => trickle(socket, (index) => 'HTTP/1.1 200 it is all right'.charAt(index))],
  ['trickles interim answers', (socket) => trickle(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n')],
])('a destination that %s is cut off at the deadline', async (_, serve) => {
  const { url, sockets } = await listenRaw(serve);
  const delivering = failure(open(url, { timeoutMs: 300 }).deliver(sampleAttempt()));
  expect(await msOf(delivering)).toBeLessThan(5_000);
  expect(await delivering).toMatchObject({ code: 'destination_timeout', retryable: true });
  await waitUntil(() => sockets.size === 0);
});

test.each<[string, (socket: Socket) => void]>([
  ['says nothing', () => {}],
  // A record of a handshake that says it is 16 KB long, and then comes byte by byte.
  ['trickles its handshake', (socket) => trickle(socket, (index) => (index === 0 ? '\x16\x03\x03\x40\x00\x02' : '\0'))],
])('a destination that %s where TLS is expected is cut off at the deadline', async (_, serve) => {
  const { url, sockets } = await listenRaw(serve);
  const delivering = failure(open(url.replace('http:', 'https:'), { timeoutMs: 300 }).deliver(sampleAttempt()));
  expect(await msOf(delivering)).toBeLessThan(5_000);
  expect(await delivering).toMatchObject({ code: 'destination_timeout', retryable: true });
  // The attempt has ended; its connection is given up soon after it.
  await waitUntil(() => sockets.size === 0);
});

test('a destination that takes no more bytes is cut off at the deadline', async () => {
  const { url, sockets } = await listenRaw((socket) => socket.pause());
  const event = { ...sampleEvent, source: JSON.stringify({ content: 'x'.repeat(20 * 1024 * 1024) }) };
  const delivering = failure(open(url, { timeoutMs: 500 }).deliver(sampleAttempt({ event })));
  expect(await delivering).toMatchObject({ code: 'destination_timeout', retryable: true });
  for (const socket of sockets) socket.resume();
  await waitUntil(() => sockets.size === 0);
});

test('a name that takes for ever to resolve is cut off at the deadline, and closing waits for nothing', async () => {
  const resolve = () => new Promise<never>(() => {});
  const adapter = webhookAdapter({ egressAllow: [], userAgent: 'Clickrelay/0', resolve });
  const destination = adapter.open(webhookConfig.parse({ url: 'https://crm.example.com/', timeoutMs: 200 }));
  const delivering = failure(destination.deliver(sampleAttempt()));
  expect(await msOf(delivering)).toBeLessThan(5_000);
  expect(await delivering).toMatchObject({ code: 'destination_timeout', retryable: true });
  expect(await msOf(destination.close())).toBeLessThan(5_000);
});

test('the status line decides: a body that trickles on is not waited for', async () => {
  for (const [status, outcome] of [
    ['200 OK', { status: 200 }],
    ['500 Sorry', { code: 'destination_rejected', status: 500 }],
  ] as const) {
    const { url, sockets } = await listenRaw((socket) => {
      socket.write(`HTTP/1.1 ${status}\r\ntransfer-encoding: chunked\r\n\r\n`);
      trickle(socket, '1\r\nx\r\n');
    });
    const delivering = open(url)
      .deliver(sampleAttempt())
      .catch((error: unknown) => error);
    expect(await msOf(delivering)).toBeLessThan(5_000);
    expect(await delivering).toMatchObject({ ...outcome, response: expect.stringMatching(/^x+$/) });
    await waitUntil(() => sockets.size === 0);
  }
});

test('headers that trickle on after the status line are not waited for either', async () => {
  const { url, sockets } = await listenRaw((socket) =>
    trickle(socket, (index) => (index === 0 ? 'HTTP/1.1 200 OK\r\n' : 'x-a: b\r\n')),
  );
  const delivering = open(url).deliver(sampleAttempt());
  expect(await msOf(delivering)).toBeLessThan(5_000);
  expect(await delivering).toEqual({ status: 200, response: '' });
  await waitUntil(() => sockets.size === 0);
});

test('a body that trickles on does not stretch the deadline either', async () => {
  const { url } = await listenRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
    trickle(socket, 'x');
  });
  expect(await msOf(open(url, { timeoutMs: 200 }).deliver(sampleAttempt()))).toBeLessThan(5_000);
});
