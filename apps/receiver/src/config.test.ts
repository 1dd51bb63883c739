import { ConfigError } from '@clickrelay/service/settings';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { config, readConfig } from './config.ts';

describe('the environment', () => {
  it('has a default for everything but the credential', () => {
    expect(readConfig({ CALLBACK_AUTH: 'none', PORT: '', UNRELATED: 'x' })).toEqual({
      HOST: '0.0.0.0',
      PORT: 8080,
      REDIS_URL: 'redis://127.0.0.1:6379',
      SPOOL_DIR: '',
      SPOOL_MAX_BYTES: 10_737_418_240,
      DURABILITY: 'always',
      CALLBACK_AUTH: 'none',
      CALLBACK_PATH_PREFIX: '/client-callback',
      CALLBACK_ALLOW_IPS: [],
      TRUSTED_PROXIES: [],
      CALLBACK_INTEGRATION_IDS: new Set(),
      MAX_BODY_BYTES: 33_554_432,
      KEEP_ALIVE_TIMEOUT: 620_000,
      LOG_LEVEL: 'info',
    });
  });

  it('names every setting that is wrong', () => {
    const environment = {
      PORT: '70000',
      DURABILITY: 'sometimes',
      MAX_BODY_BYTES: '32MB',
      KEEP_ALIVE_TIMEOUT: '0s',
      CALLBACK_PATH_PREFIX: 'hooks',
      TRUSTED_PROXIES: 'lb.example.com',
      LOG_LEVEL: 'loud',
    };
    expect(() => readConfig(environment)).toThrow(
      new ConfigError(
        [
          'PORT must be a whole number from 0 to 65535',
          'DURABILITY must be always, everysec, replicated or unsafe',
          'CALLBACK_AUTH is empty; set at least one credential, or CALLBACK_AUTH=none to accept any callback',
          'CALLBACK_PATH_PREFIX must be a path such as /client-callback, of letters, digits and `-._~` between slashes',
          'TRUSTED_PROXIES holds lb.example.com, which is neither an address nor a CIDR such as 10.0.0.0/8',
          'MAX_BODY_BYTES must be a whole number from 1 to 1073741824',
          'KEEP_ALIVE_TIMEOUT must be from 1s to 1h',
          'LOG_LEVEL must be trace, debug, info, warn, error, fatal or silent',
        ].join('\n'),
      ),
    );
  });

  it.each([
    ['/hooks/clickatell/', '/hooks/clickatell'],
    ['/', ''],
  ])('takes the path prefix %s', (text, prefix) => {
    expect(readConfig({ CALLBACK_AUTH: 'none', CALLBACK_PATH_PREFIX: text }).CALLBACK_PATH_PREFIX).toBe(prefix);
  });

  it('keeps no secret in plain text', () => {
    const secret = 'correct-horse';
    const { CALLBACK_AUTH } = readConfig({ CALLBACK_AUTH: `basic:ann:${secret},query:${secret},header:x:${secret}` });
    expect(JSON.stringify(CALLBACK_AUTH)).not.toContain(secret);
  });

  it('describes every variable, for the documentation', () => {
    const { properties = {} } = z.toJSONSchema(config, { io: 'input' });
    const undescribed = Object.entries(properties).filter(
      ([, schema]) => !(schema as { description?: string }).description,
    );
    expect(undescribed).toEqual([]);
  });
});
