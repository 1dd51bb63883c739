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

const LONGEST_WAIT_DAYS = 30;
const MOST_ATTEMPTS = 100;

/** What a schedule must be, as errors say it behind the name of the setting. */
export const RETRY_SCHEDULE_RULE =
  `must be 1 to ${MOST_ATTEMPTS} durations of at most ${LONGEST_WAIT_DAYS}d, ` +
  'with commas between them, such as 0s,5s,2m';

/** Reads `0s,5s,2m`; returns undefined when the text is not such a list, or a longer one. */
export const parseRetrySchedule = (text: string): RetrySchedule | undefined => {
  const schedule = text.split(',', MOST_ATTEMPTS + 1).map(parseDuration);
  const isWithin = (ms: number | undefined) => ms !== undefined && ms <= LONGEST_WAIT_DAYS * DAY_MS;
  return schedule.length <= MOST_ATTEMPTS && schedule.every(isWithin) ? (schedule as number[]) : undefined;
};
