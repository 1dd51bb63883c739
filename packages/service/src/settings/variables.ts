import { DAY_MS, parseDuration, parseRetrySchedule, RETRY_SCHEDULE_RULE } from '@clickrelay/core';
import { z } from 'zod';

/* The variables that several programs read, and the kinds of values that several variables share. */

export const wholeNumber = (name: string, min: number, max: number) => {
  const error = `${name} must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};

/** Refuses what a parser refuses, with the message of the parser. */
export const checkedBy =
  <Value>(parse: (value: Value) => unknown) =>
  (value: Value, context: z.RefinementCtx): void => {
    try {
      parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
    }
  };

/** An address that paths are put behind. */
export const baseUrl = (name: string, example: string) => {
  const error = `${name} must be an http or https URL such as ${example}, without user name, ? and #`;
  return z
    .url({ protocol: /^https?$/, error })
    .refine((text) => /^[^?#]*$/.test(text) && URL.parse(text)?.username === '', { error });
};

export const publicUrl = baseUrl('PUBLIC_URL', 'https://hooks.example.com').optional();

export const otlpEndpoint = baseUrl('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:4318').optional();

/** Separated by commas. */
export const adapters = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((module) => module.trim())
      .filter((module) => module !== ''),
  );

/** The secret by which people are named: see the store's `people`. */
export const personKey = z
  .string({
    error:
      'PERSON_KEY is empty; set it to a long random secret, the same for every worker and API: openssl rand -base64 32',
  })
  .min(32, { error: 'PERSON_KEY must have at least 32 characters' });

const LONGEST_DAYS = 3_650;

/** In milliseconds. */
export const duration = (name: string) =>
  z.string().transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms <= LONGEST_DAYS * DAY_MS) return ms;
    context.addIssue({
      code: 'custom',
      message: `${name} must be a duration such as 100ms, 15s, 2m, 72h or 7d, at most ${LONGEST_DAYS}d`,
    });
    return z.NEVER;
  });

export const logLevel = z
  .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    error: 'LOG_LEVEL must be trace, debug, info, warn, error, fatal or silent',
  })
  .default('info');

/** CIDRs of private addresses that deliveries may go to. */
export const egressAllow = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((cidr) => cidr.trim())
      .filter((cidr) => cidr !== ''),
  );

export const durability = z
  .enum(['always', 'everysec', 'replicated', 'unsafe'], {
    error: 'DURABILITY must be always, everysec, replicated or unsafe',
  })
  .default('always');

/** The longest wait before each attempt, in milliseconds. */
export const retrySchedule = z
  .string()
  .transform((text, context) => {
    const schedule = parseRetrySchedule(text);
    if (schedule !== undefined) return schedule;
    context.addIssue({ code: 'custom', message: `RETRY_SCHEDULE ${RETRY_SCHEDULE_RULE}` });
    return z.NEVER;
  })
  .prefault('0s,5s,30s,2m,10m,30m,2h,5h,10h,24h');
