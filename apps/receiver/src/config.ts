import { parseRedisUrl } from '@clickrelay/queue';
import {
  checkedBy,
  durability,
  duration,
  logLevel,
  otlpEndpoint,
  readConfig as read,
  wholeNumber,
} from '@clickrelay/service/settings';
import { z } from 'zod';
import { parseCidrs } from './client-address.ts';
import { parseCallbackAuth } from './credentials.ts';

/** Runs a parser inside a schema; its message becomes the issue. */
const parsedBy =
  <Value>(parse: (text: string) => Value) =>
  (text: string, context: z.RefinementCtx): Value => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  };

const splitList = (text: string): string[] => {
  const entries = text.split(',').map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '');
};

const parsePathPrefix = (text: string): string => {
  const prefix = text.replace(/\/+$/, '');
  if (/^(\/[\w.~-]+)*$/.test(prefix)) return prefix;
  throw new Error(
    'CALLBACK_PATH_PREFIX must be a path such as /client-callback, of letters, digits and `-._~` between slashes',
  );
};

/** The environment of the receiver. An empty variable counts as unset. */
export const config = z.object({
  HOST: z.string().default('0.0.0.0').describe('Address the receiver listens on'),
  PORT: wholeNumber('PORT', 0, 65_535).default(8080).describe('Port the receiver listens on; 0 takes any free one'),
  REDIS_URL: z
    .string()
    .default('redis://127.0.0.1:6379')
    .superRefine(checkedBy(parseRedisUrl))
    .describe(
      '`redis://host:6379`, `redis+sentinel://host:26379,host:26379/mymaster` or ' +
        '`redis+cluster://host:7000,host:7001`; `rediss` for TLS',
    ),
  DURABILITY: durability.describe(
    'What 200 means: `always`, on disk; `everysec`, on disk within a second; `replicated`, on disk and on a ' +
      'replica; `unsafe`, nothing. See [durability](operations.md#durability)',
  ),
  CALLBACK_AUTH: z
    .string()
    .default('')
    .transform(parsedBy(parseCallbackAuth))
    .describe(
      'Comma-separated credentials, any of which suffices: `basic:<user>:<password>`, `query:<secret>` (sent as ' +
        '`?token=<secret>`), `header:<name>:<secret>`, with `%2C` for a comma. Or `none`. Must be set',
    ),
  CALLBACK_PATH_PREFIX: z
    .string()
    .default('/client-callback')
    .transform(parsedBy(parsePathPrefix))
    .describe('Replaces `/client-callback` in the callback paths; `/` puts them at the root'),
  CALLBACK_ALLOW_IPS: z
    .string()
    .default('')
    .transform(parsedBy((text) => parseCidrs('CALLBACK_ALLOW_IPS', text)))
    .describe('Comma-separated addresses and CIDRs that callbacks may come from; empty: any'),
  TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform(parsedBy((text) => parseCidrs('TRUSTED_PROXIES', text)))
    .describe('Comma-separated addresses and CIDRs of proxies whose `X-Forwarded-For` is believed; empty: none'),
  CALLBACK_INTEGRATION_IDS: z
    .string()
    .default('')
    .transform((text) => new Set(splitList(text)))
    .describe('Comma-separated integration ids; callbacks of others go to quarantine. Empty: any'),
  MAX_BODY_BYTES: wholeNumber('MAX_BODY_BYTES', 1, 1_073_741_824)
    .default(33_554_432)
    .describe('The largest callback, compressed or not; a larger one gets 413'),
  KEEP_ALIVE_TIMEOUT: duration('KEEP_ALIVE_TIMEOUT')
    .refine((ms) => ms >= 1_000 && ms <= 3_600_000, 'KEEP_ALIVE_TIMEOUT must be from 1s to 1h')
    .prefault('620s')
    .describe(
      'How long an unused connection stays open, 1s to 1h. Longer than the load balancer in front keeps it (60 s for ' +
        'AWS, 600 s for Google), so that the balancer closes first and never sends into a closed one',
    ),
  SPOOL_DIR: z
    .string()
    .default('')
    .transform((dir) => (dir === 'off' ? '' : dir))
    .describe(
      'Local folder for callbacks while Redis is away, one for each receiver. Empty or `off`: they are refused ' +
        'instead. `clickrelay start` takes `DATA_DIR/spool`',
    ),
  SPOOL_MAX_BYTES: wholeNumber('SPOOL_MAX_BYTES', 1_048_576, Number.MAX_SAFE_INTEGER)
    .default(10_737_418_240)
    .describe('The most that the spool may hold; callbacks beyond it get 503'),
  OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint.describe(
    'Where traces go, by OTLP over HTTP, such as `http://127.0.0.1:4318`; unset: there are none. See ' +
      '[traces](metrics.md#traces)',
  ),
  LOG_LEVEL: logLevel.describe(
    '`debug` writes a line for each callback, which costs throughput; `info` only what deserves a look',
  ),
});

export type Config = z.output<typeof config>;

/** @throws {ConfigError} */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config =>
  read(config, environment);
