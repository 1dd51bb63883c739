import { ConfigError } from '@clickrelay/service/settings';
import { PERSON_KEY } from '@clickrelay/testkit';
import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

test('EGRESS_ALLOW takes ranges, and names one that is invalid', () => {
  expect(readConfig({ PERSON_KEY, EGRESS_ALLOW: '127.0.0.0/8, fd00::/8' }).EGRESS_ALLOW).toEqual([
    '127.0.0.0/8',
    'fd00::/8',
  ]);
  expect(readConfig({ PERSON_KEY }).EGRESS_ALLOW).toEqual([]);
  expect(() => readConfig({ PERSON_KEY, EGRESS_ALLOW: '127.0.0.0/8,localhost' })).toThrow(
    new ConfigError('EGRESS_ALLOW must be a list of CIDR ranges such as 10.0.0.0/8 or fd00::/8, got localhost'),
  );
});
