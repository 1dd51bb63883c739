import { parseRate } from '@clickrelay/core';
import { parseRedisUrl } from '@clickrelay/queue';
import {
  adapters,
  checkedBy,
  durability,
  egressAllow,
  logLevel,
  publicUrl,
  readConfig as read,
  retrySchedule,
  wholeNumber,
} from '@clickrelay/service/settings';
import { parseRanges } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';

/** The environment of the API. An empty variable counts as unset. */
export const config = z.object({
  API_HOST: z.string().default('127.0.0.1').describe('Address the API listens on'),
  API_PORT: wholeNumber('API_PORT', 0, 65_535).default(8081).describe('Port the API listens on; 0 takes any free one'),
  API_KEY: z
    .string({
      error: 'API_KEY is empty; set it to a long random text, which callers send as `Authorization: Bearer …`',
    })
    .min(16, { error: 'API_KEY must have at least 16 characters' })
    .describe(
      'The key that callers send as `Authorization: Bearer <API_KEY>`; at least 16 characters. Must be set; ' +
        '`clickrelay start` makes one',
    ),
  API_RATE_LIMIT: z
    .string()
    .default('100/s')
    .transform((text, context) => {
      const rate = parseRate(text);
      if (rate !== undefined) return rate;
      context.addIssue({ code: 'custom', message: 'API_RATE_LIMIT must be a number per s, m or h, such as 100/s' });
      return z.NEVER;
    })
    .describe('How many requests of one key are answered; more get 429. Neither `API_KEY` nor leasing is limited'),
  REDIS_URL: z
    .string()
    .default('redis://127.0.0.1:6379')
    .superRefine(checkedBy(parseRedisUrl))
    .describe('The Redis that holds everything, as for the receiver'),
  DURABILITY: durability.describe('How safe Redis must be, as for the receiver; `/v1/status` reports against it'),
  EGRESS_ALLOW: egressAllow
    .superRefine(checkedBy(parseRanges))
    .describe(
      'The same as for the worker, because the API itself sends tests of a destination (`POST ' +
        '/v1/destinations/{id}/test`)',
    ),
  ADAPTERS: adapters.describe('The same as for the worker: destinations of these types can be declared'),
  RETRY_SCHEDULE: retrySchedule.describe(
    'The longest wait before each attempt at a delivery that a consumer gave back; the same as for the worker',
  ),
  PUBLIC_URL: publicUrl.describe(
    'How Clickatell reaches the receiver from outside: `/v1/setup` builds the callback URLs from it, and test ' +
      'callbacks go there',
  ),
  CALLBACK_AUTH: z
    .string()
    .default('')
    .describe(
      'The same as for the receiver, so that `/v1/setup` can show complete callback URLs and the receiver ' +
        'accepts test callbacks; empty: neither',
    ),
  METRICS_TOKEN: z
    .string()
    .refine((token) => token === '' || token.length >= 16, { error: 'METRICS_TOKEN must have at least 16 characters' })
    .default('')
    .describe(
      'The token that Prometheus sends as `Authorization: Bearer <METRICS_TOKEN>`: it opens `/metrics` and ' +
        'nothing else; at least 16 characters. Empty: `/metrics` takes keys with the scope `read` only',
    ),
  LOG_LEVEL: logLevel.describe('The lowest level of log lines that are written'),
});

export type Config = z.output<typeof config>;

/** @throws {ConfigError} */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config =>
  read(config, environment);
