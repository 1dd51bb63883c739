import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { parseCallback } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator';
import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { exchange, type Receiver, startReceiver } from './start-receiver.ts';

const REPLY = '/client-callback/one-api-reply';
const STATUS = '/client-callback/one-api-status';
const reply = JSON.stringify(samples.reply);
const status = JSON.stringify(samples.status);

let receiver: Receiver;
afterEach(() => receiver.stop());

const post = async (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) => {
  const response = await request(`${receiver.url}${path}`, { method: 'POST', body, headers });
  return { status: response.statusCode, headers: response.headers, body: await response.body.json() };
};

describe('a callback', () => {
  it.each([
    [REPLY, reply, 8],
    [STATUS, status, 1],
    [STATUS, reply, 8],
    [REPLY, status, 1],
    [`${REPLY}/`, reply, 8],
    [`${STATUS}/?anything=1`, status, 1],
  ])('sent to %s is committed whole and acknowledged, whatever it holds', async (path, body, accepted) => {
    receiver = await startReceiver();
    const answer = await post(path, body);
    expect(answer).toMatchObject({ status: 200, body: { accepted } });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(receiver.committed).toEqual([parseCallback(Buffer.from(body))]);
    expect(receiver.quarantined).toEqual([]);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])(
    'is judged by its body and not by its content type: %j',
    async (type) => {
      receiver = await startReceiver();
      const headers = type === '' ? {} : { 'Content-Type': type };
      expect(await post(REPLY, reply, headers)).toMatchObject({ status: 200, body: { accepted: 8 } });
    },
  );

  it('moves with CALLBACK_PATH_PREFIX', async () => {
    receiver = await startReceiver({ CALLBACK_PATH_PREFIX: '/in/k3y' });
    expect(await post('/in/k3y/one-api-reply', reply)).toMatchObject({ status: 200, body: { accepted: 8 } });
    expect(await post('/in/k3y/one-api-status/', status)).toMatchObject({ status: 200, body: { accepted: 1 } });
    const moved = await post(REPLY, reply);
    expect(moved.status).toBe(404);
    expect(JSON.stringify(moved.body)).not.toContain('k3y');
  });

  it('is acknowledged only when it has been committed', async () => {
    let finish = () => {};
    const committed = new Promise<void>((resolve) => {
      finish = resolve;
    });
    receiver = await startReceiver({}, { commit: () => committed });
    let answered = false;
    const answer = post(REPLY, reply).finally(() => {
      answered = true;
    });
    await sleep(100);
    expect(answered).toBe(false);
    finish();
    expect((await answer).status).toBe(200);
  });

  it('is answered 503 with Retry-After when it could not be committed', async () => {
    const unavailable = Object.assign(new Error('Redis did not answer within 1500 ms'), {
      code: 'queue_unavailable',
      status: 503,
      expose: true,
    });
    receiver = await startReceiver({}, { commit: () => Promise.reject(unavailable) });
    const answer = await post(REPLY, reply);
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'retry-after': '2' },
      body: { error: { code: 'queue_unavailable', message: 'Redis did not answer within 1500 ms' } },
    });
  });

  it('is answered 500 without the cause when something breaks', async () => {
    receiver = await startReceiver({}, { commit: () => Promise.reject(new Error('SET secret-key secret-text')) });
    expect(await post(REPLY, reply)).toMatchObject({
      status: 500,
      body: { error: { code: 'internal_error', message: 'the callback was not accepted; send it again' } },
    });
    expect(receiver.logged).toMatchObject([{ msg: 'callback.failed', code: 'internal_error', errorName: 'Error' }]);
    expect(JSON.stringify(receiver.logged)).not.toContain('secret');
  });

  it('that is cut off in the middle is not committed', async () => {
    receiver = await startReceiver();
    const head = `POST ${REPLY} HTTP/1.1\r\nHost: x\r\nContent-Length: ${reply.length}\r\n\r\n`;
    await new Promise<void>((resolve) => {
      const socket = connect(receiver.port, '127.0.0.1', () => socket.write(head + reply.slice(0, -1)));
      setTimeout(() => socket.destroy(), 100);
      socket.on('close', () => resolve());
    });
    await expect.poll(() => receiver.logged).toMatchObject([{ code: 'callback_aborted', level: 20 }]);
    expect(receiver.committed).toEqual([]);
    expect(receiver.quarantined).toEqual([]);
  });
});

describe('a compressed callback', () => {
  it.each([
    ['gzip', gzipSync(reply)],
    ['GZIP', gzipSync(reply)],
    ['deflate', deflateSync(reply)],
    ['br', brotliCompressSync(reply)],
    ['identity', Buffer.from(reply)],
  ])('in %s is opened', async (encoding, body) => {
    receiver = await startReceiver();
    expect(await post(REPLY, body, { 'Content-Encoding': encoding })).toMatchObject({ body: { accepted: 8 } });
    expect(receiver.committed[0]?.text).toBe(reply);
  });

  it.each([
    ['gzip', Buffer.from('no gzip'), 'the body must be gzip, as its content-encoding says, got something else'],
    [
      'gzip',
      gzipSync(reply).subarray(0, 60),
      'the body must be gzip, as its content-encoding says, got something else',
    ],
    ['zstd', Buffer.from('x'), 'the content-encoding must be gzip, deflate or br, got another one'],
    ['constructor', Buffer.from('x'), 'the content-encoding must be gzip, deflate or br, got another one'],
  ])('in %s that cannot be opened is kept as received', async (encoding, body, reason) => {
    receiver = await startReceiver();
    expect(await post(REPLY, body, { 'Content-Encoding': encoding })).toMatchObject({
      status: 200,
      body: { accepted: 0, quarantined: 'qrt_1' },
    });
    expect(receiver.quarantined).toEqual([{ body, reason, receivedAt: expect.any(String) }]);
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(50_000_000))],
    ['br', brotliCompressSync(Buffer.alloc(5_000_000))],
  ])('in %s that grows past MAX_BODY_BYTES is refused', async (encoding, bomb) => {
    receiver = await startReceiver({ MAX_BODY_BYTES: '1000000' });
    expect(await post(REPLY, bomb, { 'Content-Encoding': encoding })).toMatchObject({
      status: 413,
      body: { error: { code: 'callback_too_large' } },
    });
    expect(receiver.quarantined).toEqual([]);
  });
});

describe('an authentic body that is not a callback', () => {
  it.each([
    ['not JSON', 'hello'],
    ['only blanks', ' \n'],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['a bare scalar', '42'],
    ['not an envelope', '{"messages":[]}'],
    ['too deep', '['.repeat(100_000)],
    ['a __proto__ key', '{"event":{"moText":[{"__proto__":1}]}}'],
    ['of an older Clickatell API', '{"messageId":"x","statusCode":5}'],
  ])('%s: is kept byte for byte, acknowledged, and not repeated in the log', async (_, body) => {
    receiver = await startReceiver();
    expect(await post(REPLY, body)).toMatchObject({ status: 200, body: { accepted: 0, quarantined: 'qrt_1' } });
    expect(receiver.quarantined.map((entry) => Buffer.from(entry.body))).toEqual([Buffer.from(body)]);
    expect(receiver.committed).toEqual([]);
    expect(receiver.logged).toMatchObject([
      { msg: 'callback.quarantined', level: 40, id: 'qrt_1', reason: receiver.quarantined[0]?.reason, ip: '127.0.0.1' },
    ]);
  });

  it('is answered 422 when the quarantine is full, which the log reports as an error', async () => {
    const full = Object.assign(new Error('the quarantine is full'), {
      code: 'quarantine_full',
      status: 422,
      expose: true,
    });
    receiver = await startReceiver({}, { quarantine: () => Promise.reject(full) });
    expect(await post(REPLY, 'hello')).toMatchObject({ status: 422, body: { error: { code: 'quarantine_full' } } });
    expect(receiver.logged).toMatchObject([{ msg: 'callback.refused', level: 50, code: 'quarantine_full' }]);
  });
});

describe('CALLBACK_INTEGRATION_IDS', () => {
  const callback = (integrationId: string | undefined) => JSON.stringify({ integrationId, event: { moText: [{}] } });

  it('lets the listed integrations in and puts all others into quarantine', async () => {
    receiver = await startReceiver({ CALLBACK_INTEGRATION_IDS: 'one, two' });
    expect((await post(REPLY, callback('one'))).body).toEqual({ accepted: 1 });
    expect((await post(REPLY, callback('two'))).body).toEqual({ accepted: 1 });
    expect((await post(REPLY, callback('three'))).body).toEqual({ accepted: 0, quarantined: 'qrt_1' });
    expect((await post(REPLY, callback(undefined))).body).toEqual({ accepted: 0, quarantined: 'qrt_2' });
    expect(receiver.quarantined.map(({ reason }) => reason)).toEqual([
      'integrationId must be one of CALLBACK_INTEGRATION_IDS, got another one',
      'integrationId must be one of CALLBACK_INTEGRATION_IDS, got none',
    ]);
  });
});

describe('a callback above MAX_BODY_BYTES', () => {
  const head = (fields: string) => `POST ${REPLY} HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n`;

  it('that gives its length is refused unread, with a warning, and its connection is closed', async () => {
    receiver = await startReceiver({ MAX_BODY_BYTES: '1000' });
    const answer = await exchange(receiver.port, head('Content-Length: 1001'));
    expect(answer).toMatchObject({ status: 413, head: expect.stringContaining('Connection: close') });
    expect(JSON.parse(answer.body)).toEqual({
      error: {
        code: 'callback_too_large',
        message:
          'a callback may be 1000 bytes, this one is larger; raise `MAX_BODY_BYTES` before Clickatell sends it again',
      },
    });
    expect(receiver.logged).toMatchObject([{ msg: 'callback.refused', level: 50, code: 'callback_too_large' }]);
  });

  it('that does not give its length is cut off at the limit', async () => {
    receiver = await startReceiver({ MAX_BODY_BYTES: '1000' });
    const chunk = `3e8\r\n${'x'.repeat(1000)}\r\n`;
    const answer = await exchange(receiver.port, head('Transfer-Encoding: chunked'), chunk, '1\r\nx\r\n');
    expect(answer).toMatchObject({ status: 413, head: expect.stringContaining('Connection: close') });
    expect(receiver.committed).toEqual([]);
  });

  it('of exactly that size is read', async () => {
    receiver = await startReceiver({ MAX_BODY_BYTES: String(reply.length) });
    expect(await post(REPLY, reply)).toMatchObject({ status: 200 });
  });
});
