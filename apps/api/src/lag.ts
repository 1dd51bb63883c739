import { toIso } from '@clickrelay/core';
import { type LagRow, readLag } from '@clickrelay/queue';
import { z } from 'zod';
import { operation } from './operation.ts';

const count = z.int();

const lagRow = z
  .object({
    lane: z.enum(['messages', 'statuses']),
    channel: z.enum(['whatsapp', 'sms', 'other']),
    class: z
      .string()
      .nullable()
      .describe('Of statuses: `pending`, `delivered`, `failed`, `unknown`; null for messages'),
    events: count.describe('New events with a time that says something'),
    early: count.describe(
      'How many of `events` arrived more than a second before they occurred: the clocks differ. They count as no lag',
    ),
    unusable: count.describe('Others, whose time is missing, 0, in seconds or in the future'),
    medianMs: count.nullable().describe('Approximate; null without events'),
    p95Ms: count.nullable(),
    counts: z.array(count).describe('How many lie below each of `boundsSeconds`, then how many above'),
  })
  .meta({ id: 'LagRow' });

const laneLag = z.object({ events: count, medianMs: count.nullable(), p95Ms: count.nullable() });

const rowsOf = (rows: readonly LagRow[]) => rows.map(({ counts, ...row }) => ({ ...row, counts: [...counts] }));

export const lagOperations = [
  operation({
    method: 'get',
    path: '/v1/lag',
    summary: "Show Clickatell's own lag",
    description:
      'How long after it occurred, by its own `timestamp`, an event arrived here. READ is left out: its time is when a ' +
      'person looked.',
    scopes: ['read'],
    query: z.object({
      hours: z.coerce.number().int().min(1).max(168).default(24).describe('How many, the present one included'),
    }),
    response: z
      .object({
        from: z.string().describe('When the first hour begins'),
        boundsSeconds: z.array(z.number()),
        rows: z.array(lagRow).describe('All hours together, without those that are `ours`'),
        hours: z
          .array(
            z.object({
              at: z.string().describe('When the hour begins'),
              ours: z
                .boolean()
                .describe('Whether callbacks were refused here in it or in the hour before: some came late by that'),
              rows: z.array(lagRow),
              lanes: z
                .object({ messages: laneLag, statuses: laneLag })
                .describe('The rows of each lane together, whatever their channel and class'),
            }),
          )
          .describe('Oldest first, the present one last'),
      })
      .meta({ id: 'Lag' }),
    run: async ({ query: { hours: wanted } }, { store }) => {
      const { boundsSeconds, rows, hours } = await readLag(store, wanted, Date.now());
      return {
        from: toIso(hours[0]?.at ?? Date.now()),
        boundsSeconds: [...boundsSeconds],
        rows: rowsOf(rows),
        hours: hours.map((hour) => ({
          at: toIso(hour.at),
          ours: hour.isOurs,
          rows: rowsOf(hour.rows),
          lanes: hour.lanes,
        })),
      };
    },
  }),
];
