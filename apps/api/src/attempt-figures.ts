import { type HourFigures, p95Ms, sumHours } from '@clickrelay/queue';
import { z } from 'zod';

/* How attempts went, as it is shown: of one hour, or of several together. */

export const hourFigures = {
  delivered: z.int().describe('Attempts that delivered'),
  failed: z.int().describe('Attempts that did not'),
  firstTry: z.int().describe('Deliveries whose first attempt delivered; of replays none is'),
  p95Ms: z
    .int()
    .nullable()
    .describe(
      '95 of 100 attempts took no longer, about; null when there was none. Of `pull`, how long leases were held',
    ),
};

export const attemptFigures = z
  .object({
    ...hourFigures,
    deliveredShare: z.number().nullable().describe('Of all attempts, 0 to 1; null when there was none'),
    firstTryShare: z
      .number()
      .nullable()
      .describe('Of the attempts that delivered, those that were the first, 0 to 1; null when there was none'),
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
