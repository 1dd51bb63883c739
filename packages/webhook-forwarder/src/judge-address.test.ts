import { describe, expect, test } from 'vitest';
import { webhookAdapter } from './deliver.ts';
import { judgeAddress, parseRanges } from './egress.ts';

describe('judgeAddress', () => {
  test.each([
    '93.184.216.34',
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '2606:2800:220:1:248:1893:25c8:1946',
    '2a00:1450:4001:82a::200e',
  ])('%s is public', (text) => {
    expect(judgeAddress(text, [])).toBe('public');
  });

  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '100.100.100.200', // Alibaba Cloud's metadata
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254', // most clouds' metadata
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192', // Oracle Cloud's metadata
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::2',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '::8.8.8.8',
    '::ffff:0:127.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::127.0.0.1',
    '64:ff9b:1:7f00:0:100::',
    '100::1',
    '2001::1',
    '2001:0:7f00:1::80ff:fffe',
    '2001:db8::1',
    '2002:7f00:1::',
    '2002:808:808::',
    '3fff::1',
    '4000::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254', // AWS's metadata
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    // Answers that no resolver should give: not addresses that we would connect to.
    '',
    'localhost',
    '127.1',
    '0177.0.0.1',
    '2130706433',
    '8.8.8.8 ',
    '8.8.8.8/8',
  ])('%j is refused', (text) => {
    expect(judgeAddress(text, [])).toBe('refused');
  });

  test.each([
    ['10.1.2.3', '10.0.0.0/8', 'opened'],
    ['11.1.2.3', '10.0.0.0/8', 'public'],
    ['192.168.1.1', '10.0.0.0/8', 'refused'],
    ['10.0.0.8', '10.0.0.7/32', 'refused'],
    ['93.184.216.34', '93.184.216.0/24', 'opened'],
    ['fd00::1', 'fd00::/8', 'opened'],
    ['::1', '::1/128', 'opened'],
    ['::1', '0.0.0.0/0', 'refused'],
    ['127.0.0.1', '::/0', 'refused'],
    // An IPv6 address that stands for an IPv4 one is that one.
    ['::ffff:10.1.2.3', '10.0.0.0/8', 'opened'],
    ['::10.1.2.3', '10.0.0.0/8', 'opened'],
    ['64:ff9b::10.1.2.3', '10.0.0.0/8', 'opened'],
    ['64:ff9b:1::10.1.2.3', '10.0.0.0/8', 'opened'],
    ['2002:a01:203::', '10.0.0.0/8', 'opened'],
    ['2001:0:808:808::f5fe:fdfc', '10.0.0.0/8', 'opened'],
    ['::ffff:127.0.0.1', '10.0.0.0/8', 'refused'],
    ['::ffff:127.0.0.1', '::/0', 'refused'],
    ['64:ff9b::127.0.0.1', '64:ff9b::/96', 'refused'],
    ['2002:7f00:1::', '2002::/16', 'refused'],
    // On a network with NAT64, every IPv4 destination has such an address.
    ['64:ff9b::8.8.8.8', '64:ff9b::/96', 'public'],
  ])('%s with EGRESS_ALLOW=%s is %s', (text, cidr, verdict) => {
    expect(judgeAddress(text, parseRanges([cidr]))).toBe(verdict);
  });
});

test.each([
  '10.0.0.0',
  '10.0.0.0/33',
  '10/8',
  '010.0.0.0/8',
  '0x0a.0.0.0/8',
  'fd00::/129',
  'example.com/8',
  '',
  '/8',
  '*',
])('EGRESS_ALLOW=%j is refused at start', (cidr) => {
  expect(() => webhookAdapter({ egressAllow: ['10.0.0.0/8', cidr], userAgent: 'Clickrelay/0' })).toThrow(
    `EGRESS_ALLOW must be a list of CIDR ranges such as 10.0.0.0/8 or fd00::/8, got ${cidr}`,
  );
});
