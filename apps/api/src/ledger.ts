import { DESTINATION_ID } from '@clickrelay/core';
import {
  countQuarantined,
  queueDepths,
  readIntake,
  readLedgerPart,
  readRefusals,
  sumIntake,
  sumRefusals,
} from '@clickrelay/queue';
import { z } from 'zod';
import { operation } from './operation.ts';
import { refusals } from './refusal-counts.ts';

const DAY_MS = 86_400_000;

const count = z.int();
const time = z.iso.datetime({ offset: true });

const destinationLedger = z
  .object({
    id: z.string(),
    accepted: count.describe('Events routed to it: the sum of all the columns, `retrying` apart'),
    delivered: count,
    pending: count.describe('Waiting, under way, or waiting for another attempt'),
    retrying: count.describe('Those of `pending` and `parked` that failed before'),
    parked: count.describe(
      'Kept and not tried: the destination is paused, or fails so often that only probes are sent',
    ),
    dead: count.describe('Dead letters'),
    removed: count.describe('Given up: a dead letter that was removed, or the destination was'),
    unaccounted: count.describe('Nobody will ever send these. Not 0 is an alarm'),
    differing: z
      .array(
        z.object({
          deliveryId: z.string(),
          eventId: z.string(),
          problem: z
            .enum(['never_queued', 'no_job', 'no_dead_letter'])
            .describe('Routed and no delivery known; pending without a job; dead and not among the dead letters'),
        }),
      )
      .describe('Some of those that are unaccounted for; each can be replayed'),
  })
  .meta({ id: 'DestinationLedger' });

const counts = z
  .object({
    callbacks: count.describe('Callbacks that were accepted and read'),
    events: count.describe('Events that were new'),
    repeats: count.describe('Elements that Clickatell had sent before: dropped'),
  })
  .meta({ id: 'IntakeCounts' });

/** Of each lane. */
const lanes = { messages: counts, statuses: counts };

export const ledgerOperations = [
  operation({
    method: 'get',
    path: '/v1/ledger',
    summary:
      'Tell what became of every event that was routed to a destination, and whether anything is unaccounted for',
    scopes: ['read'],
    query: z.object({
      from: time.optional().describe('Logged at or after this time; without it from the beginning of the log'),
      to: time.optional().describe('Logged before this time; without it, or later than now, until now'),
      destination: z.string().regex(DESTINATION_ID).optional().describe('Of this destination only'),
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(100_000)
        .default(100_000)
        .describe('About how many events one answer looks at; it also ends after about 2 seconds'),
      cursor: z.string().max(200).optional().describe('`next` of the part before, with the same query'),
    }),
    response: z
      .object({
        from: z.string().nullable(),
        to: z.string(),
        balanced: z.boolean().describe('Whether nothing is unaccounted for'),
        events: count.describe('Events looked at'),
        unrouted: count.describe('Those of them that no destination wanted'),
        completeSince: z
          .string()
          .nullable()
          .describe('Events before this time may have left the log, because they were owed to nobody'),
        destinations: z.array(destinationLedger),
        upstream: z
          .object({
            messages: count.describe(
              'Groups of callbacks with messages that are no events yet, or not routed to the end',
            ),
            statuses: count.describe('The same of statuses'),
            quarantined: count.describe('Callbacks that could not be read'),
          })
          .describe(
            'What was accepted and is in no column, now; what waits in the spool of a receiver, that one knows',
          ),
        intake: z
          .object({
            from: z.string(),
            to: z.string(),
            ...lanes,
          })
          .describe(
            'What came in, of all destinations: counted with the events, and so in whole minutes of the last 25 hours, or whole hours of the last 32 days: `from` and `to` say which',
          ),
        progress: z.number().describe('Share of the log that was walked, 0 to 1'),
        next: z
          .string()
          .nullable()
          .describe('`cursor` of the next part, whose numbers are to be added; null at the end'),
      })
      .meta({ id: 'Ledger' }),
    run: async ({ query: { from, to, destination, limit, cursor } }, { store }) => {
      // Before the events: what moves on meanwhile is then shown twice, and never not at all.
      const [{ ingest }, quarantined] = await Promise.all([queueDepths(store), countQuarantined(store)]);
      const part = await readLedgerPart(store, {
        from: from === undefined ? undefined : new Date(from),
        to: to === undefined ? undefined : new Date(to),
        destinationId: destination,
        maxEvents: limit,
        cursor,
      });
      const {
        from: countedFrom,
        to: countedTo,
        spans,
      } = await readIntake(
        store,
        { from: from === undefined ? undefined : new Date(from), to: new Date(part.to) },
        Date.now(),
      );
      const intake = { from: countedFrom, to: countedTo, ...sumIntake({ spans }) };
      return { ...part, upstream: { ...ingest, quarantined }, intake };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/intake',
    summary:
      'Count what came in, minute by minute or hour by hour: callbacks, events, repetitions, and what was refused',
    scopes: ['read'],
    query: z.object({
      from: time.optional().describe('Without it, 24 hours ago'),
      to: time.optional().describe('Without it, or later than now, until now'),
      step: z.enum(['minute', 'hour']).optional().describe('Minutes are known of the last 25 hours, hours of 32 days'),
    }),
    response: z
      .object({
        from: z.string(),
        to: z.string(),
        step: z.enum(['minute', 'hour']),
        items: z
          .array(z.object({ at: z.string().describe('When it begins'), ...lanes, refused: refusals }))
          .describe('Oldest first; those in which nothing came are left out'),
      })
      .meta({ id: 'Intake' }),
    run: async ({ query: { from, to, step } }, { store }) => {
      const nowMs = Date.now();
      const options = { from: new Date(from ?? nowMs - DAY_MS), to: to === undefined ? undefined : new Date(to), step };
      const { spans, ...span } = await readIntake(store, options, nowMs);
      const { from: first, to: end, step: by } = span;
      const refused = await readRefusals(store, { fromMs: Date.parse(first), toMs: Date.parse(end), step: by });
      const came = new Map(spans.map((one) => [Date.parse(one.at), one]));
      const items = [...new Set([...came.keys(), ...refused.keys()])]
        .sort((a, b) => a - b)
        .map((ms) => ({
          ...(came.get(ms) ?? { at: new Date(ms).toISOString(), ...sumIntake({ spans: [] }) }),
          refused: refused.get(ms) ?? sumRefusals([]),
        }));
      return { ...span, items };
    },
  }),
];
