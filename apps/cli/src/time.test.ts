import { describe, expect, it } from 'vitest';
import { shortTime, spanOf } from './time.ts';

describe('a time that is printed', () => {
  it('is in UTC, with its day and its zone, and can be given back', () => {
    expect(shortTime('2026-11-20T10:00:01.999Z')).toBe('2026-11-20T10:00:01Z');
    expect(shortTime('2026-11-20T10:00:01+02:00')).toBe('2026-11-20T08:00:01Z');
    expect(spanOf({ since: shortTime('2026-11-20T10:00:01.999Z') })).toEqual({ since: '2026-11-20T10:00:01.000Z' });
    expect(shortTime('never')).toBe('never');
  });
});

describe('a time that is typed', () => {
  it.each([
    ['2026-11-23', '2026-11-23T00:00:00.000Z'],
    ['2026-11-23T10:00', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23 10:00:05', '2026-11-23T10:00:05.000Z'],
    ['2026-11-23T10:00:05.123Z', '2026-11-23T10:00:05.123Z'],
    ['2026-11-23t10:00:05z', '2026-11-23T10:00:05.000Z'],
    ['2026-11-23T10:00:05+02:00', '2026-11-23T08:00:05.000Z'],
  ])('%s is %s: without a zone it is UTC, wherever the machine is', (typed, meant) => {
    expect(spanOf({ since: typed, until: typed })).toEqual({ since: meant, until: meant });
  });

  it.each([
    ['15m', 900_000],
    ['72h', 259_200_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
  ])('may be an age: %s', (typed, ms) => {
    const { since = '' } = spanOf({ since: typed });
    expect(Math.abs(Date.now() - ms - Date.parse(since))).toBeLessThan(60_000);
  });

  it.each(['yesterday', '5', '2026-02-31', '2026-13-01', '2026-11-23T25:00Z', '2026-11-23T10:00:05+0200', ''])(
    'that is none is refused: %j',
    (typed) => {
      expect(() => spanOf({ until: typed })).toThrow('--until takes an age such as 15m');
    },
  );
});
