import { expect, it } from 'vitest';
import { amount, because, duration, list, percent, size } from './words.ts';

it.each([
  [-5, '0 ms'],
  [999, '999 ms'],
  [1_000, '1 second'],
  [1_550, '1.5 seconds'],
  [59_000, '59 seconds'],
  [60_000, '1 minute'],
  [90_000, '90 seconds'],
  [120_000, '2 minutes'],
  [1_560_000, '26 minutes'],
  [3_600_000, '1 hour'],
  [7_199_000, '119 minutes'],
  [7_200_000, '2 hours'],
  [86_400_000, '1 day'],
  [129_600_000, '36 hours'],
  [259_200_000, '3 days'],
])('%i ms are %s', (ms, words) => {
  expect(duration(ms)).toBe(words);
});

it.each([
  [-1, '0 bytes'],
  [512, '512 bytes'],
  [1_024, '1 KiB'],
  [1_610_612_736, '1.5 GiB'],
  [5e15, '4547 TiB'],
])('%d bytes are %s', (bytes, words) => {
  expect(size(bytes)).toBe(words);
});

it('says one of one, and counts from above and from below', () => {
  expect([amount(1, 'delivery', 'deliveries'), amount(0, 'slot'), percent(0.799), percent(0.29)]).toEqual([
    '1 delivery',
    '0 slots',
    '79 %',
    '29 %',
  ]);
  expect([list([]), list(['a']), list(['a', 'b']), list(['a', 'b', 'c'])]).toEqual(['', 'a', 'a and b', 'a, b and c']);
});

it.each([
  ['destination_timeout', ' (destination_timeout)'],
  ['ECONNREFUSED', ' (ECONNREFUSED)'],
  ['503', ' (503)'],
  [null, ''],
  ['27820000004', ''],
  ['Hello there', ''],
  ['whsec_dGhlIHNlY3JldA==', ''],
])('of the code %s it tells "%s"', (code, told) => {
  expect(because(code)).toBe(told);
});
