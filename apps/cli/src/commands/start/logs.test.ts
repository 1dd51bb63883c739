import { expect, test } from 'vitest';
import { readableLine } from './logs.ts';

test.each([
  ['{"level":30,"time":1,"msg":"callback.received"}', undefined],
  [
    '{"level":40,"time":1,"pid":3,"hostname":"h","msg":"redis.away","reason":"ECONNREFUSED"}',
    'worker warning: redis.away reason=ECONNREFUSED',
  ],
  [
    '{"level":50,"msg":"failed","err":{"message":"boom","stack":"x"},"status":503}',
    'worker error: failed boom status=503',
  ],
  [
    '{"level":30,"destination":"crm","secret":"whsec_abc","msg":"destination.declared"}',
    'worker: destination.declared destination=crm secret=whsec_abc',
  ],
  ['SETTING is wrong', 'worker: SETTING is wrong'],
  ['[1]', 'worker: [1]'],
  ['', undefined],
])('the log line %s is shown as %s', (line, seen) => {
  expect(readableLine('worker', line)).toBe(seen);
});
