import { inspect } from 'node:util';
import { formatEvent } from '@clickrelay/core';
import { freePort } from '@clickrelay/service/machine';
import type { DestinationAnswer } from '@clickrelay/testkit';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { failure, sampleAttempt, sampleEvent } from '../test/sample-attempt.ts';
import { listen, open, secret } from '../test/use-webhook.ts';
import { generateSecret } from './secret.ts';

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

test('no error tells a secret, the query, the answer, a phone number or what was written', async () => {
  const { from, to } = sampleEvent.event;
  const secrets = [secret, 'canary-query', 'canary-response', from, to, 'Hello'].filter((text) => text !== null);
  const answers: DestinationAnswer[] = [
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
