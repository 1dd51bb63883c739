import { usageError } from './errors.ts';

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a time given as an age (`15m`, `72h`, `7d`) or as a date (`2026-11-23`, `2026-11-23T10:00:00Z`). */
export const parseSince = (text: string, option = '--since', now = Date.now()): Date => {
  const age = /^(\d+(?:\.\d+)?)(ms|s|m|min|h|d)$/.exec(text);
  const since = age ? new Date(now - Number(age[1]) * (UNITS[age[2] as string] as number)) : new Date(text);
  if (/^\d+$/.test(text) || Number.isNaN(since.getTime())) {
    throw usageError(
      `${option} takes an age such as 15m, 72h or 7d, or a date such as 2026-11-23T10:00:00Z; got ${text}`,
    );
  }
  return since;
};
