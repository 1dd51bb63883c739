import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { waitUntil } from '@clickrelay/testkit';
import { expect, test } from 'vitest';
import { failure, sampleAttempt } from '../test/sample-attempt.ts';
import { listenRaw, open } from '../test/use-webhook.ts';

test.each([
  ['an end without an answer', ''],
  ['something that is not HTTP', 'SSH-2.0-canary\r\n'],
  ['something that is not HTTP, without an end', 'canary'.repeat(1_000_000)],
  ['half a status line', 'HTTP/1.1 20'],
  ['a status of four digits', 'HTTP/1.1 2000 canary\r\n\r\n'],
  ['a status below all others', 'HTTP/1.1 099 canary\r\n\r\n'],
  ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: canary\r\n\r\n'],
  ['an interim answer and no other', 'HTTP/1.1 103 Early Hints\r\nlink: canary\r\n\r\n'],
])('%s is no answer', async (_, answer) => {
  const { url } = await listenRaw((socket) => socket.end(answer));
  const error = await failure(open(url).deliver(sampleAttempt()));
  expect(error).toMatchObject({ code: 'destination_unreachable', retryable: true });
  expect(error.message).toMatch(/^no answer from 127\.0\.0\.1:\d+: /);
  expect(inspect(error, { depth: 9 })).not.toContain('canary');
});

test('an interim answer is waited past', async () => {
  const { url } = await listenRaw((socket) =>
    socket.end('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'),
  );
  expect(await open(url).deliver(sampleAttempt())).toEqual({ status: 200, response: 'ok' });
});

test('something that is not TLS is no answer, and none of it is told', async () => {
  const { url } = await listenRaw((socket) => socket.end('HTTP/1.1 200 OK\r\nx: canary\r\n\r\n'));
  const error = await failure(open(url.replace('http:', 'https:')).deliver(sampleAttempt()));
  expect(error).toMatchObject({ code: 'destination_unreachable', retryable: true });
  expect(inspect(error, { depth: 9 })).not.toContain('canary');
});

test('a compressed answer is not opened: a bomb stays as small as it came', async () => {
  const bomb = gzipSync(Buffer.alloc(100_000_000));
  const { url, sockets } = await listenRaw((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
    socket.write(bomb);
  });
  const before = process.memoryUsage().rss;
  const { status, response } = await open(url).deliver(sampleAttempt());
  expect(status).toBe(200);
  expect(response.length).toBeLessThanOrEqual(16_384);
  expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
  await waitUntil(() => sockets.size === 0);
});

test('a success whose body breaks off is a success', async () => {
  const { url } = await listenRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\npart');
    setTimeout(() => socket.resetAndDestroy(), 50);
  });
  expect(await open(url).deliver(sampleAttempt())).toEqual({ status: 200, response: 'part' });
});

test('of a long answer 16 KB are kept, the connection is closed, and memory stays flat', async () => {
  let sent = 0;
  const { url, sockets } = await listenRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    const chunk = `10000\r\n${'y'.repeat(65_536)}\r\n`;
    const pour = () => {
      while (!socket.destroyed && socket.write(chunk)) sent++;
    };
    socket.on('drain', pour);
    pour();
  });
  const { status, response } = await open(url).deliver(sampleAttempt());
  expect({ status, response }).toEqual({ status: 200, response: 'y'.repeat(16_384) });
  await waitUntil(() => sockets.size === 0);
  expect(sent * 65_536).toBeLessThan(16 * 1024 * 1024);
});

test('an answer of exactly 16 KB is kept whole, and its connection too', async () => {
  const { url, connections } = await listenRaw((socket) => {
    const answer = () => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 16384\r\n\r\n${'z'.repeat(16_384)}`);
    answer();
    socket.on('data', answer);
  });
  const destination = open(url, { concurrency: 1 });
  for (const _ of [1, 2, 3]) {
    expect((await destination.deliver(sampleAttempt())).response).toBe('z'.repeat(16_384));
  }
  expect(connections()).toBe(1);
});
