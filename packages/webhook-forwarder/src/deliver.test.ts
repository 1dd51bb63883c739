import { getEventListeners, once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type Deliverer, formatEvent } from '@clickrelay/core';
import { freePort } from '@clickrelay/service/machine';
import { type Answer, fairNow, startDestination, waitUntil } from '@clickrelay/testkit';
import { Webhook } from 'standardwebhooks';
import { afterEach, expect, test } from 'vitest';
import { failure, sampleAttempt, sampleEvent } from '../test/sample-attempt.ts';
import { type WebhookConfig, webhookConfig } from './config.ts';
import { webhookAdapter } from './deliver.ts';
import { generateSecret } from './secret.ts';

const secret = generateSecret();
const atEnd: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of atEnd.splice(0).reverse()) await end();
});

const open = (url: string, settings: Partial<WebhookConfig> = {}, userAgent = 'Clickrelay/1.2.3'): Deliverer => {
  const adapter = webhookAdapter({ egressAllow: ['127.0.0.1/32'], userAgent });
  const destination = adapter.open(webhookConfig.parse({ url, secret, ...settings }));
  atEnd.push(() => destination.close());
  return destination;
};

const listen = async (answer: Answer = 200) => {
  const server = await startDestination({ answer });
  atEnd.push(server.close);
  return server;
};

/** A server that does with each connection as told, once the head of a request has come. */
const listenRaw = async (serve: (socket: Socket) => void) => {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', () => serve(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=canary-query`;
  return { url, sockets, connections: () => connections };
};

/** Writes a piece every 20 ms until the connection is closed. */
const trickle = (socket: Socket, piece: string | ((index: number) => string)): void => {
  let index = 0;
  const timer = setInterval(() => socket.write(typeof piece === 'string' ? piece : piece(index++)), 20);
  socket.on('close', () => clearInterval(timer));
};

/** In ms of `fairNow`. What has no deadline here waits for good, or for the ten seconds that are the default. */
const msOf = async (work: Promise<unknown>): Promise<number> => {
  const start = fairNow();
  await work.catch(() => {});
  return fairNow() - start;
};

test('an event arrives as a POST that Standard Webhooks libraries verify', async () => {
  const server = await listen(() => ({ status: 202, body: 'thanks' }));
  const destination = open(`${server.url}hook?token=x%20y`);

  expect(await destination.deliver(sampleAttempt())).toEqual({ status: 202, response: 'thanks' });

  const [request] = await server.waitFor(1);
  expect(request?.method).toBe('POST');
  expect(request?.path).toBe('/hook?token=x%20y');
  expect(request?.headers).toEqual({
    host: `127.0.0.1:${server.port}`,
    connection: 'keep-alive',
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(request?.body ?? '')),
    'user-agent': 'Clickrelay/1.2.3',
    'webhook-id': sampleEvent.event.id,
    'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
    'webhook-signature': expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
  });
  const verified = new Webhook(secret).verify(request?.body ?? '', request?.headers as Record<string, string>);
  expect(verified).toEqual(sampleEvent.event);
});

test.each([
  ['event', 'application/json; charset=utf-8'],
  ['clickatell', 'application/json; charset=utf-8'],
  ['cloudevents', 'application/cloudevents+json; charset=utf-8'],
  ['cloudevents-binary', 'application/json; charset=utf-8'],
] as const)('the body is written as %s and signed as sent', async (format, contentType) => {
  const server = await listen();
  await open(server.url, { format }).deliver(sampleAttempt());
  const [request] = await server.waitFor(1);
  expect(request).toMatchObject(formatEvent(sampleEvent, format));
  expect(request?.headers['content-type']).toBe(contentType);
  new Webhook(secret).verify(request?.body ?? '', request?.headers as Record<string, string>);
});

test('with two secrets, the old key and the new one verify every delivery', async () => {
  const renewed = generateSecret();
  const server = await listen();
  await open(server.url, { secret: [secret, renewed] }).deliver(sampleAttempt());
  const [request] = await server.waitFor(1);
  for (const key of [secret, renewed]) {
    new Webhook(key).verify(request?.body ?? '', request?.headers as Record<string, string>);
  }
});

test.each([200, 201, 202, 204, 299])('%i is success', async (status) => {
  const server = await listen(status);
  expect(await open(server.url).deliver(sampleAttempt())).toEqual({ status, response: '' });
});

test.each([304, 400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 451, 500, 501, 502, 503, 504, 599, 999])(
  '%i is tried again',
  async (status) => {
    const server = await listen(() => ({ status, body: 'canary-response' }));
    const error = await failure(open(`${server.url}?token=canary-query`).deliver(sampleAttempt()));
    expect(error).toMatchObject({
      code: 'destination_rejected',
      retryable: true,
      parks: false,
      status,
      retryAfterMs: undefined,
      response: status === 304 ? '' : 'canary-response',
    });
    expect(error.message).toContain(`127.0.0.1:${server.port} answered ${status}`);
    expect(error.message).not.toContain('canary');
  },
);

test('410 parks the destination', async () => {
  const server = await listen(410);
  expect(await failure(open(server.url).deliver(sampleAttempt()))).toMatchObject({
    code: 'destination_rejected',
    retryable: true,
    parks: true,
    status: 410,
    message: `127.0.0.1:${server.port} answered 410; it asks for no more deliveries`,
  });
});

test.each([301, 302, 303, 307, 308])('a %i is not followed', async (status) => {
  const elsewhere = await listen();
  const server = await listen(() => ({ status, headers: { location: elsewhere.url } }));
  expect(await failure(open(server.url).deliver(sampleAttempt()))).toMatchObject({
    code: 'destination_rejected',
    retryable: true,
    status,
    message: `127.0.0.1:${server.port} answered ${status}; redirects are not followed, set \`url\` to where it leads`,
  });
  expect(elsewhere.requests).toEqual([]);
});

test.each([
  ['7', 7000],
  ['1e9', undefined],
  ['Fri, 31 Dec 9999 23:59:59 GMT', 86_400_000],
])('retry-after: %s', async (header, retryAfterMs) => {
  const server = await listen(() => ({ status: 503, headers: { 'retry-after': header } }));
  expect(await failure(open(server.url).deliver(sampleAttempt()))).toMatchObject({ status: 503, retryAfterMs });
});

test('a refused connection is tried again, and says so by its code alone', async () => {
  const port = await freePort();
  const error = await failure(open(`http://127.0.0.1:${port}/?token=canary`).deliver(sampleAttempt()));
  expect(error).toMatchObject({
    code: 'destination_unreachable',
    retryable: true,
    message: `no answer from 127.0.0.1:${port} (ECONNREFUSED)`,
    cause: 'ECONNREFUSED',
  });
});

test('a connection that is cut is tried again', async () => {
  const server = await listen('reset');
  expect(await failure(open(server.url).deliver(sampleAttempt()))).toMatchObject({
    code: 'destination_unreachable',
    retryable: true,
    message: `no answer from 127.0.0.1:${server.port} (ECONNRESET)`,
    cause: 'ECONNRESET',
  });
});

test.each([
  ['an end without an answer', ''],
  ['something that is not HTTP', 'SSH-2.0-canary\r\n'],
  ['half a head', 'HTTP/1.1 200 OK\r\nx-canary: '],
  ['a head without end', `HTTP/1.1 200 OK\r\nx-canary: ${'x'.repeat(100_000)}\r\n\r\n`],
  ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: canary\r\n\r\n'],
  ['an interim answer and no other', 'HTTP/1.1 103 Early Hints\r\nlink: canary\r\n\r\n'],
])('%s is no answer', async (_, answer) => {
  const { url } = await listenRaw((socket) => socket.end(answer));
  const error = await failure(open(url).deliver(sampleAttempt()));
  expect(error).toMatchObject({ code: 'destination_unreachable', retryable: true });
  expect(inspect(error, { depth: 9 })).not.toContain('canary');
});

test('an interim answer is waited past', async () => {
  const { url } = await listenRaw((socket) =>
    socket.end('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'),
  );
  expect(await open(url).deliver(sampleAttempt())).toEqual({ status: 200, response: 'ok' });
});

test.each<[string, (socket: Socket) => void]>([
  ['says nothing', () => {}],
  ['trickles its status line', (socket) => trickle(socket, (index) => 'HTTP/1.1 200 it is all right'.charAt(index))],
  ['trickles interim answers', (socket) => trickle(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n')],
  [
    'trickles its headers',
    (socket) => trickle(socket, (index) => (index === 0 ? 'HTTP/1.1 200 OK\r\n' : 'x-a: b\r\n')),
  ],
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

test('a body that trickles on does not stretch the deadline either', async () => {
  const { url } = await listenRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
    trickle(socket, 'x');
  });
  expect(await msOf(open(url, { timeoutMs: 200 }).deliver(sampleAttempt()))).toBeLessThan(5_000);
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

test.each(['evt_1\r\nx-injected: yes', 'evt_1\n', 'evt_1\0', 'evt_🎉'])(
  'a header value of %j is a dead letter, not a crash',
  async (id) => {
    const server = await listen();
    const event = { ...sampleEvent, event: { ...sampleEvent.event, id } };
    expect(await failure(open(server.url).deliver(sampleAttempt({ event })))).toMatchObject({
      code: 'delivery_not_built',
      retryable: false,
      message: `127.0.0.1:${server.port} was not called: a header of the delivery has a character that HTTP does not allow`,
    });
    expect(server.requests).toEqual([]);
  },
);

test('an event that cannot be written is a dead letter, not a crash', async () => {
  const server = await listen();
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const event = { ...sampleEvent, event: { ...sampleEvent.event, data: circular } };
  expect(await failure(open(server.url).deliver(sampleAttempt({ event })))).toMatchObject({
    code: 'delivery_not_built',
    retryable: false,
    message: `127.0.0.1:${server.port} was not called: the event cannot be written as event`,
  });
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

  const destination = open(server.url);
  const stop = new AbortController();
  let ended = 0;
  const attempts = Array.from({ length: 40 }, () =>
    failure(destination.deliver(sampleAttempt({ signal: stop.signal })))
      .catch(() => {})
      .finally(() => ended++),
  );
  await waitUntil(() => ended === 30 && server.requests.length === 40);
  expect(resources()).toBeGreaterThan(before + 10);
  // One for all of them: each of thousands would look through the others' to add its own.
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

test('no error tells a secret, the query, the answer, a phone number or what was written', async () => {
  const { from, to } = sampleEvent.event;
  const secrets = [secret, 'canary-query', 'canary-response', from, to, 'Hello'].filter((text) => text !== null);
  const answers: Answer[] = [
    () => ({ status: 500, body: 'canary-response', headers: { 'x-a': 'canary-response' } }),
    'reset',
    'hang',
    302,
  ];
  for (const answer of answers) {
    const server = await listen(answer);
    const destination = open(`${server.url}canary-query?token=canary-query`, { timeoutMs: 200 });
    const error = await failure(destination.deliver(sampleAttempt()));
    const told = `${error.message}\n${error.stack}\n${inspect(error.cause, { depth: 9 })}`;
    for (const text of secrets) expect(told).not.toContain(text);
  }
});
