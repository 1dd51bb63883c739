import { describe, expect, test } from 'vitest';
import { failure, sampleAttempt } from '../test/sample-attempt.ts';
import { listen, listenRaw, open } from '../test/use-webhook.ts';
import { webhookConfig } from './config.ts';
import { meets } from './success.ts';

describe('a rule on the body', () => {
  test.each([
    [{ contains: 'ok' }, 'it is ok'],
    [{ pointer: '/status', equals: 'ok' }, '{"status":"ok"}'],
    [{ pointer: '/results/0/code', equals: 0 }, '{"results":[{"code":0}]}'],
    [{ pointer: '/a~1b/~0', equals: true }, '{"a/b":{"~":true}}'],
    [{ pointer: '', equals: null }, 'null'],
  ])('%j is met by %j', (rule, body) => expect(meets(rule, body)).toBe(true));

  test.each([
    [{ contains: 'ok' }, 'OK'],
    [{ contains: 'ok' }, ''],
    [{ pointer: '/status', equals: 'ok' }, '{"status":"failed"}'],
    [{ pointer: '/status', equals: 'ok' }, '{"status":["ok"]}'],
    [{ pointer: '/status', equals: 'ok' }, 'ok'],
    [{ pointer: '/status', equals: 'ok' }, '{"status":"ok"'],
    [{ pointer: '/code', equals: 0 }, '{"code":"0"}'],
    [{ pointer: '/constructor/name', equals: 'Object' }, '{}'],
    [{ pointer: '/length', equals: 2 }, '"ab"'],
    [{ pointer: '/missing', equals: null }, '{}'],
  ])('%j is not met by %j', (rule, body) => expect(meets(rule, body)).toBe(false));

  test.each([
    [{}],
    [{ contains: '' }],
    [{ pointer: 'status', equals: 1 }],
    [{ pointer: '/~2', equals: 1 }],
    [{ pointer: '/a' }],
    [{ pointer: '/a', equals: {} }],
    [{ contains: 'ok', pointer: '/a', equals: 1 }],
  ])('%j is refused', (successWhen) => {
    const { error } = webhookConfig.safeParse({ url: 'https://crm.example.com/', successWhen });
    expect(error?.issues.map(({ path }) => path[0])).toEqual(['successWhen']);
  });
});

const rule = { successWhen: { pointer: '/status', equals: 'ok' } };

test('a 2xx whose body says otherwise is tried again, and kept', async () => {
  let body = '{"status":"canary"}';
  const server = await listen(() => ({ status: 200, body }));
  const destination = open(server.url, rule);
  const error = await failure(destination.deliver(sampleAttempt()));
  expect(error).toMatchObject({ code: 'destination_rejected', retryable: true, status: 200, response: body });
  expect(error.message).toBe(
    `127.0.0.1:${server.port} answered 200, but not with the body that \`successWhen\` asks for`,
  );
  body = '{"status":"ok"}';
  expect(await destination.deliver(sampleAttempt())).toEqual({ status: 200, response: body });
});

test('the body has as much time as the status line', async () => {
  const { url } = await listenRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n');
    setTimeout(() => socket.write('{"status":"ok"}'), 1_500);
  });
  expect(await open(url, rule).deliver(sampleAttempt())).toMatchObject({ status: 200 });
  expect(await failure(open(url, { ...rule, timeoutMs: 200 }).deliver(sampleAttempt()))).toMatchObject({
    code: 'destination_rejected',
    status: 200,
  });
});

test('a body of which more than 16 KB came is looked at as far as it is kept', async () => {
  const server = await listen(() => ({ status: 200, body: `ok${'x'.repeat(100_000)}late` }));
  expect(await open(server.url, { successWhen: { contains: 'ok' } }).deliver(sampleAttempt())).toMatchObject({
    status: 200,
  });
  const error = await failure(open(server.url, { successWhen: { contains: 'late' } }).deliver(sampleAttempt()));
  expect(error).toMatchObject({ code: 'destination_rejected' });
});
