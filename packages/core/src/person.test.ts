import { expect, it } from 'vitest';
import { personOf } from './person.ts';

it.each([
  ['27820000001', '27820000001'],
  ['+27 82 000-0001', '27820000001'],
  ['0027820000001', '27820000001'],
  [' 0027 (82) 000.0001 ', '27820000001'],
  ['12345', '12345'],
  ['00123', '00123'],
  ['ZA.1234567890abcdef', 'ZA.1234567890abcdef'],
  ['US.13491208655302741918', 'US.13491208655302741918'],
  ['My Shop', 'My Shop'],
  ['', ''],
])('%j is the person %j', (text, person) => {
  expect(personOf(text)).toBe(person);
});
