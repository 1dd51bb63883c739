const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** Reads `72h` as milliseconds; returns undefined when the text is not a duration. */
export const parseDuration = (text: string): number | undefined => {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim());
  return match ? Number(match[1]) * (UNITS[match[2] as string] as number) : undefined;
};

/** The longest wait before each attempt, in ms. Its length is the number of attempts. */
export type RetrySchedule = readonly number[];

/** Reads `0s,5s,2m`; returns undefined when the text is not a list of durations. */
export const parseRetrySchedule = (text: string): RetrySchedule | undefined => {
  const schedule = text.split(',').map(parseDuration);
  return schedule.every((ms) => ms !== undefined) ? schedule : undefined;
};
