import { Webhook } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { listen, secret } from '../test/use-webhook.ts';
import { sendOne } from './send-one.ts';

const request = (url: string) => ({
  url,
  headers: { 'user-agent': 'Clickrelay/1.2.3' },
  body: '{"a":1}',
  egressAllow: ['127.0.0.1/32'],
  timeoutMs: 10_000,
  signal: new AbortController().signal,
});

it('sends one signed request, and tells the answer', async () => {
  const server = await listen(() => ({ status: 429, headers: { 'retry-after': '7' }, body: 'later' }));
  const answer = await sendOne({
    ...request(`${server.url}hook?a=b`),
    signed: { id: 'alt_1', secret, at: new Date() },
  });
  expect(answer).toEqual({ status: 429, response: 'later', retryAfterMs: 7_000 });
  const [{ method, path, headers, body }] = server.requests as [(typeof server.requests)[0]];
  expect([method, path, headers['webhook-id']]).toEqual(['POST', '/hook?a=b', 'alt_1']);
  expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual({ a: 1 });
});

it('calls no address that the guard refuses, and follows no redirect', async () => {
  const inside = await listen();
  expect(await sendOne({ ...request(inside.url), egressAllow: [] })).toEqual({
    status: null,
    code: 'destination_refused',
  });
  const outside = await listen(() => ({ status: 307, headers: { location: inside.url } }));
  expect(await sendOne({ ...request(outside.url), method: 'GET', body: '' })).toMatchObject({ status: 307 });
  expect([outside.requests[0]?.method, inside.requests.length]).toEqual(['GET', 0]);
});
