import { inspect } from 'node:util';
import { freePort } from '@clickrelay/service/machine';
import { type DestinationAnswer, fairNow, type ReceivedRequest } from '@clickrelay/testkit';
import { describe, expect, test, vi } from 'vitest';
import { failure, sampleAttempt } from '../test/sample-attempt.ts';
import { listen, open } from '../test/use-webhook.ts';
import { webhookConfig } from './config.ts';
import type { Resolve } from './egress.ts';

describe('headers', () => {
  test('are sent with each delivery, beside our own', async () => {
    const server = await listen();
    await open(server.url, { headers: { 'X-Api-Key': 'abc def', cookie: 'a=b' } }).deliver(sampleAttempt());
    const [request] = await server.waitFor(1);
    expect(request?.headers).toMatchObject({
      'x-api-key': 'abc def',
      cookie: 'a=b',
      'user-agent': 'Clickrelay/1.2.3',
      'webhook-id': expect.stringMatching(/^evt_/),
    });
  });

  test.each<[Record<string, string>, string]>([
    [{ host: 'a' }, 'host is set by Clickrelay or by HTTP itself'],
    [{ 'Content-Length': '1' }, 'content-length is set by'],
    [{ 'transfer-encoding': 'chunked' }, 'transfer-encoding is set by'],
    [{ Connection: 'close' }, 'connection is set by'],
    [{ 'webhook-signature': 'v1,a' }, 'webhook-signature is set by'],
    [{ 'CE-id': '1' }, 'ce-id is set by'],
    [{ 'x y': '1' }, 'the name of a header must be'],
    [{ '': '1' }, 'the name of a header must be'],
    [{ 'x-a': 'canary\r\nx-injected: 1' }, 'the value of x-a must be visible'],
    [{ 'x-a': ' canary' }, 'the value of x-a must be visible'],
    [{ 'x-a': '' }, 'the value of x-a must be visible'],
    [{ 'x-a': 'canar\u00fd' }, 'the value of x-a must be visible'],
    [{ 'x-a': 'c'.repeat(4097) }, 'the value of x-a must be visible'],
    [{ 'x-a': '1', 'X-A': '2' }, 'headers must not name one twice'],
    [Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`x-${i}`, '1'])), 'headers must be at most 32, got 33'],
  ])('%j are refused', (headers, message) => {
    const { error } = webhookConfig.safeParse({ url: 'https://crm.example.com/', headers });
    expect(error?.issues.map((issue) => issue.message).join()).toContain(message);
    expect(inspect(error, { depth: 9 })).not.toContain('canary');
  });

  test('hold no authorization beside auth', () => {
    const both = { headers: { Authorization: 'Key a' }, auth: { type: 'bearer', token: 'b' } };
    const { error } = webhookConfig.safeParse({ url: 'https://crm.example.com/', ...both });
    expect(error?.issues).toMatchObject([{ path: ['headers'] }]);
  });
});

describe('auth', () => {
  test.each([
    [{ type: 'bearer', token: 'abc.def' }, 'Bearer abc.def'],
    // RFC 7617, section 2.1.
    [{ type: 'basic', username: 'test', password: '123\u00a3' }, 'Basic dGVzdDoxMjPCow=='],
  ])('%j', async (auth, header) => {
    const server = await listen();
    await open(server.url, { auth }).deliver(sampleAttempt());
    expect((await server.waitFor(1))[0]?.headers.authorization).toBe(header);
  });

  test.each([
    { type: 'bearer' },
    { type: 'bearer', token: 'canary canary' },
    { type: 'bearer', token: 'canary', more: 1 },
    { type: 'basic', username: 'canary:canary', password: 'canary' },
    { type: 'basic', username: 'a', password: 'canary\ncanary' },
    { type: 'digest', canary: 'canary' },
    { type: 'oauth2', tokenUrl: 'ftp://canary@canary.example/', clientId: 'a', clientSecret: 'canary' },
    { type: 'oauth2', tokenUrl: 'https://id.example/', clientId: 'a' },
  ])('%j is refused, and no value repeated', (auth) => {
    const { error } = webhookConfig.safeParse({ url: 'https://crm.example.com/', auth });
    expect(error?.issues.length).toBeGreaterThan(0);
    expect(JSON.stringify(error?.issues).replaceAll('"canary"]', '')).not.toMatch(/canary[^"]|canary"[^\]]/);
  });
});

describe('oauth2', () => {
  const client = { type: 'oauth2', clientId: 'us & them', clientSecret: 'canary-secret' };
  const token = (value: string, more: object = { expires_in: 3600 }) => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ access_token: value, token_type: 'Bearer', ...more }),
  });
  const sent = (requests: readonly ReceivedRequest[]) => requests.map(({ headers }) => headers.authorization);

  test('a token is fetched by client credentials, once for many deliveries', async () => {
    const [server, tokens] = [await listen(), await listen(() => token('one'))];
    const tokenUrl = `${tokens.url}token?tenant=1`;
    const destination = open(server.url, {
      auth: { ...client, tokenUrl, scope: 'events:write more', audience: 'https://crm.example.com' },
    });
    await Promise.all(Array.from({ length: 20 }, () => destination.deliver(sampleAttempt())));
    await destination.deliver(sampleAttempt());
    expect(sent(server.requests)).toEqual(Array.from({ length: 21 }, () => 'Bearer one'));
    expect(tokens.requests).toHaveLength(1);
    const [request] = tokens.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/token?tenant=1' });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
      accept: 'application/json',
      'user-agent': 'Clickrelay/1.2.3',
      // RFC 6749, section 2.3.1: both are form-encoded first.
      authorization: `Basic ${Buffer.from('us+%26+them:canary%2Dsecret').toString('base64')}`,
    });
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'events:write more',
      audience: 'https://crm.example.com',
    });
  });

  test('a new one is fetched shortly before it ends', async () => {
    let made = 0;
    const [server, tokens] = [await listen(), await listen(() => token(`t${++made}`, { expires_in: 1 }))];
    const destination = open(server.url, { auth: { ...client, tokenUrl: tokens.url } });
    for (let from = performance.now(); made < 2 || performance.now() - from < 1_500; ) {
      await destination.deliver(sampleAttempt());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(new Set(sent(server.requests)).size).toBe(made);
    // Not one for each delivery.
    expect(made).toBeLessThan(server.requests.length / 2);
  });

  test.each([401, 403])('one without an end is kept until the destination refuses it with %i', async (status) => {
    let made = 0;
    const tokens = await listen(() => token(`t${++made}`, {}));
    const server = await listen((request) => (request.headers.authorization === 'Bearer t2' ? 200 : status));
    const destination = open(server.url, { auth: { ...client, tokenUrl: tokens.url } });
    const refused = await Promise.all(Array.from({ length: 5 }, () => failure(destination.deliver(sampleAttempt()))));
    for (const error of refused) expect(error).toMatchObject({ status, retryable: true });
    for (let count = 0; count < 3; count++) await destination.deliver(sampleAttempt());
    expect(made).toBe(2);
  });

  test('one without an end is renewed after an hour', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      let made = 0;
      const [server, tokens] = [await listen(), await listen(() => token(`t${++made}`, {}))];
      const destination = open(server.url, { auth: { ...client, tokenUrl: tokens.url } });
      await destination.deliver(sampleAttempt());
      vi.advanceTimersByTime(59 * 60_000);
      await destination.deliver(sampleAttempt());
      vi.advanceTimersByTime(60_000);
      await destination.deliver(sampleAttempt());
      expect(sent(server.requests)).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t2']);
    } finally {
      vi.useRealTimers();
    }
  });

  test.each<[string, number, object]>([
    ['of the type of an API gateway', 200, { token_type: 'BearerToken', expires_in: '1799' }],
    ['without a type', 200, { expires_in: 3600 }],
    ['with a type that is null', 200, { token_type: null, expires_in: 3600 }],
    [
      'beside empty members',
      200,
      { token_type: 'Bearer', expires_in: 3600, scope: null, refresh_token: null, id_token: null },
    ],
    ['in a 201', 201, { token_type: 'bearer', expires_in: 3600 }],
    ['without a lifetime', 200, { token_type: 'Bearer' }],
    ['with a lifetime that is null', 200, { token_type: 'Bearer', expires_in: null }],
    ['with a lifetime that is a word', 200, { token_type: 'Bearer', expires_in: 'never' }],
  ])('a token %s is taken, once for many deliveries', async (_, status, members) => {
    const tokens = await listen(() => ({ status, body: JSON.stringify({ access_token: 't', ...members }) }));
    const server = await listen();
    const destination = open(server.url, { auth: { ...client, tokenUrl: tokens.url } });
    for (let count = 0; count < 3; count++) await destination.deliver(sampleAttempt());
    expect(sent(server.requests)).toEqual(['Bearer t', 'Bearer t', 'Bearer t']);
    expect(tokens.requests).toHaveLength(1);
  });

  test('id and secret go into the form when the service wants them there, as they are', async () => {
    const [server, tokens] = [await listen(), await listen(() => token('one'))];
    const auth = { ...client, clientSecret: 'p+q/r=s~t', secretIn: 'body', tokenUrl: tokens.url };
    await open(server.url, { auth }).deliver(sampleAttempt());
    const [request] = tokens.requests;
    expect(request?.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'us & them',
      client_secret: 'p+q/r=s~t',
    });
  });

  test.each<[string, DestinationAnswer, string]>([
    [
      'does not know us',
      () => ({ status: 401, body: '{"error":"invalid_client","error_description":"canary"}' }),
      'answered 401 (invalid_client)',
    ],
    ['quotes us', () => ({ status: 400, body: '{"error":"canary"}' }), 'answered 400'],
    ['is broken', () => ({ status: 500, body: 'canary' }), 'answered 500'],
    ['redirects', () => ({ status: 302, headers: { location: 'http://127.0.0.1/canary' } }), 'answered 302'],
    ['says no JSON', () => ({ status: 200, body: 'canary' }), 'holds no bearer token'],
    [
      'gives no token',
      () => ({ status: 200, body: '{"token_type":"bearer","canary":"canary"}' }),
      'holds no bearer token',
    ],
    ['gives another sort', () => token('canary', { token_type: 'mac' }), 'holds no bearer token'],
    ['says null', () => ({ status: 200, body: 'null' }), 'holds no bearer token'],
    ['gives a number', () => ({ status: 200, body: '{"access_token":1}' }), 'holds no bearer token'],
    ['gives one that is no header', () => token('canary\r\nx: y'), 'holds no bearer token'],
    ['gives an endless one', () => token('canary'.repeat(10_000)), 'holds no bearer token'],
    ['resets', 'reset', 'ECONNRESET'],
    ['says nothing', 'hang', 'did not answer in time'],
  ])('a server that %s is asked again later, and the destination is not called', async (_, answer, reason) => {
    const [server, tokens] = [await listen(), await listen(answer)];
    const auth = { ...client, tokenUrl: `${tokens.url}?canary-query` };
    const destination = open(server.url, { auth, timeoutMs: 500 });
    const error = await failure(destination.deliver(sampleAttempt()));
    expect(error).toMatchObject({ code: 'token_unavailable', retryable: true, status: undefined });
    expect(error.message).toMatch(/^no access token: /);
    expect(error.message).toContain(reason);
    expect(inspect(error, { depth: 9 })).not.toContain('canary');
    expect(server.requests).toEqual([]);
  });

  test('a server that asks for time gets it', async () => {
    const tokens = await listen(() => ({ status: 429, headers: { 'retry-after': '7' } }));
    const destination = open((await listen()).url, { auth: { ...client, tokenUrl: tokens.url } });
    expect(await failure(destination.deliver(sampleAttempt()))).toMatchObject({ retryAfterMs: 7000 });
  });

  test('no server may be called that no destination may be', async () => {
    const server = await listen();
    for (const [tokenUrl, resolve] of [
      ['https://10.0.0.5/token'],
      ['https://169.254.169.254/token'],
      ['https://id.example.com/token', async () => [{ address: '10.0.0.5', family: 4 }]],
      ['http://id.example.com/token', async () => [{ address: '93.184.216.34', family: 4 }]],
    ] as [string, Resolve?][]) {
      const destination = open(server.url, { auth: { ...client, tokenUrl } }, resolve);
      const error = await failure(destination.deliver(sampleAttempt()));
      expect(error).toMatchObject({ code: 'token_unavailable', retryable: true });
      expect(error.message).toContain('was not called');
    }
    const port = await freePort();
    const away = open(server.url, { auth: { ...client, tokenUrl: `http://127.0.0.1:${port}/` } });
    expect((await failure(away.deliver(sampleAttempt()))).message).toBe(
      `no access token: no answer from 127.0.0.1:${port} (ECONNREFUSED)`,
    );
    expect(server.requests).toEqual([]);
  });

  test('an attempt that is stopped does not wait for the token, and closing ends the waiting', async () => {
    const [server, tokens] = [await listen(), await listen('hang')];
    const destination = open(server.url, { auth: { ...client, tokenUrl: tokens.url } });
    const stop = new AbortController();
    const stopped = failure(destination.deliver(sampleAttempt({ signal: stop.signal })));
    await tokens.waitFor(1);
    stop.abort();
    expect(await stopped).toMatchObject({ code: 'delivery_aborted' });
    const before = fairNow();
    await destination.close();
    expect(fairNow() - before).toBeLessThan(5_000);
  });
});
