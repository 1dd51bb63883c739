import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { samples } from '@clickrelay/simulator';
import { fairNow } from '@clickrelay/testkit';
import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { exchange, type Receiver, startReceiver } from './start-receiver.ts';

const REPLY = '/client-callback/one-api-reply';
const TOKEN = `${REPLY}?token=s1`;
const CALLBACK_AUTH = 'query:s1';
const reply = JSON.stringify(samples.reply);
const small = '{"event":{"moText":[{}]}}';

let receiver: Receiver;
afterEach(() => receiver.stop());

/** The statuses of all answers on one connection, in order. */
const statuses = async (...writes: (string | Buffer)[]): Promise<number[]> => {
  const { text } = await exchange(receiver.port, ...writes);
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
};

const post = (fields: string, path = TOKEN) => `POST ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n`;
const close = 'Connection: close';
const hidden = `POST ${TOKEN} HTTP/1.1\r\nHost: x\r\nContent-Length: ${small.length}\r\n\r\n${small}`;

describe('a request that two parsers would read differently is refused, and none hidden in it is carried out:', () => {
  const cases: [name: string, bytes: string][] = [
    ['both lengths', `${post('Content-Length: 5\r\nTransfer-Encoding: chunked')}0\r\n\r\n${hidden}`],
    [
      'both lengths, the other way round',
      `${post('Transfer-Encoding: chunked\r\nContent-Length: 5')}0\r\n\r\n${hidden}`,
    ],
    ['two lengths', `${post('Content-Length: 0\r\nContent-Length: 25')}${hidden}`],
    ['a list of lengths', `${post('Content-Length: 0, 25')}${hidden}`],
    ['a signed length', `${post('Content-Length: +25')}${hidden}`],
    ['a length in hex', `${post('Content-Length: 0x19')}${hidden}`],
    ['a negative length', `${post('Content-Length: -1')}${hidden}`],
    ['a length beyond all numbers', `${post(`Content-Length: ${'9'.repeat(30)}`)}${hidden}`],
    ['chunked, but not last', `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n${hidden}`],
    ['chunked twice', `${post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity')}0\r\n\r\n${hidden}`],
    ['an unknown transfer encoding', `${post('Transfer-Encoding: xchunked')}0\r\n\r\n${hidden}`],
    ['a blank before the colon', `${post('Transfer-Encoding : chunked')}0\r\n\r\n${hidden}`],
    ['a folded header', `${post('Transfer-Encoding:\r\n chunked')}0\r\n\r\n${hidden}`],
    ['a bare LF in a header', `${post('X: a\nTransfer-Encoding: chunked')}0\r\n\r\n${hidden}`],
    ['a bare CR in a header', `${post('X: a\rTransfer-Encoding: chunked')}0\r\n\r\n${hidden}`],
    ['a NUL in a header', `${post('X: a\0b')}${hidden}`],
    ['a size of a chunk that is none', `${post('Transfer-Encoding: chunked')}zz\r\n${hidden}`],
    ['a chunk that is longer than it says', `${post('Transfer-Encoding: chunked')}1\r\n{}\r\n0\r\n\r\n${hidden}`],
    ['a chunk extension without end', `${post('Transfer-Encoding: chunked')}1;${'x'.repeat(40_000)}\r\n{\r\n${hidden}`],
    ['a method nobody knows', `FETCH ${TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n${hidden}`],
    ['a method in small letters', `post ${TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n${hidden}`],
    ['HTTP/2 without asking', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${hidden}`],
    ['HTTP/0.9', `GET ${REPLY}\r\n${hidden}`],
    ['TLS', `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${hidden}`],
    ['a name of a header that is none', `${post('X y: a')}${hidden}`],
  ];
  it.each(cases)('%s', async (_, bytes) => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const answered = await statuses(bytes);
    expect(answered.filter((status) => status < 400)).toEqual([]);
    expect(receiver.committed).toEqual([]);
    expect(JSON.stringify(receiver.logged)).not.toContain('s1');
  });
});

describe('a request that is not HTTP gets an answer of the same form as any other,', () => {
  it.each([
    ['malformed_request', 400, post('Transfer-Encoding: chunked\r\nContent-Length: 1')],
    ['malformed_request', 400, 'NONSENSE\r\n\r\n'],
    ['headers_too_large', 431, post(`X-Large: ${'x'.repeat(20_000)}`)],
    ['headers_too_large', 431, post(Array.from({ length: 3000 }, (_, n) => `X-${n}: y`).join('\r\n'))],
    ['headers_too_large', 431, `GET ${REPLY}?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ])('%s: %i', async (code, status, bytes) => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const answer = await exchange(receiver.port, bytes);
    expect(answer).toMatchObject({ status, head: expect.stringContaining('Connection: close') });
    expect(JSON.parse(answer.body)).toEqual({ error: { code, message: expect.any(String) } });
    expect(receiver.malformed).toEqual([{ status, code }]);
  });

  it('request_timeout: 408', async () => {
    receiver = await startReceiver(
      { CALLBACK_AUTH },
      { timeouts: { headersTimeout: 200, requestTimeout: 400, connectionsCheckingInterval: 50 } },
    );
    const answer = await exchange(receiver.port, `POST ${TOKEN} HTTP/1.1\r\nHost: x\r\n`);
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([408, 'request_timeout']);
  });
});

describe('an unusual but valid request is understood:', () => {
  it.each([
    ['HTTP/1.0', `POST ${TOKEN} HTTP/1.0\r\nContent-Length: ${small.length}\r\n\r\n${small}`],
    [
      'an absolute address',
      `POST http://elsewhere${TOKEN} HTTP/1.1\r\nHost: x\r\n${close}\r\nContent-Length: ${small.length}\r\n\r\n${small}`,
    ],
    [
      'chunks with extensions and trailers',
      `${post(`${close}\r\nTransfer-Encoding: chunked`)}19;a=b\r\n${small}\r\n0\r\nAuthorization: Basic eDp5\r\nX-Length: 9\r\n\r\n`,
    ],
    [
      'an upgrade that is declined',
      `${post(`${close}, Upgrade\r\nUpgrade: h2c\r\nContent-Length: ${small.length}`)}${small}`,
    ],
    [
      'obsolete bytes in a header',
      Buffer.from(`${post(`${close}\r\nX: caf\u00e9\r\nContent-Length: ${small.length}`)}${small}`, 'latin1'),
    ],
  ])('%s', async (_, bytes) => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    expect(await statuses(bytes)).toEqual([200]);
    expect(receiver.committed.map(({ text }) => text)).toEqual([small]);
  });

  it('a credential in a trailer, which comes after the body, does not count', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH: 'header:X-Secret:h1' });
    const bytes = `${post(`${close}\r\nTrailer: X-Secret\r\nTransfer-Encoding: chunked`, REPLY)}19\r\n${small}\r\n0\r\nX-Secret: h1\r\n\r\n`;
    expect(await statuses(bytes)).toEqual([401]);
    expect(receiver.committed).toEqual([]);
  });

  it.each(['CONNECT x:80', `CONNECT ${TOKEN}`])('%s is closed', async (line) => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const answer = await exchange(receiver.port, `${line} HTTP/1.1\r\nHost: x\r\n\r\n${hidden}`);
    expect(answer.status).toBe(0);
    expect(receiver.committed).toEqual([]);
  });

  it('an expectation other than 100-continue: 417', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    expect(await statuses(post(`${close}\r\nExpect: 200-ok\r\nContent-Length: 2`))).toEqual([417]);
  });
});

describe('pipelined requests', () => {
  it('each need their credential, and are answered in order', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const right = `${post(`Content-Length: ${small.length}`)}${small}`;
    const probe = `GET ${REPLY} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const wrong = `${post(`${close}\r\nContent-Length: 2`, `${REPLY}?token=no`)}{}`;
    expect(await statuses(right + probe + right + wrong)).toEqual([200, 200, 200, 401]);
    expect(receiver.committed).toHaveLength(2);
  });

  it('end with the first one whose body is refused unread, since what follows may be part of that body', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const answered = await statuses(`${post('Content-Length: 1000000', REPLY)}${hidden}${hidden}`);
    expect(answered).toEqual([401]);
    expect(receiver.committed).toEqual([]);
  });
});

describe('an unexpected body', () => {
  it.each([
    ['GET', REPLY, 200],
    ['HEAD', REPLY, 200],
    ['GET', '/healthz', 200],
    ['GET', '/readyz', 200],
    ['POST', '/readyz', 405],
    ['PUT', REPLY, 405],
    ['POST', '/elsewhere', 404],
  ])('is not read after %s %s', async (method, path, status) => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const answer = await exchange(
      receiver.port,
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n`,
    );
    expect(answer).toMatchObject({ status, head: expect.stringContaining('Connection: close') });
    // Not when the request would have timed out.
    expect(answer.ms).toBeLessThan(8_000);
  });
});

it('a caller that sends requests without end but reads no answer is cut off', async () => {
  receiver = await startReceiver({ CALLBACK_AUTH }, { timeouts: { timeout: 300 } });
  const requests = `GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(1000);
  const startedAt = fairNow();
  await new Promise<void>((resolve) => {
    const socket = connect(receiver.port, '127.0.0.1', async () => {
      socket.pause();
      while (!socket.destroyed && fairNow() - startedAt < 20_000) {
        if (!socket.writableNeedDrain) socket.write(requests);
        await sleep(5);
      }
      socket.destroy();
    });
    socket.pause();
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
  expect(fairNow() - startedAt).toBeLessThan(15_000);
});

describe('a body that is compressed', () => {
  const send = async (encoding: string, body: Buffer) => {
    const answer = await request(`${receiver.url}${TOKEN}`, {
      method: 'POST',
      body,
      headers: { 'Content-Encoding': encoding },
    });
    return { status: answer.statusCode, body: await answer.body.json() };
  };

  it.each([
    ['deflate, without the two bytes in front', 'deflate', deflateRawSync(reply)],
    ['gzip that is called deflate', 'deflate', gzipSync(reply)],
    ['deflate that is called gzip', 'gzip', deflateSync(reply)],
    ['gzip in two members', 'gzip', Buffer.concat([gzipSync(reply.slice(0, 99)), gzipSync(reply.slice(99))])],
  ])('as %s is opened', async (_, encoding, body) => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    expect(await send(encoding, body)).toEqual({ status: 200, body: { accepted: 8 } });
    expect(receiver.committed[0]?.text).toBe(reply);
  });

  it('that is larger than the counting buffer is opened whole', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const text = JSON.stringify({
      event: { moText: Array.from({ length: 9000 }, (_, n) => ({ content: `${n} `.repeat(99) })) },
    });
    expect(text.length).toBeGreaterThan(4_000_000);
    const bodies = [gzipSync(text), deflateSync(text), deflateRawSync(text)];
    const encodings = ['gzip', 'deflate', 'deflate'];
    // All at once, so that they wait for one another.
    const answers = await Promise.all(bodies.map((body, index) => send(encodings[index] as string, body)));
    expect(answers).toEqual(Array(3).fill({ status: 200, body: { accepted: 9000 } }));
    expect(receiver.committed.every((callback) => callback.text === text)).toBe(true);
  });

  it.each([
    ['gzip', 'gzip', gzipSync(small)],
    ['deflate', 'deflate', deflateSync(small)],
  ])(
    'as %s with further bytes behind it is kept as received: opening it would silently lose them',
    async (_, encoding, good) => {
      receiver = await startReceiver({ CALLBACK_AUTH });
      const body = Buffer.concat([good, Buffer.from('more')]);
      expect(await send(encoding, body)).toEqual({ status: 200, body: { accepted: 0, quarantined: 'qrt_1' } });
      expect(receiver.quarantined.map((entry) => Buffer.from(entry.body))).toEqual([body]);
    },
  );

  it('that cannot be opened does not stop those that come after it', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH, MAX_BODY_BYTES: '100000' });
    const answers = await Promise.all([
      send('gzip', gzipSync(Buffer.alloc(1_000_000))),
      send('gzip', Buffer.from('no gzip')),
      send('gzip', gzipSync(small)),
    ]);
    expect(answers.map(({ status, body }) => [status, (body as { accepted?: number }).accepted])).toEqual([
      [413, undefined],
      [200, 0],
      [200, 1],
    ]);
  });
});

describe('a body that would be altered by reading it', () => {
  const send = async (body: string | Buffer) => {
    const answer = await request(`${receiver.url}${TOKEN}`, { method: 'POST', body });
    return { status: answer.statusCode, body: await answer.body.json() };
  };

  it.each([
    ['duplicate keys', '{"event":{"moText":[{"content":"a","content":"b","n":1,"n":2}]}}'],
    ['integers beyond 2^53', '{"event":{"moText":[{"n":12345678901234567890,"x":1e400,"y":0.1000}]}}'],
    ['half a surrogate pair', '{"event":{"moText":[{"content":"\\ud800"}]}}'],
    ['an escaped NUL', '{"event":{"moText":[{"content":"\\u0000"}]}}'],
    ['blanks everywhere', ' {\n"event" :\t{ "moText" : [ {} ] } }\r\n'],
    ['names of methods', '{"event":{"constructor":[{"toString":1,"hasOwnProperty":2}],"toString":[]}}'],
  ])('by %s is committed with its own text', async (_, body) => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    expect(await send(body)).toEqual({ status: 200, body: { accepted: 1 } });
    expect(receiver.committed.map(({ text }) => text)).toEqual([body]);
  });

  it.each([
    ['broken UTF-8', Buffer.from('{"event":{"moText":[{"content":"caf\xe9"}]}}', 'latin1')],
    ['UTF-8 that is too long', Buffer.from([0x7b, 0xc0, 0xaf, 0x7d])],
    ['half a character in UTF-8', Buffer.from('{"event":{"moText":[{"content":"\xed\xa0\x80"}]}}', 'latin1')],
    ['UTF-16', Buffer.from(`\ufeff${small}`, 'utf16le')],
    ['a NUL', Buffer.from('{"event":{}}\0')],
    ['more values than one callback may hold', Buffer.from(`{"event":{"moText":[${'[],'.repeat(1_000_000)}[]]}}`)],
    ['more keys', Buffer.from(`{"event":{"moText":[{${'"a":1,'.repeat(1_000_000)}"b":1}]}}`)],
    ['more event types', Buffer.from(`{"event":{${'"a":[],'.repeat(1_000_000)}"b":[]}}`)],
    ['brackets only', Buffer.alloc(20_000_000, '[')],
    ['brackets and commas that never parse', Buffer.alloc(20_000_000, '[],')],
  ])('by %s is kept byte for byte, in a second or two of work', async (_, body) => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const before = process.cpuUsage();
    expect(await send(body)).toEqual({ status: 200, body: { accepted: 0, quarantined: 'qrt_1' } });
    expect(process.cpuUsage(before).user).toBeLessThan(10_000_000);
    expect(receiver.quarantined[0]?.body).toHaveLength(body.length);
    expect(Buffer.compare(receiver.quarantined[0]?.body ?? Buffer.alloc(0), body)).toBe(0);
  });
});
