import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, readConfig } from './read-config.ts';
import { duration, logLevel, publicUrl, wholeNumber } from './variables.ts';

const schema = z.object({
  PORT: wholeNumber('PORT', 0, 65_535).default(8080),
  DEDUPE_TTL: duration('DEDUPE_TTL').prefault('72h'),
  LOG_LEVEL: logLevel,
});

describe('readConfig', () => {
  it('treats an empty variable as unset', () => {
    expect(readConfig(schema, { PORT: '', DEDUPE_TTL: undefined })).toEqual({
      PORT: 8080,
      DEDUPE_TTL: 259_200_000,
      LOG_LEVEL: 'info',
    });
  });

  it('reads durations in every unit', () => {
    for (const [text, ms] of [
      ['5ms', 5],
      ['15s', 15_000],
      ['2m', 120_000],
      ['1h', 3_600_000],
      ['7d', 604_800_000],
    ] as const) {
      expect(readConfig(schema, { DEDUPE_TTL: text }).DEDUPE_TTL).toBe(ms);
    }
  });

  it('reads no duration beyond ten years', () => {
    expect(readConfig(schema, { DEDUPE_TTL: '3650d' }).DEDUPE_TTL).toBe(315_360_000_000);
    expect(() => readConfig(schema, { DEDUPE_TTL: '3651d' })).toThrow('72h or 7d, at most 3650d');
  });

  it('names every variable that is wrong, and no value', () => {
    expect(() => readConfig(schema, { PORT: 's3cret', DEDUPE_TTL: '-1s', LOG_LEVEL: 'loud' })).toThrow(
      new ConfigError(
        'PORT must be a whole number from 0 to 65535\n' +
          'DEDUPE_TTL must be a duration such as 100ms, 15s, 2m, 72h or 7d, at most 3650d\n' +
          'LOG_LEVEL must be trace, debug, info, warn, error, fatal or silent',
      ),
    );
  });

  it.each([
    'https://x.example/?a=1',
    'https://x.example/?',
    'https://x.example/#a',
    'https://ann:secret@x.example/',
    'ftp://x.example/',
    'x.example',
  ])('refuses %s as a base of other addresses', (PUBLIC_URL) => {
    const refused = () => readConfig(z.object({ PUBLIC_URL: publicUrl }), { PUBLIC_URL });
    expect(refused).toThrow(
      'PUBLIC_URL must be an http or https URL such as https://hooks.example.com, without user name, ? and #',
    );
  });
});
