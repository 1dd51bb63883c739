import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer, isIP, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { failure, sampleAttempt } from '../test/sample-attempt.ts';
import { webhookConfig } from './config.ts';
import { webhookAdapter } from './deliver.ts';
import type { Resolve } from './egress.ts';

const address = (text: string): LookupAddress => ({ address: text, family: isIP(text) });

// Each of these reaches a server on loopback when nothing is in the way. The names are for a resolver that says so.
const REACHES_LOOPBACK = [
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.0.1',
  '127.0.0.01',
  '2130706433',
  '2130706433.',
  '0x7f000001',
  '0X7F000001',
  '0x7f.1',
  '0x7f.0.0.1',
  '0x7F.0x0.0x0.0x1',
  '017700000001',
  '0177.0.0.1',
  '0177.0x0.0.01',
  '0',
  '0x0',
  '00',
  '0.0.0.0',
  '0.0.0.0.',
  '１２７.０.０.１',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '127．0．0．1',
  '０ｘ７ｆ.1',
  '%31%32%37.0.0.1',
  '127%2e0%2e0%2e1',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000:0000:0000:0000:0000:0000:0000:0001]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::FFFF:7F00:0001]',
  '[0:0:0:0:0:ffff:127.0.0.1]',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'ｌｏｃａｌｈｏｓｔ',
  'loc\u00adalhost',
  'app.localhost',
  'metadata.google.internal',
  'db.internal',
  'rebind.example',
];
// These might, by way of a translator, a tunnel or a careless URL parser; or they are as private as loopback is.
const MUST_NOT_BE_CALLED = [
  ...REACHES_LOOPBACK,
  '127.0.0.2',
  '127.255.255.254',
  '[::127.0.0.1]',
  '[::7f00:1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::80ff:fffe]',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '[::ffff:169.254.169.254]',
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '10.0.0.1',
  '192.168.0.1',
  '100.64.0.1',
  '224.0.0.1',
  '255.255.255.255',
  'example.com@127.0.0.1',
  'example.com:443@127.0.0.1',
  '%65xample.com@127.0.0.1',
  'example.com%40@127.0.0.1',
  '@127.0.0.1',
  ':@127.0.0.1',
  'example.com\\@127.0.0.1',
  'example.com#@127.0.0.1',
  '127.0.0.1#.example.com',
  '127.0.0.1\\.example.com',
  '127.0.0.1%00.example.com',
  '127.0.0.1\0.example.com',
  '127.0.0.1\t',
  '12\n7.0.0.1',
  '127.0.0.1 .example.com',
  '[::1%25lo]',
  '[::1]]',
  '127.0.0.1.1.1',
  '256.0.0.1',
  '4294967297',
];

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === '::1'));
if (!hasIpv6)
  console.warn('egress.test.ts: this machine has no IPv6; that [::1] and its kin reach loopback was NOT tested');
/** A second address of this machine, for tests that open one and not the other. */
const callable = hasIpv6 ? '::1' : '127.0.0.2';
const onlyCallable = hasIpv6 ? '::1/128' : '127.0.0.2/32';

const toLoopback: Resolve = async () => [address('127.0.0.1'), address('::1')];

describe('a server on loopback that nobody may call', () => {
  let canary: Server;
  let port: number;
  /** The address that each connection went to. */
  let called: string[] = [];

  beforeAll(async () => {
    canary = createServer((socket) => {
      called.push(socket.localAddress ?? '');
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
    canary.listen(0, hasIpv6 ? '::' : '0.0.0.0');
    await once(canary, 'listening');
    port = (canary.address() as AddressInfo).port;
  });
  afterAll(() => void canary?.close());
  beforeEach(() => {
    called = [];
  });

  /** Configures a destination and delivers to it, as the API and the worker would. */
  const call = async (url: string, egressAllow: string[], resolve: Resolve): Promise<string> => {
    const config = webhookConfig.safeParse({ url, timeoutMs: 2000 });
    if (!config.success) return 'refused when configured';
    const destination = webhookAdapter({ egressAllow, userAgent: 'Clickrelay/0', resolve }).open(config.data);
    try {
      const { status } = await destination.deliver(sampleAttempt());
      return `answered ${status}`;
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      await destination.close();
    }
  };

  test('answers when EGRESS_ALLOW opens loopback: the spellings below are real ones', async () => {
    const spellings = REACHES_LOOPBACK.filter((host) => hasIpv6 || !host.startsWith('['));
    for (const host of spellings) {
      const outcome = await call(`http://${host}:${port}/`, ['127.0.0.0/8', '0.0.0.0/32', '::/127'], toLoopback);
      expect({ host, outcome }).toEqual({ host, outcome: 'answered 200' });
    }
    expect(called).toHaveLength(spellings.length);
  });

  test.each(['http', 'https'])('is not called over %s, however it is spelled', async (scheme) => {
    for (const host of MUST_NOT_BE_CALLED) {
      const outcome = await call(`${scheme}://${host}:${port}/`, [], toLoopback);
      expect({ host, outcome }).toEqual({
        host,
        outcome: expect.stringMatching(/^(destination_refused|refused when configured)$/),
      });
    }
    expect(MUST_NOT_BE_CALLED.length).toBeGreaterThan(80);
    expect(called).toEqual([]);
  });

  test('is not called by names that this machine resolves to loopback', async () => {
    const adapter = webhookAdapter({ egressAllow: [], userAgent: 'Clickrelay/0' });
    const destination = adapter.open(webhookConfig.parse({ url: `http://localhost:${port}/` }));
    expect(await failure(destination.deliver(sampleAttempt()))).toMatchObject({
      code: 'destination_refused',
      retryable: true,
      message: `localhost:${port} was not called: its address is private or reserved; \`EGRESS_ALLOW\` opens such ranges`,
    });
    await destination.close();
    expect(called).toEqual([]);
  });

  test('is not called at a private address of a name that has a callable one too', async () => {
    const resolve: Resolve = async () => [address('127.0.0.1'), address(callable), address('127.0.0.1')];
    expect(await call(`http://both.example:${port}/`, [onlyCallable], resolve)).toBe('answered 200');
    expect(called).toEqual([callable]);
  });

  test('is not called when a resolver changes its mind', async () => {
    let asked = 0;
    const resolve: Resolve = async () => [address(asked++ === 0 ? callable : '127.0.0.1')];
    const adapter = webhookAdapter({ egressAllow: [onlyCallable], userAgent: 'Clickrelay/0', resolve });
    const destination = adapter.open(webhookConfig.parse({ url: `http://rebind.example:${port}/` }));

    // The connection goes to the address that was judged, and nobody asks again for it.
    expect(await destination.deliver(sampleAttempt())).toMatchObject({ status: 200 });
    expect({ asked, called }).toEqual({ asked: 1, called: [callable] });

    // The server has closed that connection: the next delivery needs another one, and judges anew.
    expect(await failure(destination.deliver(sampleAttempt()))).toMatchObject({ code: 'destination_refused' });
    expect({ asked, called }).toEqual({ asked: 2, called: [callable] });
    await destination.close();
  });

  test('is not called through a redirect', async () => {
    const redirecting = createServer((socket) => {
      socket.end(
        `HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:${port}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
      );
    });
    redirecting.listen(0, '127.0.0.1');
    await once(redirecting, 'listening');
    const url = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}/`;
    expect(await call(url, ['127.0.0.0/8'], toLoopback)).toBe('destination_rejected');
    expect(called).toEqual([]);
    redirecting.close();
  });
});

test('public addresses are not called over http', async () => {
  const adapter = webhookAdapter({
    egressAllow: ['10.0.0.0/8'],
    userAgent: 'Clickrelay/0',
    resolve: async () => [address('93.184.216.34')],
  });
  for (const url of ['http://crm.example.com/hook?token=canary', 'http://93.184.216.34/hook?token=canary']) {
    const destination = adapter.open(webhookConfig.parse({ url }));
    expect(await failure(destination.deliver(sampleAttempt()))).toMatchObject({
      code: 'destination_refused',
      retryable: true,
      message: `${new URL(url).host} was not called over http: use https, or open its address with \`EGRESS_ALLOW\``,
    });
    await destination.close();
  }
});

test('a burst of deliveries asks the resolver once', async () => {
  let asked = 0;
  const resolve: Resolve = async () => {
    asked++;
    return [address('10.0.0.1')];
  };
  const adapter = webhookAdapter({ egressAllow: [], userAgent: 'Clickrelay/0', resolve });
  const destination = adapter.open(webhookConfig.parse({ url: 'https://crm.example.com/' }));
  const errors = await Promise.all(Array.from({ length: 20 }, () => failure(destination.deliver(sampleAttempt()))));
  expect(new Set(errors.map((error) => error.code))).toEqual(new Set(['destination_refused']));
  expect(asked).toBe(1);
  await destination.close();
});

test('a name that does not resolve is tried again later', async () => {
  const resolve: Resolve = async () => {
    throw Object.assign(new Error('getaddrinfo ENOTFOUND crm.example.com'), { code: 'ENOTFOUND' });
  };
  const adapter = webhookAdapter({ egressAllow: [], userAgent: 'Clickrelay/0', resolve });
  for (const url of ['https://crm.example.com/', 'http://crm.example.com/']) {
    const destination = adapter.open(webhookConfig.parse({ url }));
    expect(await failure(destination.deliver(sampleAttempt()))).toMatchObject({
      code: 'destination_unreachable',
      retryable: true,
      message: 'no answer from crm.example.com (ENOTFOUND)',
      cause: 'ENOTFOUND',
    });
    await destination.close();
  }
});
