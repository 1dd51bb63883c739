import { usageError } from './errors.ts';

/*
 * One clock for what is printed and what is taken: UTC, as in the API, in logs and in what destinations get. A printed
 * time can be given back to `--since` and `--until` as it stands.
 */

/** To the second: `2026-11-23T10:00:00Z`. */
export const shortTime = (iso: string): string => {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : `${time.toISOString().slice(0, 19)}Z`;
};

const AGES = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** In the largest unit of which there are two, or just one: `26 minutes`, `36 hours`. */
export const ageOf = (ms: number): string => {
  const left = Math.max(ms, 0);
  const [unit, size] = AGES.find(([, size]) => left >= 2 * size || left === size) ?? ['second', 1_000];
  const count = Math.floor(left / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
};

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

const AGE = /^(\d+(?:\.\d+)?)(ms|s|m|min|h|d)$/;
const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/i;

/** Reads an age (`15m`, `72h`, `7d`) or a date (`2026-11-23`, `2026-11-23T10:00:00Z`); without a zone it is UTC. */
const parseTime = (text: string, option: string, now = Date.now()): Date => {
  const [, length, unit = ''] = AGE.exec(text) ?? [];
  const time = length === undefined ? readDate(text) : new Date(now - Number(length) * (UNITS[unit] as number));
  if (time === undefined || Number.isNaN(time.getTime())) {
    throw usageError(
      `${option} takes an age such as 15m, 72h or 7d, or a date in UTC such as 2026-11-23 or 2026-11-23T10:00:00Z; ` +
        `got ${text}`,
    );
  }
  return time;
};

const readDate = (text: string): Date | undefined => {
  const [, day, clock, zone = 'Z'] = DATE.exec(text) ?? [];
  if (day === undefined) return undefined;
  // `Date` takes 31 February for 3 March.
  const midnight = new Date(day);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day)) return undefined;
  return clock === undefined ? midnight : new Date(`${day}T${clock}${zone.toUpperCase()}`);
};

/** From a time on, and before a time, as they were typed. */
export interface Span {
  since?: string | undefined;
  until?: string | undefined;
}

/** The span as the API takes it. */
export const spanOf = ({ since, until }: Span): { since?: string; until?: string } => ({
  ...(since !== undefined && { since: parseTime(since, '--since').toISOString() }),
  ...(until !== undefined && { until: parseTime(until, '--until').toISOString() }),
});
