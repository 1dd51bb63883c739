import { parseRedisUrl } from '@clickrelay/queue';
import {
  adapters,
  checkedBy,
  durability,
  duration,
  egressAllow,
  logLevel,
  otlpEndpoint,
  personKey,
  readConfig as read,
  retrySchedule,
  wholeNumber,
} from '@clickrelay/service/settings';
import { parseRanges } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';

/** The environment of the worker. An empty variable counts as unset. */
export const config = z.object({
  REDIS_URL: z
    .string()
    .default('redis://127.0.0.1:6379')
    .superRefine(checkedBy(parseRedisUrl))
    .describe('The Redis that callbacks are taken from, as for the receiver'),
  DURABILITY: durability.describe(
    'As for the receiver; matters to the worker for `replicated` on a Cluster only: what it moves from one ' +
      'server to another is on a replica first',
  ),
  PERSON_KEY: personKey.describe(
    'Secret by which people are named where no phone number may stand, such as in Redis; the same for every worker ' +
      'and API, and never in Redis or a copy of it. At least 32 characters. Must be set; `clickrelay start` makes one',
  ),
  DATA_DIR: z
    .string()
    .default('')
    .describe('Folder for `store.json`: which Redis is its own. Empty: the worker forgets at its end'),
  DESTINATIONS_FILE: z
    .string()
    .optional()
    .describe('YAML file with destinations, applied when the worker starts; those it does not name stay as they are'),
  EGRESS_ALLOW: egressAllow
    .superRefine(checkedBy(parseRanges))
    .describe(
      'Comma-separated CIDRs of private addresses that deliveries may go to, and by plain http; empty: only ' +
        'public ones, by https',
    ),
  ADAPTERS: adapters.describe(
    'Comma-separated modules with adapters that are not ours: paths from the working directory, or names of ' +
      'packages; see [adapters](adapters.md)',
  ),
  RETRY_SCHEDULE: retrySchedule.describe(
    'The longest wait before each attempt of a delivery; each wait is random between nothing and that. As many ' +
      'attempts as durations: up to 100, each of 30 days at most',
  ),
  DEDUPE_TTL: duration('DEDUPE_TTL')
    .prefault('72h')
    .describe(
      'How long at least an event that Clickatell sends again is recognised as a duplicate and dropped; ' +
        'ten years (3650d) at most, as for the other durations',
    ),
  EVENT_RETENTION: duration('EVENT_RETENTION').prefault('7d').describe('How long events stay in the log'),
  EVENT_LOG_MAX_BYTES: wholeNumber('EVENT_LOG_MAX_BYTES', 0, Number.MAX_SAFE_INTEGER)
    .default(1_073_741_824)
    .describe(
      'What the log may hold, in bytes of Redis memory; the oldest events go first, but none that is still owed ' +
        'to a destination',
    ),
  DELIVERY_RETENTION: duration('DELIVERY_RETENTION')
    .prefault('3d')
    .describe('How long the attempts of finished deliveries can be looked at'),
  OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint.describe(
    'Where traces go, by OTLP over HTTP, such as `http://127.0.0.1:4318`; unset: there are none. See ' +
      '[traces](metrics.md#traces)',
  ),
  LOG_LEVEL: logLevel.describe(
    '`debug` writes a line for each group and attempt, which costs throughput; `info` only what deserves a look',
  ),
});

export type Config = z.output<typeof config>;

/** @throws {ConfigError} */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config =>
  read(config, environment);
