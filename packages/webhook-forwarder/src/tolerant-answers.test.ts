import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { failure, sampleAttempt } from '../test/sample-attempt.ts';
import { listenRaw, open } from '../test/use-webhook.ts';

// Bytes that destinations answer, after they have taken the event. What counts is the status line.

const longHeaders = Array.from({ length: 10 }, (_, index) => `set-cookie: c${index}=${'x'.repeat(2000)}\r\n`).join('');

const TAKEN: readonly [what: string, answer: string, status: number][] = [
  ['more than 16 KB of headers', `HTTP/1.1 200 OK\r\ncontent-length: 0\r\n${longHeaders}\r\n`, 200],
  ['a space in a header name', 'HTTP/1.1 200 OK\r\nX Powered By: shop\r\ncontent-length: 0\r\n\r\n', 200],
  ['a control character in a value', 'HTTP/1.1 200 OK\r\nx-app: a\x01b\r\ncontent-length: 0\r\n\r\n', 200],
  ['lines that end with LF only', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n', 200],
  ['its length twice', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok', 200],
  [
    'a length and chunks',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    200,
  ],
  ['100 Continue, unasked', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n', 202],
  ['a status line, then silence', 'HTTP/1.1 200 OK\r\n', 200],
  ['half its headers, then silence', 'HTTP/1.1 200 OK\r\nx-half: ', 200],
  ['a line that is no header', 'HTTP/1.1 200 OK\r\nhello\r\ncontent-length: 0\r\n\r\n', 200],
  ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\nok', 200],
  ['two lengths that differ', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok', 200],
  ['chunks that are none', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nok', 200],
  ['more than it announced', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokokok', 200],
  ['no reason phrase', 'HTTP/1.1 204\r\n\r\n', 204],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nok', 200],
  ['empty lines in front', '\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', 200],
];

/** Answers each request of a server with the answer, written as told. */
const startServer = async (write: (socket: Socket) => unknown) => {
  let requests = 0;
  const serve = (socket: Socket) => {
    requests++;
    write(socket);
  };
  const { url } = await listenRaw((socket) => {
    serve(socket);
    socket.on('data', () => serve(socket));
  });
  return { url, requests: () => requests };
};

test.each(TAKEN)('%s: the event is delivered once, and so is the next one', async (_, answer, status) => {
  const { url, requests } = await startServer((socket) => socket.write(answer, 'latin1'));
  const destination = open(url);
  for (const count of [1, 2]) {
    expect(await destination.deliver(sampleAttempt())).toMatchObject({ status });
    expect(requests()).toBe(count);
  }
});

test.each(TAKEN)('%s, and the connection is closed: the event is delivered once', async (_, answer, status) => {
  const { url, requests } = await startServer((socket) => socket.end(answer, 'latin1'));
  expect(await open(url).deliver(sampleAttempt())).toMatchObject({ status });
  expect(requests()).toBe(1);
});

/** Park and Miller's generator, so that a failure can be run again. */
const randomFrom = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
};

test.each(TAKEN)('%s, in pieces of any size: the event is delivered once', async (what, answer, status) => {
  for (let seed = 1; seed <= 5; seed++) {
    const random = randomFrom(seed);
    const { url, requests } = await startServer(async (socket) => {
      socket.setNoDelay(true);
      const longest = 1 + random(Math.min(answer.length, 40)) + (answer.length > 1000 ? 500 : 0);
      for (let at = 0; at < answer.length; ) {
        const end = at + 1 + random(longest);
        socket.write(answer.slice(at, end), 'latin1');
        at = end;
        await nextTurn();
      }
      // A destination that says nothing more would be waited for.
      socket.end();
    });
    expect(await open(url).deliver(sampleAttempt()), `${what}, seed ${seed}`).toMatchObject({ status });
    expect(requests()).toBe(1);
  }
});

test('a refusal in such an answer is a refusal', async () => {
  const { url } = await startServer((socket) =>
    socket.write('HTTP/1.1 503 Busy\nX Powered By: shop\nretry-after: 3.25\ncontent-length: 4\n\nbusy'),
  );
  expect(await failure(open(url).deliver(sampleAttempt()))).toMatchObject({
    code: 'destination_rejected',
    status: 503,
    response: 'busy',
    retryAfterMs: 3_250,
  });
});
