import { signal } from '@preact/signals';

/* One clock for every page: local time with its offset shown once, or UTC. */

export const inUtc = signal(false);

/** Ticks once a second while the page is seen, for "26 minutes ago". */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1_000);

const two = (value: number): string => String(value).padStart(2, '0');

/** `UTC+02:00` */
export const zoneName = (date = new Date()): string => {
  const minutes = inUtc.value ? 0 : -date.getTimezoneOffset();
  const sign = minutes < 0 ? '-' : '+';
  return minutes === 0 ? 'UTC' : `UTC${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
};

const partsOf = (iso: string | number) => {
  const date = new Date(iso);
  const shifted = new Date(date.getTime() - (inUtc.value ? 0 : date.getTimezoneOffset()) * 60_000);
  const [day = '', clock = ''] = shifted.toISOString().slice(0, -1).split('T');
  return { day, clock };
};

/** `14:08:31.204`; with the day in front when it is not today. */
export const clockTime = (iso: string | number, { millis = true } = {}): string => {
  const { day, clock } = partsOf(iso);
  const time = millis ? clock : clock.slice(0, 8);
  return day === partsOf(now.value).day ? time : `${day} ${time}`;
};

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** In words, with two units at most: `3 ms`, `1.2 s`, `2 min 40 s`, `6 h 32 min`. */
export const duration = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  const at = UNITS.findIndex(([unit]) => ms >= unit);
  const [big, bigName] = UNITS[at] as (typeof UNITS)[number];
  const whole = Math.floor(ms / big);
  const small = UNITS[at + 1];
  if (small === undefined) return `${whole} ${bigName}`;
  const rest = Math.floor((ms % big) / small[0]);
  return rest === 0 || whole >= 10 ? `${whole} ${bigName}` : `${whole} ${bigName} ${rest} ${small[1]}`;
};

/** `26 min ago` */
export const ago = (iso: string | number): string => {
  const ms = now.value - new Date(iso).getTime();
  return ms < 1_500 ? 'just now' : `${duration(Math.floor(ms / 1_000) * 1_000)} ago`;
};
