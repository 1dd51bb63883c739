import { expect, test } from 'vitest';
import { MAX_RETRY_AFTER_MS, parseRetryAfter } from './retry-after.ts';

const now = Date.parse('2026-11-22T10:00:00.000Z');

test.each([
  ['0', 0],
  ['120', 120_000],
  [' 7 ', 7000],
  ['007', 7000],
  ['3.25', 3250],
  ['0.0001', 1],
  ['Sun, 22 Nov 2026 10:00:30 GMT', 30_000],
])('%j is understood', (header, expected) => {
  expect(parseRetryAfter(header, now)).toBe(expected);
});

test.each([
  '86401',
  '99999999999999999999',
  '9'.repeat(400),
  'Mon, 23 Nov 2026 10:00:01 GMT',
  'Fri, 31 Dec 9999 23:59:59 GMT',
])('%j is clamped to 24 hours', (header) => {
  expect(parseRetryAfter(header, now)).toBe(MAX_RETRY_AFTER_MS);
});

test('a date that is over asks for no wait', () => {
  expect(parseRetryAfter('Sun, 22 Nov 2026 09:59:59 GMT', now)).toBe(0);
});

test.each([
  undefined,
  '',
  ' ',
  'soon',
  '1e9',
  '10junk',
  '10 s',
  '-1',
  '+5',
  '1.',
  '.5',
  '1.5.1',
  '1,5',
  '0x10',
  '٣',
  'Infinity',
  'NaN',
  '1, 2',
  '2026-11-22T10:00:30Z',
  'Sun, 22 Nov 2026 10:00:30 +0200',
  'Sun, 22 Nov 2026 10:00:30 GMT junk',
  'Sun, 99 Nov 2026 99:99:99 GMT',
  'Sun, 22 Foo 2026 10:00:30 GMT',
  'Sunday, 22-Nov-26 10:00:30 GMT',
])('%j is no answer', (header) => {
  expect(parseRetryAfter(header, now)).toBeUndefined();
});

test('a header that was sent twice is no answer', () => {
  expect(parseRetryAfter(['1', '2'], now)).toBeUndefined();
});
