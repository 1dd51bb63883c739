import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `72h` as milliseconds; undefined for what is no duration. */
const parseDuration = (text: string): number | undefined => {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim());
  return match ? Number(match[1]) * (UNITS[match[2] as string] as number) : undefined;
};

const duration = (name: string) =>
  z.string().transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined) return ms;
    context.addIssue({ code: 'custom', message: `${name} must be a duration such as 100ms, 15s, 2m, 72h or 7d` });
    return z.NEVER;
  });

/** The environment of the worker. An empty variable counts as unset. */
export const config = z.object({
  REDIS_URL: z
    .string()
    .default('redis://127.0.0.1:6379')
    .describe('The Redis that callbacks are taken from: `redis://` or `rediss://`'),
  DESTINATIONS_FILE: z
    .string()
    .optional()
    .describe('YAML file with destinations, applied when the worker starts; those it does not name stay as they are'),
  EGRESS_ALLOW: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((cidr) => cidr.trim())
        .filter((cidr) => cidr !== ''),
    )
    .describe(
      'Comma-separated CIDRs of private addresses that deliveries may go to, and by plain http; empty: only public ones, by https',
    ),
  RETRY_SCHEDULE: z
    .string()
    .transform((text, context) => {
      const schedule = text.split(',').map(parseDuration);
      if (schedule.every((ms) => ms !== undefined)) return schedule;
      context.addIssue({
        code: 'custom',
        message: 'RETRY_SCHEDULE must be durations with commas between them, such as 0s,5s,2m',
      });
      return z.NEVER;
    })
    .prefault('0s,5s,30s,2m,10m,30m,2h,5h,10h,24h')
    .describe(
      'The longest wait before each attempt of a delivery; each wait is random between nothing and that. As many attempts as durations',
    ),
  DEDUPE_TTL: duration('DEDUPE_TTL')
    .prefault('72h')
    .describe('How long at least a fact that Clickatell sends again is recognised and makes no second event'),
  EVENT_RETENTION: duration('EVENT_RETENTION').prefault('7d').describe('How long events stay in the log'),
  EVENT_LOG_MAX_BYTES: z.coerce
    .number({ error: 'EVENT_LOG_MAX_BYTES must be a whole number' })
    .int()
    .min(0)
    .default(1_073_741_824)
    .describe(
      'What the log may hold, in bytes of Redis memory; the oldest events go first, but none that is still owed to a destination',
    ),
  DELIVERY_RETENTION: duration('DELIVERY_RETENTION')
    .prefault('3d')
    .describe('How long the attempts of finished deliveries can be looked at'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: 'LOG_LEVEL must be trace, debug, info, warn, error, fatal or silent',
    })
    .default('info')
    .describe(
      '`debug` writes a line for each group and attempt, which costs throughput; `info` only what deserves a look',
    ),
});

export type Config = z.output<typeof config>;

/** What is wrong with the environment, a line for each variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** @throws {ConfigError} */
export const readConfig = (environment: Readonly<Record<string, string | undefined>>): Config => {
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  const result = config.safeParse(Object.fromEntries(set));
  if (result.success) return result.data;
  throw new ConfigError(result.error.issues.map((issue) => issue.message).join('\n'));
};
