import { parseRate } from '@clickrelay/core';
import { parseRedisUrl } from '@clickrelay/queue';
import {
  adapters,
  checkedBy,
  durability,
  duration,
  egressAllow,
  logLevel,
  personKey,
  publicUrl,
  readConfig as read,
  retrySchedule,
  wholeNumber,
} from '@clickrelay/service/settings';
import { checkUrl, parseRanges } from '@clickrelay/webhook-forwarder';
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
      'The key that opens everything, sent as `Authorization: Bearer <API_KEY>`; at least 16 characters. Must be ' +
        'set; `clickrelay start` makes one',
    ),
  PERSON_KEY: personKey.describe('As for the worker'),
  API_RATE_LIMIT: z
    .string()
    .default('100/s')
    .transform((text, context) => {
      const rate = parseRate(text);
      if (rate !== undefined) return rate;
      context.addIssue({ code: 'custom', message: 'API_RATE_LIMIT must be a number per s, m or h, such as 100/s' });
      return z.NEVER;
    })
    .describe('Requests answered for each key; more get 429. `API_KEY` and leasing are not limited'),
  REDIS_URL: z
    .string()
    .default('redis://127.0.0.1:6379')
    .superRefine(checkedBy(parseRedisUrl))
    .describe('As for the receiver'),
  DURABILITY: durability.describe('As for the receiver; `/v1/status` reports against it'),
  EGRESS_ALLOW: egressAllow
    .superRefine(checkedBy(parseRanges))
    .describe('As for the worker: the API itself sends [tests of destinations](api.md#try-a-destination)'),
  ADAPTERS: adapters.describe('As for the worker: the API accepts destinations of these types'),
  RETRY_SCHEDULE: retrySchedule.describe('As for the worker, for deliveries that consumers give back'),
  EVENT_RETENTION: duration('EVENT_RETENTION')
    .prefault('7d')
    .describe('As for the worker: how long [work that is done once](leases.md#once) is remembered'),
  PUBLIC_URL: publicUrl.describe(
    'How Clickatell reaches the receiver: the start of callback URLs, and where test callbacks go',
  ),
  CALLBACK_AUTH: z
    .string()
    .default('')
    .describe('As for the receiver: completes callback URLs, and opens the receiver to test callbacks'),
  DATA_DIR: z
    .string()
    .default('')
    .describe(
      'Folder for `credentials.json`: the credentials that this API made, to show them again and to test with them; ' +
        'and for `store.json`, which Redis is its own. Empty: credentials are shown once',
    ),
  HEARTBEAT_URL: z
    .string()
    .superRefine((text, context) => {
      const refusal = checkUrl(text);
      if (refusal !== undefined) context.addIssue({ code: 'custom', message: `HEARTBEAT_URL: ${refusal}` });
    })
    .optional()
    .describe(
      'Gets a GET once a minute while an API judges what is wrong: see [Alerts](alerts.md#the-heartbeat). A secret',
    ),
  METRICS_TOKEN: z
    .string()
    .refine((token) => token === '' || token.length >= 16, { error: 'METRICS_TOKEN must have at least 16 characters' })
    .default('')
    .describe(
      'Bearer token for Prometheus that opens `/metrics` and nothing else; at least 16 characters. Empty: only ' +
        'keys with the scope `read` open it',
    ),
  LOG_LEVEL: logLevel.describe('The lowest level that is logged'),
});

export type Config = z.output<typeof config>;

/** @throws {ConfigError} */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config =>
  read(config, environment);
