import { z } from 'zod';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:00');

const isZone = (timeZone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
};

/** When a channel is told nothing that can wait, by the clock on the wall of its time zone. */
export const quietHours = z
  .strictObject({
    from: clockTime.describe('`22:00`'),
    to: clockTime.describe('`07:00`; before `from`: on the next day'),
    days: z
      .array(z.enum(DAYS))
      .min(1)
      .default([...DAYS])
      .describe('The days on which it begins'),
    timeZone: z
      .string()
      .refine(isZone, { error: 'must be a time zone such as Africa/Johannesburg or UTC' })
      .describe('A name such as `Africa/Johannesburg`'),
    critical: z.boolean().default(false).describe('Whether to hold back what is critical too'),
  })
  .check(({ value: { from, to }, issues }) => {
    if (from !== to) return;
    const message = 'must not be the time of `from`: that is no time at all, or all day';
    issues.push({ code: 'custom', message, input: undefined, path: ['to'] });
  });

export type QuietHours = z.output<typeof quietHours>;

/** Making one takes longer than asking it. */
const formats = new Map<string, Intl.DateTimeFormat>();

const formatOf = (timeZone: string): Intl.DateTimeFormat => {
  const made =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit' });
  formats.set(timeZone, made);
  return made;
};

/** Goes by the clock on the wall, so that 07:00 is 07:00 in summer and in winter. An hour that comes twice counts twice. */
export const isQuiet = (quiet: Pick<QuietHours, 'from' | 'to' | 'days' | 'timeZone'>, nowMs: number): boolean => {
  const parts = formatOf(quiet.timeZone).formatToParts(nowMs);
  const partOf = (wanted: string): string => parts.find(({ type }) => type === wanted)?.value ?? '';
  const time = `${partOf('hour')}:${partOf('minute')}`;
  const today = DAYS.indexOf(partOf('weekday').toLowerCase() as (typeof DAYS)[number]);
  const beginsOn = (day: number): boolean => quiet.days.includes(DAYS[(day + 7) % 7] as (typeof DAYS)[number]);
  const { from, to } = quiet;
  if (from < to) return time >= from && time < to && beginsOn(today);
  return (time >= from && beginsOn(today)) || (time < to && beginsOn(today - 1));
};
