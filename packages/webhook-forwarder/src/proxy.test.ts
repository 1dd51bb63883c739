import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { failure, sampleAttempt } from '../test/sample-attempt.ts';
import { listen, open } from '../test/use-webhook.ts';
import { webhookConfig } from './config.ts';
import { completeWebhook, HIDDEN, hideSecrets, webhookDestination } from './declare.ts';
import type { Resolve } from './egress.ts';

const atEnd: (() => void)[] = [];
afterEach(() => {
  for (const end of atEnd.splice(0)) end();
});

/** A proxy that connects everything to one port of this machine, or answers as told. */
const startProxy = async (to: number, answer = 'HTTP/1.1 200 Connection established\r\n\r\n') => {
  const heads: string[] = [];
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {});
    atEnd.push(() => socket.destroy());
    let head = '';
    const read = (bytes: Buffer) => {
      head += bytes.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      heads.push(head);
      socket.removeListener('data', read);
      socket.write(answer);
      if (!answer.startsWith('HTTP/1.1 200')) return;
      const target = connect(to, '127.0.0.1');
      target.on('error', () => {});
      socket.pipe(target).pipe(socket);
      atEnd.push(() => target.destroy());
    };
    socket.on('data', read);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heads };
};

const inside: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
const nowhere: Resolve = async () => {
  throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
};

test('deliveries go through the proxy, which resolves the name, and share their connection', async () => {
  const server = await listen();
  const proxy = await startProxy(server.port);
  const destination = open('http://crm.example.com/hook', { proxy: { url: proxy.url }, concurrency: 1 }, nowhere);
  for (const _ of [1, 2, 3]) expect(await destination.deliver(sampleAttempt())).toMatchObject({ status: 200 });
  expect(server.requests).toHaveLength(3);
  expect(server.requests[0]).toMatchObject({ path: '/hook', headers: { host: 'crm.example.com' } });
  expect(proxy.heads).toEqual(['CONNECT crm.example.com:80 HTTP/1.1\r\nhost: crm.example.com:80\r\n\r\n']);
});

test('the proxy learns who we are, and the destination does not', async () => {
  const server = await listen();
  const proxy = await startProxy(server.port);
  const settings = { proxy: { url: proxy.url, username: 'us', password: 'canary' } };
  await open('http://crm.example.com/', settings, nowhere).deliver(sampleAttempt());
  expect(proxy.heads[0]).toContain(`\r\nproxy-authorization: Basic ${Buffer.from('us:canary').toString('base64')}\r\n`);
  expect(server.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
});

test('tokens are fetched through it too', async () => {
  const tokens = await listen(() => ({ status: 200, body: '{"access_token":"one"}' }));
  const proxy = await startProxy(tokens.port);
  const auth = { type: 'oauth2', tokenUrl: 'http://id.example.com/token', clientId: 'a', clientSecret: 'b' };
  await open('http://crm.example.com/', { proxy: { url: proxy.url }, auth }, nowhere).deliver(sampleAttempt());
  expect(proxy.heads.map((head) => head.split(' ')[1])).toEqual(['id.example.com:80', 'crm.example.com:80']);
});

test.each([
  ['HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 6\r\n\r\ncanary', 'answered 407'],
  ['canary\r\n', 'sent no HTTP answer'],
])('a proxy that answers %j is named', async (answer, reason) => {
  const proxy = await startProxy(1, answer);
  const error = await failure(
    open('http://crm.example.com/', { proxy: { url: proxy.url } }, nowhere).deliver(sampleAttempt()),
  );
  expect(error).toMatchObject({ code: 'destination_unreachable', retryable: true });
  expect(error.message).toBe(`no answer from crm.example.com:80: the proxy ${new URL(proxy.url).host} ${reason}`);
  expect(inspect(error, { depth: 9 })).not.toContain('canary');
});

test('no address is reached through a proxy that may not be called without one', async () => {
  const proxy = await startProxy(1);
  for (const [url, resolve] of [
    ['https://10.0.0.5/', nowhere],
    ['https://169.254.169.254/', nowhere],
    ['https://[::ffff:10.0.0.5]/', nowhere],
    ['https://crm.example.com/', async () => [{ address: '10.0.0.5', family: 4 }]],
    ['http://crm.example.com/', async () => [{ address: '93.184.216.34', family: 4 }]],
  ] as [string, Resolve][]) {
    const error = await failure(open(url, { proxy: { url: proxy.url } }, resolve).deliver(sampleAttempt()));
    expect(error, url).toMatchObject({ code: 'destination_refused' });
  }
  expect(proxy.heads).toEqual([]);
});

test.each(['http://10.0.0.5:3128', 'https://169.254.169.254', 'http://93.184.216.34:3128'])(
  'a proxy at %s is not called',
  async (url) => {
    const error = await failure(open('http://127.0.0.1:1/', { proxy: { url } }, inside).deliver(sampleAttempt()));
    expect(error).toMatchObject({ code: 'destination_refused' });
    expect(error.message).toContain(new URL(url).host);
  },
);

test.each([
  [{ url: 'socks5://proxy.example.com' }],
  [{ url: 'http://us:canary@proxy.example.com' }],
  [{ url: 'http://proxy.example.com', password: 'canary' }],
])('%j is refused', (proxy) => {
  const { error } = webhookConfig.safeParse({ url: 'https://crm.example.com/', proxy });
  expect(error?.issues[0]?.path[0]).toBe('proxy');
  expect(inspect(error, { depth: 9 })).not.toContain('canary');
});

test('its password is hidden, and kept for the same proxy when it is left out', () => {
  const declare = (proxy: object) => {
    const settings = { id: 'crm', type: 'webhook', url: 'https://crm.example.com/', proxy };
    const { id, type, events, ...rest } = webhookDestination.parse(settings);
    return rest;
  };
  const proxy = { url: 'http://proxy.example.com:3128', username: 'us', password: 'canary' };
  const { config } = completeWebhook(declare(proxy), undefined);
  expect(hideSecrets(config)['proxy']).toEqual({ ...proxy, password: HIDDEN });
  expect(completeWebhook(declare({ ...proxy, password: HIDDEN }), config).config).toEqual(config);
  const elsewhere = { ...proxy, url: 'http://evil.example:3128', password: HIDDEN };
  expect(() => completeWebhook(declare(elsewhere), config)).toThrow('was for another host');
});
