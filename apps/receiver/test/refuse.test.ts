import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { samples } from '@clickrelay/simulator';
import { fairNow } from '@clickrelay/testkit';
import { request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { exchange, type Receiver, startReceiver } from './start-receiver.ts';

const REPLY = '/client-callback/one-api-reply';
const STATUS = '/client-callback/one-api-status';
const reply = JSON.stringify(samples.reply);
const basic = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` });

let receiver: Receiver;
afterEach(() => receiver.stop());

const call = async (
  method: string,
  path: string,
  options: { body?: string; headers?: Record<string, string> } = {},
) => {
  const response = await request(`${receiver.url}${path}`, { method: method as 'POST', ...options });
  const text = await response.body.text();
  return { status: response.statusCode, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
};

const NO_MATCH = 'no credential of this request matches CALLBACK_AUTH; tried:';

describe('a credential', () => {
  const CALLBACK_AUTH = 'basic:ann:pa:ss,query:s1,query:s2,header:X-Secret:h1';

  it.each([
    ['basic', '', basic('ann:pa:ss')],
    ['query', '?token=s1', {}],
    ['query, while it is rotated', '?token=s2', {}],
    ['header', '', { 'x-secret': 'h1' }],
  ])('by %s lets a callback in', async (_, query, headers) => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    expect(await call('POST', REPLY + query, { headers, body: reply })).toMatchObject({ status: 200 });
  });

  it.each([
    ['missing', '', {}, 'missing_credential', 'this request shows no credential; send one of CALLBACK_AUTH'],
    ['wrong', '?token=s3', basic('ann:x'), 'wrong_credential', `${NO_MATCH} basic, query secret`],
    ['in another place', '?token=h1', {}, 'wrong_credential', `${NO_MATCH} query secret`],
  ])('that is %s: 401', async (_, query, headers, code, message) => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const answer = await call('POST', REPLY + query, { headers, body: reply });
    expect(receiver.refused).toEqual([{ status: 401, code }]);
    expect(answer).toMatchObject({
      status: 401,
      headers: {
        connection: 'close',
        'www-authenticate': 'Basic realm="Clickatell callbacks", charset="UTF-8"',
      },
      body: {
        error: { code, message },
      },
    });
    expect(receiver.committed).toEqual([]);
  });

  it('by basic authentication is requested only where one is configured', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH: 'query:s1' });
    const answer = await call('POST', REPLY, { body: reply });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBeUndefined();
  });

  it('that is sent twice is refused, even if one of the two is right', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const twice = `${Object.entries(basic('ann:pa:ss'))[0]?.join(': ')}\r\nAuthorization: Basic eDp5`;
    const answer = await exchange(
      receiver.port,
      `POST ${REPLY}?token=s1 HTTP/1.1\r\nHost: x\r\n${twice}\r\nContent-Length: 2\r\n\r\n{}`,
    );
    expect(answer.status).toBe(401);
  });

  it('is checked before a byte of the body is read', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const head = `POST ${REPLY} HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n`;
    const answer = await exchange(receiver.port, head);
    expect(answer).toMatchObject({ status: 401, head: expect.stringContaining('Connection: close') });
    expect(answer.ms).toBeLessThan(5_000);
  });

  it('that is wrong is refused even in the middle of a large body', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const body = 'x'.repeat(50_000_000);
    for (let n = 0; n < 10; n++) {
      expect(await call('POST', `${REPLY}?token=wrong`, { body })).toMatchObject({ status: 401 });
    }
  });

  it('that is wrong is refused, without a "100 Continue", if the sender asks before it sends', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const ask = (query: string) =>
      `POST ${REPLY}${query} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 12\r\n\r\n`;
    expect((await exchange(receiver.port, ask('?token=no'))).status).toBe(401);
    expect((await exchange(receiver.port, ask('?token=s1'), '{"event":{}}')).head).toBe('HTTP/1.1 100 Continue');
    expect(receiver.committed).toHaveLength(1);
  });

  it('that is wrong too often is answered 429, while the right one still passes', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const wrong = () => call('POST', `${REPLY}?token=wrong`, { body: reply });
    for (let n = 1; n <= 20; n++) expect((await wrong()).status).toBe(401);
    const refused = await wrong();
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'too_many_failures' } } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect((await call('POST', `${REPLY}?token=s1`, { body: reply })).status).toBe(200);
    // A flood does not fill the log: what follows the limit is at debug level.
    await wrong();
    expect(receiver.logged.filter(({ msg, level }) => msg === 'callback.refused' && level === 40)).toHaveLength(20);
  });

  it('that is missing is always answered 401, however often: some senders show theirs only when asked', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    for (let n = 1; n <= 30; n++) expect((await call('POST', REPLY, { body: reply })).status).toBe(401);
    expect(receiver.logged.filter(({ level }) => level === 40)).toHaveLength(20);
  });

  it('appears in no log line and no answer, nor does the body', async () => {
    const secrets = ['canary-user', 'canary-password', 'canary-query', 'canary-header', 'canary-body', 'canary-path'];
    receiver = await startReceiver({
      CALLBACK_AUTH: 'basic:canary-user:canary-password,query:canary-query,header:x-canary:canary-header',
    });
    const headers = { ...basic('canary-user:wrong'), 'x-canary': 'canary-header' };
    const answers = [
      await call('POST', `${REPLY}?token=canary-query`, { headers, body: 'canary-body' }),
      await call('POST', `${REPLY}?token=canary-query`, { body: '{"event":{"moText":[{"content":"canary-body"}]}}' }),
      await call('POST', `${REPLY}?token=canary-password`, { body: 'canary-body' }),
      await call('POST', `/canary-path?token=canary-query`, { body: 'canary-body' }),
      await call('PUT', `${REPLY}?token=canary-query`, { body: 'canary-body' }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 401, 404, 405]);
    const written = JSON.stringify([receiver.logged, answers]);
    expect(receiver.logged).toHaveLength(5);
    expect(secrets.filter((secret) => written.includes(secret))).toEqual([]);
  });
});

describe('CALLBACK_ALLOW_IPS', () => {
  it('keeps other addresses out, whatever credential they show', async () => {
    receiver = await startReceiver({ CALLBACK_ALLOW_IPS: '203.0.113.0/24', CALLBACK_AUTH: 'query:s1' });
    expect(await call('POST', `${REPLY}?token=s1`, { body: reply })).toMatchObject({
      status: 403,
      body: { error: { code: 'address_not_allowed' } },
    });
  });

  it('looks behind trusted proxies', async () => {
    receiver = await startReceiver({ CALLBACK_ALLOW_IPS: '203.0.113.0/24', TRUSTED_PROXIES: '127.0.0.1' });
    const from = async (forwarded: string) =>
      (await call('POST', REPLY, { body: reply, headers: { 'X-Forwarded-For': forwarded } })).status;
    expect(await from('203.0.113.9')).toBe(200);
    expect(await from('203.0.113.9, 198.51.100.1')).toBe(403);
    expect(await from('unknown')).toBe(403);
  });
});

describe('a probe', () => {
  const CALLBACK_AUTH = 'query:s1';

  it.each([REPLY, `${REPLY}/`, STATUS, `${STATUS}/?token=wrong`])(
    'of %s is answered 200 without a credential, and says nothing about one',
    async (path) => {
      receiver = await startReceiver({ CALLBACK_AUTH, CALLBACK_ALLOW_IPS: '203.0.113.9' });
      expect(await call('GET', path)).toMatchObject({ status: 200, body: { accepted: 0 } });
      expect(await call('HEAD', path)).toMatchObject({ status: 200, body: undefined });
      expect(await call('POST', path)).toMatchObject({ status: 200, body: { accepted: 0 } });
      expect(await call('POST', path, { body: '' })).toMatchObject({ status: 200, body: { accepted: 0 } });
      expect(receiver.committed).toEqual([]);
      expect(receiver.quarantined).toEqual([]);
    },
  );

  it.each(['GET', 'HEAD', 'POST'])(
    'by %s that carries data is none: it is kept, without its credential',
    async (method) => {
      receiver = await startReceiver({ CALLBACK_AUTH });
      const query = 'messageId=a%2Fb&statusCode=5&status=DELIVERED';
      expect((await call(method, `${STATUS}?${query}`)).status).toBe(401);
      expect((await call(method, `${STATUS}?${query}&token=wrong`)).status).toBe(401);
      expect(receiver.quarantined).toEqual([]);

      const answer = await call(method, `${STATUS}?messageId=a%2Fb&%74oken=s0&token=s1&&statusCode=5&status=DELIVERED`);
      expect(answer).toMatchObject({
        status: 200,
        body: method === 'HEAD' ? undefined : { accepted: 0, quarantined: 'qrt_1' },
      });
      const reason = `data must be JSON in the body of a POST, got it in the query of a ${method}`;
      expect(receiver.quarantined.map(({ body, reason: why }) => [Buffer.from(body).toString(), why])).toEqual([
        [`${method} ${STATUS}?${query}`, reason],
      ]);
      expect(receiver.logged.find(({ msg }) => msg === 'callback.quarantined')).toMatchObject({ id: 'qrt_1', reason });
      expect(receiver.committed).toEqual([]);
    },
  );

  it('with a chunked body, even an empty one, needs the credential', async () => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    const empty = (query: string) =>
      `POST ${REPLY}${query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    expect(await exchange(receiver.port, empty('?token=s1'))).toMatchObject({ status: 200, body: '{"accepted":0}' });
    expect((await exchange(receiver.port, empty(''))).status).toBe(401);
    expect(receiver.quarantined).toEqual([]);
  });

  it.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'])('by %s: 405 with Allow', async (method) => {
    receiver = await startReceiver({ CALLBACK_AUTH });
    expect(await call(method, REPLY)).toMatchObject({
      status: 405,
      headers: { allow: 'POST, GET, HEAD' },
      body: { error: { code: 'method_not_allowed', message: `this path takes POST, GET, HEAD, got ${method}` } },
    });
  });
});

describe('a redirect is never answered, because Clickatell does not follow it and the callback is lost', () => {
  const paths: [path: string, status: number][] = [
    [REPLY, 200],
    [`${REPLY}/`, 200],
    [`${REPLY}//`, 404],
    [`/${REPLY}`, 404],
    [`${REPLY}/.`, 404],
    [`${REPLY}/../one-api-status`, 404],
    ['/client-callback/one-api-reply%2F', 404],
    ['/client-callback/ONE-API-REPLY', 404],
    ['/client-callback', 404],
    ['/client-callback/', 404],
    ['/', 404],
    ['*', 404],
    ['/readyz/', 404],
    ['/%', 404],
    ['/%00', 404],
    ['//example.com/..', 404],
    ['/\\example.com', 404],
    ['http://example.com/client-callback/one-api-reply', 200],
    [`${REPLY}?redirect=http://example.com`, 200],
    [`${REPLY}?%`, 200],
    [`${REPLY};a=b`, 404],
  ];

  it.each(paths)('%s: %i', async (path, status) => {
    receiver = await startReceiver();
    const body = '{"event":{"moText":[{}]}}';
    for (const method of ['POST', 'GET']) {
      const answer = await exchange(
        receiver.port,
        `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      expect(answer.status).toBe(status);
      expect(answer.head.toLowerCase()).not.toContain('location:');
      if (status === 404) {
        expect(JSON.parse(answer.body)).toEqual({
          error: { code: 'not_found', message: 'nothing is served at this path' },
        });
      }
    }
  });
});

describe('a socket that is slow', () => {
  const timeouts = { headersTimeout: 200, requestTimeout: 400, connectionsCheckingInterval: 50, keepAliveTimeout: 200 };

  it.each([
    ['sends nothing at all', ''],
    ['stops in its headers', `POST ${REPLY} HTTP/1.1\r\nHost: x\r\n`],
    ['stops in its body', `POST ${REPLY} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`],
  ])('and %s is cut off', async (_, bytes) => {
    receiver = await startReceiver({}, { timeouts });
    const answer = await exchange(receiver.port, bytes);
    expect([0, 408]).toContain(answer.status);
    expect(answer.ms).toBeLessThan(10_000);
    expect(receiver.committed).toEqual([]);
  });

  it('and trickles its body is cut off at the same time', async () => {
    receiver = await startReceiver({}, { timeouts });
    const startedAt = fairNow();
    await new Promise<void>((resolve) => {
      const socket = connect(receiver.port, '127.0.0.1', async () => {
        socket.write(`POST ${REPLY} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n`);
        while (!socket.destroyed) {
          socket.write(' ');
          await sleep(50);
        }
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.resume();
    });
    expect(fairNow() - startedAt).toBeLessThan(10_000);
  });

  it('does not hold up the others', async () => {
    receiver = await startReceiver({}, { timeouts: { ...timeouts, requestTimeout: 2000, headersTimeout: 2000 } });
    const slow = Array.from({ length: 500 }, () =>
      exchange(receiver.port, `POST ${REPLY} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n`),
    );
    for (let n = 0; n < 20; n++) {
      const startedAt = fairNow();
      expect((await call('POST', REPLY, { body: reply })).status).toBe(200);
      expect(fairNow() - startedAt).toBeLessThan(1_500);
    }
    await Promise.all(slow);
  });
});
