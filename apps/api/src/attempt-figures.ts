import { type HourFigures, p95Ms, sumHours } from '@clickrelay/queue';
import { z } from 'zod';

/* How attempts went, in one hour or in several together. */

export const hourFigures = {
  delivered: z.int().describe('Attempts that succeeded'),
  failed: z.int().describe('Attempts that failed'),
  firstTry: z.int().describe('Deliveries whose first attempt succeeded; replays do not count'),
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
  const { delivered, failed, firstTry } = figures;
  return { delivered, failed, firstTry, p95Ms: p95Ms(figures) };
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
