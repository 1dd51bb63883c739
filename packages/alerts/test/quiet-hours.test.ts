import { expect, it } from 'vitest';
import { isQuiet, quietHours } from '../src/quiet-hours.ts';

const quiet = (settings: object) => quietHours.parse({ from: '22:00', to: '07:00', timeZone: 'UTC', ...settings });
const isQuietAt = (settings: object, iso: string): boolean => isQuiet(quiet(settings), Date.parse(iso));

it('go over midnight, and begin on their days', () => {
  // A Monday.
  const nights = { days: ['mon'] };
  expect(isQuietAt(nights, '2026-11-30T21:59:59Z')).toBe(false);
  expect(isQuietAt(nights, '2026-11-30T22:00:00Z')).toBe(true);
  expect(isQuietAt(nights, '2026-12-01T06:59:59Z')).toBe(true);
  expect(isQuietAt(nights, '2026-12-01T07:00:00Z')).toBe(false);
  expect(isQuietAt(nights, '2026-12-01T22:00:00Z')).toBe(false);
  // Sunday night.
  expect(isQuietAt({ days: ['sun'] }, '2026-11-30T03:00:00Z')).toBe(true);
  expect(isQuietAt(nights, '2026-11-30T03:00:00Z')).toBe(false);
});

it('may lie within a day', () => {
  const noon = { from: '12:00', to: '13:30', days: ['mon'] };
  const times = ['11:59', '12:00', '13:29', '13:30'].map((time) => isQuietAt(noon, `2026-11-30T${time}:00Z`));
  expect(times).toEqual([false, true, true, false]);
  expect(isQuietAt(noon, '2026-12-01T12:30:00Z')).toBe(false);
});

it('follow the clock on the wall when it is put forward and back', () => {
  const berlin = { timeZone: 'Europe/Berlin' };
  // 29 March 2026: 02:00 becomes 03:00, and 07:00 comes an hour sooner.
  expect(isQuietAt(berlin, '2026-03-28T05:59:59Z')).toBe(true);
  expect(isQuietAt(berlin, '2026-03-28T06:00:00Z')).toBe(false);
  expect(isQuietAt(berlin, '2026-03-29T04:59:59Z')).toBe(true);
  expect(isQuietAt(berlin, '2026-03-29T05:00:00Z')).toBe(false);
  // 25 October 2026: 03:00 becomes 02:00, and 07:00 comes an hour later.
  expect(isQuietAt(berlin, '2026-10-24T20:00:00Z')).toBe(true);
  expect(isQuietAt(berlin, '2026-10-25T05:59:59Z')).toBe(true);
  expect(isQuietAt(berlin, '2026-10-25T06:00:00Z')).toBe(false);
  // The night has an hour more, and begins at 22:00 all the same.
  expect(isQuietAt(berlin, '2026-10-25T20:59:59Z')).toBe(false);
  expect(isQuietAt(berlin, '2026-10-25T21:00:00Z')).toBe(true);
});

it('at a time that does not exist, or that comes twice, are what the wall says', () => {
  const spring = { from: '02:30', to: '04:00', timeZone: 'Europe/Berlin' };
  expect(isQuietAt(spring, '2026-03-29T00:59:59Z')).toBe(false);
  expect(isQuietAt(spring, '2026-03-29T01:00:00Z')).toBe(true);
  const autumn = { from: '01:00', to: '02:30', timeZone: 'Europe/Berlin' };
  const halfHours = ['00:15', '00:45', '01:15', '01:45'].map((time) => isQuietAt(autumn, `2026-10-25T${time}:00Z`));
  expect(halfHours).toEqual([true, false, true, false]);
});

it.each([
  [{ to: '22:00' }, 'must not be the time of `from`'],
  [{ timeZone: 'Africa/Joburg' }, 'must be a time zone'],
  [{ from: '24:00' }, 'must be a time of day'],
  [{ days: [] }, 'expected array to have >=1'],
])('that can never be are refused: %j', (settings, message) => {
  expect(() => quiet(settings)).toThrow(message);
});
