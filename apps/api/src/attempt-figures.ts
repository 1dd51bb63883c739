import { attemptMs, type HourFigures, sumHours } from '@clickrelay/queue';
import { z } from 'zod';

/* How attempts went, in one hour or in several together. */

export const hourFigures = {
  delivered: z.int().describe('Attempts that succeeded'),
  failed: z.int().describe('Attempts that failed'),
  firstTry: z.int().describe('Deliveries whose first attempt succeeded; replays do not count'),
  deadLetters: z.int().describe('How many of `failed` were the last one: the delivery became a dead letter'),
  p50Ms: z.int().nullable().describe('Approximate median of the time an attempt took; null without attempts'),
  p95Ms: z
    .int()
    .nullable()
    .describe(
      'Approximate 95th percentile of the time an attempt took; null without attempts. For `pull`, how long ' +
        'leases were held',
    ),
};

export const attemptFigures = z
  .object({
    ...hourFigures,
    deliveredShare: z.number().nullable().describe('Share of attempts that succeeded, 0 to 1; null without attempts'),
    firstTryShare: z
      .number()
      .nullable()
      .describe('Share of successful attempts that were the first, 0 to 1; null without any'),
  })
  .meta({ id: 'AttemptFigures' });

export const figuresOf = (figures: HourFigures) => {
  const { delivered, failed, firstTry, deadLetters } = figures;
  return {
    delivered,
    failed,
    firstTry,
    deadLetters,
    p50Ms: attemptMs(figures, 0.5),
    p95Ms: attemptMs(figures, 0.95),
  };
};

export const attemptFiguresOf = (hours: readonly HourFigures[]) => {
  const figures = figuresOf(sumHours(hours));
  const { delivered, failed, firstTry } = figures;
  return {
    ...figures,
    deliveredShare: share(delivered, delivered + failed),
    firstTryShare: share(firstTry, delivered),
  };
};

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
