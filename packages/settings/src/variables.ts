import { z } from 'zod';

/* Variables that several programs read, and kinds of values that several variables have. */

export const wholeNumber = (name: string, min: number, max: number) => {
  const error = `${name} must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `72h` as milliseconds; undefined for what is no duration. */
export const parseDuration = (text: string): number | undefined => {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim());
  return match ? Number(match[1]) * (UNITS[match[2] as string] as number) : undefined;
};

/** In milliseconds. */
export const duration = (name: string) =>
  z.string().transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined) return ms;
    context.addIssue({ code: 'custom', message: `${name} must be a duration such as 100ms, 15s, 2m, 72h or 7d` });
    return z.NEVER;
  });

export const logLevel = z
  .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    error: 'LOG_LEVEL must be trace, debug, info, warn, error, fatal or silent',
  })
  .default('info');

export const durability = z
  .enum(['always', 'everysec', 'replicated', 'unsafe'], {
    error: 'DURABILITY must be always, everysec, replicated or unsafe',
  })
  .default('always');
