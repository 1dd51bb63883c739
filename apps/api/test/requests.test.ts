import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { API_KEY, useApi } from './start-api.ts';

const api = useApi();
const { get } = api;

describe('the key', () => {
  it.each([
    ['none', {}],
    ['another', { authorization: 'Bearer not-the-key-of-this-api' }],
    ['a part of it', { authorization: `Bearer ${API_KEY.slice(0, -1)}` }],
    ['by another scheme', { authorization: `Basic ${API_KEY}` }],
    ['in the query', {}],
  ])('%s: 401, for what exists and for what does not', async (_, headers) => {
    for (const path of ['/v1/status', '/v1/openapi.json', `/v1/events?key=${API_KEY}`, '/nowhere']) {
      expect(await api.call('GET', path, undefined, headers)).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': 'Bearer' },
        body: { error: { code: 'unauthorized' } },
      });
    }
  });

  it('is not needed for /healthz', async () => {
    expect(await api.call('GET', '/healthz', undefined, {})).toMatchObject({ status: 200, body: { status: 'up' } });
  });
});

describe('an invalid request', () => {
  it.each([
    ['/v1/events?limit=0', 'limit'],
    ['/v1/events?limit=501', 'limit'],
    ['/v1/events?limit=many', 'limit'],
    ['/v1/events?order=sideways', 'order'],
    ['/v1/events?since=yesterday', 'since'],
    ['/v1/dead-letters?destination=No+Such', 'destination'],
    ['/v1/dead-letters?kind=lost', 'kind'],
    ['/v1/dead-letters?since=yesterday', 'since'],
    ['/v1/deliveries?state=lost', 'state'],
    ['/v1/deliveries?order=next', 'destination'],
    ['/v1/deliveries?order=next&destination=crm&state=pending', 'state'],
  ])('%s: 400 with the parameter', async (path, name) => {
    const { status, body } = await get(path);
    expect([status, body.error.code]).toEqual([400, 'invalid_request']);
    expect(body.error.issues).toEqual([{ path: name, message: expect.any(String) }]);
  });

  it('is refused for an unknown path, or a method that the path does not take', async () => {
    expect(await get('/v1/nothing')).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    expect(await api.call('DELETE', '/v1/events')).toMatchObject({
      status: 405,
      body: { error: { code: 'method_not_allowed' } },
    });
  });

  it.each([
    ['no JSON', '{', 400],
    ['no body at all', undefined, 400],
    ['a body that is too large', `"${'x'.repeat(300_000)}"`, 413],
  ])('%s', async (_, body, status) => {
    expect((await api.call('PUT', '/v1/destinations/crm', body)).status).toBe(status);
  });
});

describe('a body that is not read to its end', () => {
  it.each([
    ['too large', API_KEY, 413],
    ['of a stranger', 'somebody', 401],
  ])('%s: the sender gets the answer, and is told that the connection closes', async (_, key, status) => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    const closed = new Promise<string | undefined>((resolve) => {
      socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code)).on('close', () => resolve(undefined));
    });
    const head = `PUT /v1/destinations/crm HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n`;
    socket.write(`${head}Content-Length: 3000000\r\n\r\n`);
    for (let sent = 0; sent < 3_000_000 && answer === ''; sent += 100_000) {
      socket.write(Buffer.alloc(100_000, 'x'));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await closed).toBe(undefined);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*\\r\\nConnection: close\\r\\n`));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toHaveProperty('error.code');
  });
});
