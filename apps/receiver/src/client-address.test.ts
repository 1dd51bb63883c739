import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { clientAddress, isWithin, parseCidrs } from './client-address.ts';

const request = (remoteAddress: string | undefined, forwarded?: string) =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

const seen = (trusted: string, remoteAddress: string, forwarded?: string) =>
  clientAddress(request(remoteAddress, forwarded), parseCidrs('TRUSTED_PROXIES', trusted))?.toString();

describe('the address of the sender', () => {
  it.each([
    ['no proxy is trusted: the header is the caller’s own claim', '', '203.0.113.7', '1.2.3.4', '203.0.113.7'],
    ['the caller is no trusted proxy', '10.0.0.0/8', '203.0.113.7', '1.2.3.4', '203.0.113.7'],
    ['one proxy', '10.0.0.0/8', '10.0.0.1', '203.0.113.7', '203.0.113.7'],
    [
      'what the sender put there itself is not believed',
      '10.0.0.0/8',
      '10.0.0.1',
      '1.2.3.4, 203.0.113.7',
      '203.0.113.7',
    ],
    ['two proxies', '10.0.0.0/8,192.0.2.1', '10.0.0.1', '1.2.3.4, 203.0.113.7, 192.0.2.1', '203.0.113.7'],
    ['every entry is a trusted proxy', '10.0.0.0/8', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['a port behind the address', '10.0.0.0/8', '10.0.0.1', '203.0.113.7:4711', '203.0.113.7'],
    ['IPv6 with a port', '::1', '::1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['IPv4 on a dual-stack socket', '10.0.0.0/8', '::ffff:10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['a trusted proxy wrote something else', '10.0.0.0/8', '10.0.0.1', 'unknown', undefined],
    ['an old spelling of an address', '10.0.0.0/8', '10.0.0.1', '127.1', undefined],
    ['the header is empty', '10.0.0.0/8', '10.0.0.1', '', undefined],
    ['the header is missing', '10.0.0.0/8', '10.0.0.1', undefined, '10.0.0.1'],
  ])('%s', (_, trusted, remoteAddress, forwarded, expected) => {
    expect(seen(trusted, remoteAddress, forwarded)).toBe(expected);
  });

  it('is unknown once the socket is gone', () => {
    expect(clientAddress(request(undefined), [])).toBeUndefined();
  });
});

describe('a list of CIDRs', () => {
  it('takes single addresses, both families, and spaces', () => {
    const list = parseCidrs('X', ' 10.0.0.0/8 ,, 192.0.2.1, 2001:db8::/32');
    const within = ['10.9.9.9', '192.0.2.1', '2001:db8::1', '192.0.2.2', '2001:db9::1'].map((text) => {
      const address = clientAddress(request(text), []);
      return address && isWithin(address, list);
    });
    expect(within).toEqual([true, true, true, false, false]);
  });

  it('refuses anything else', () => {
    expect(() => parseCidrs('CALLBACK_ALLOW_IPS', '10.0.0.0/8, example.com')).toThrow(
      new Error('CALLBACK_ALLOW_IPS holds example.com, which is neither an address nor a CIDR such as 10.0.0.0/8'),
    );
  });
});
