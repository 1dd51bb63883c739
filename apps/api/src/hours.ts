import { listDestinations, readHours, sumHours } from '@clickrelay/queue';
import { z } from 'zod';
import { figuresOf, hourFigures } from './attempt-figures.ts';
import { operation } from './operation.ts';

const hours = z
  .array(z.object({ at: z.string().describe('When the hour begins'), ...hourFigures }))
  .describe('Oldest first, the current one last; hours without attempts are there, with zeros');

export const hourOperations = [
  operation({
    method: 'get',
    path: '/v1/hours',
    summary: 'Show attempts of all destinations by hour',
    description: 'How they went in each of the last hours: all together, and for each destination.',
    scopes: ['read'],
    query: z.object({
      hours: z.coerce.number().int().min(1).max(168).default(24).describe('How many hours, the current one included'),
    }),
    response: z
      .object({ items: hours, destinations: z.array(z.object({ id: z.string(), items: hours })) })
      .meta({ id: 'Hours' }),
    run: async ({ query: { hours: count } }, { store }) => {
      const ids = (await listDestinations(store)).map(({ id }) => id);
      const byId = await readHours(store, ids, count, Date.now());
      const all = [...byId.values()];
      const items = (all[0] ?? []).map(({ at }, index) => {
        const same = all.flatMap((one) => one[index] ?? []);
        return { at, ...figuresOf(sumHours(same)) };
      });
      const destinations = [...byId].map(([id, own]) => ({
        id,
        items: own.map((hour) => ({ at: hour.at, ...figuresOf(hour) })),
      }));
      return { items, destinations };
    },
  }),
];
