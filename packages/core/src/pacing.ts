import { z } from 'zod';
import { HOUR_MS, MINUTE_MS, parseRetrySchedule, RETRY_SCHEDULE_RULE } from './duration.ts';

/** At most `max` deliveries within `spanMs`. */
export interface Rate {
  readonly max: number;
  readonly spanMs: number;
}

const SPANS: Readonly<Record<string, number>> = { s: 1_000, m: MINUTE_MS, h: HOUR_MS };
const RATE = /^([1-9]\d{0,6})\/(s|m|h)$/;

/** Checking the clock more often than this is not worth it. */
const SHORTEST_SPAN_MS = 100;

/**
 * Reads `50/s` as a limit over the shortest span it divides into, so that a whole second's worth is not sent in the
 * first millisecond. Returns undefined when the text is not a rate.
 */
export const parseRate = (text: string): Rate | undefined => {
  const match = RATE.exec(text);
  if (match === null) return undefined;
  const [max, spanMs] = [Number(match[1]), SPANS[match[2] as string] as number];
  const parts = Math.max(1, Math.min(max, Math.floor(spanMs / SHORTEST_SPAN_MS)));
  // Rounded down, so that the parts together never allow more than the whole.
  const share = Math.floor(max / parts);
  return { max: share, spanMs: Math.ceil((spanMs * share) / max) };
};

/** Settings of every destination for how fast and in which order it gets its deliveries. */
export const pacing = {
  rate: z
    .string()
    .regex(RATE, 'rate must be a number per s, m or h, such as 50/s or 600/m')
    .optional()
    .describe('At most so many attempts in a time, over all workers: `50/s`, `600/m`. Default: no limit.'),
  ordering: z
    .enum(['none', 'conversation'])
    .optional()
    .describe(
      '`conversation`: events of one pair of `from` and `to` one after the other, in the order they came; other pairs do not wait for them. Default: `none`.',
    ),
  retrySchedule: z
    .string()
    .refine((text) => parseRetrySchedule(text) !== undefined, {
      error: `retrySchedule ${RETRY_SCHEDULE_RULE}`,
    })
    .optional()
    .describe(
      'The longest wait before each attempt: `0s,5s,2m`; up to 100 of them, of 30 days at most. Default: RETRY_SCHEDULE of the worker.',
    ),
};

export type Pacing = z.output<z.ZodObject<typeof pacing>>;

const stored = z
  .object({
    rate: pacing.rate.catch(undefined),
    ordering: pacing.ordering.catch(undefined),
    retrySchedule: pacing.retrySchedule.catch(undefined),
  })
  .catch({ rate: undefined, ordering: undefined, retrySchedule: undefined });

/** Reads what is stored of a destination: a setting that is none any more counts as not given, and spoils no other. */
export const readPacing = (config: unknown): Pacing => stored.parse(config);
