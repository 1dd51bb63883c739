import { DAY_MS, DESTINATION_ID, toIso } from '@clickrelay/core';
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
import { datesOf, operation } from './operation.ts';
import { refusals } from './refusal-counts.ts';

const count = z.int();
const time = z.iso.datetime({ offset: true });

const destinationLedger = z
  .object({
    id: z.string(),
    accepted: count.describe('Events routed to it: the sum of the other columns without `retrying`'),
    delivered: count,
    pending: count.describe('Waiting, active, or waiting for another attempt'),
    retrying: count.describe('How many of `pending` and `parked` have failed before'),
    parked: count.describe(
      'Kept and not tried: the destination is paused by hand, answered 410, or its circuit is open and only ' +
        'probes are sent',
    ),
    dead: count.describe('Dead letters'),
    removed: count.describe('Given up: the dead letter or the destination was removed'),
    unaccounted: count.describe('Deliveries that nothing will ever send. Anything but 0 is an alarm'),
    differing: z
      .array(
        z.object({
          deliveryId: z.string(),
          eventId: z.string(),
          problem: z
            .enum(['never_queued', 'no_job', 'no_dead_letter'])
            .describe('Routed without a known delivery; pending without a job; or dead but not among the dead letters'),
        }),
      )
      .describe('Some of the unaccounted deliveries; each can be replayed'),
  })
  .meta({ id: 'DestinationLedger' });

const counts = z
  .object({
    callbacks: count.describe('Callbacks that were accepted and read'),
    events: count.describe('New events'),
    repeats: count.describe('Repeats: elements that Clickatell had sent before, and that were dropped'),
  })
  .meta({ id: 'IntakeCounts' });

/** The intake counts of each lane. */
const lanes = { messages: counts, statuses: counts };

export const ledgerOperations = [
  operation({
    method: 'get',
    path: '/v1/ledger',
    summary: 'Account for every event',
    description:
      'For each that was routed to a destination: what became of it, and whether anything is unaccounted for.',
    scopes: ['read'],
    query: z.object({
      since: time.optional().describe('Logged at or after this time. Default: the beginning of the log'),
      until: time.optional().describe('Logged before this time; at most now. Default: now'),
      destination: z.string().regex(DESTINATION_ID).optional().describe('Only this destination'),
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(100_000)
        .default(100_000)
        .describe('About how many events one answer covers; it also ends after about 2 seconds'),
      cursor: z.string().max(200).optional().describe('`next` of the previous part, with the same query'),
    }),
    response: z
      .object({
        from: z.string().nullable(),
        to: z.string(),
        balanced: z.boolean().describe('Whether nothing is unaccounted for'),
        events: count.describe('Events that this answer covers'),
        unrouted: count.describe('Events among them that no destination wanted'),
        completeSince: z
          .string()
          .nullable()
          .describe('Events before this time may have left the log, because no delivery needed them any more'),
        destinations: z.array(destinationLedger),
        upstream: z
          .object({
            messages: count.describe('Groups of callbacks with messages that are not split or not fully routed'),
            statuses: count.describe('The same for statuses'),
            quarantined: count.describe('Callbacks that could not be used'),
          })
          .describe(
            'Accepted callbacks that are in no column at this moment. The spool of a receiver is not counted: ' +
              'that receiver reports it',
          ),
        intake: z
          .object({
            from: z.string(),
            to: z.string(),
            ...lanes,
          })
          .describe(
            'What came in, for all destinations: counted with the events, in whole minutes of the last 25 hours ' +
              'or whole hours of the last 32 days; `from` and `to` say which',
          ),
        progress: z.number().describe('Share of the log covered so far, 0 to 1'),
        next: z.string().nullable().describe('`cursor` of the next part, whose numbers add to these; null at the end'),
      })
      .meta({ id: 'Ledger' }),
    run: async ({ query: { since, until, destination, limit, cursor } }, { store }) => {
      const { since: from, until: to } = datesOf({ since, until });
      // Read before the events: a callback that moves on meanwhile is counted twice, rather than not at all.
      const [{ ingest }, quarantined] = await Promise.all([queueDepths(store), countQuarantined(store)]);
      const part = await readLedgerPart(store, {
        from,
        to,
        destinationId: destination,
        maxEvents: limit,
        cursor,
      });
      const {
        from: countedFrom,
        to: countedTo,
        spans,
      } = await readIntake(store, { from, to: new Date(part.to) }, Date.now());
      const intake = { from: countedFrom, to: countedTo, ...sumIntake({ spans }) };
      return { ...part, upstream: { ...ingest, quarantined }, intake };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/intake',
    summary: 'Show the intake counts',
    description: 'By minute or hour: callbacks, events, repeats, and what was refused.',
    scopes: ['read'],
    query: z.object({
      since: time.optional().describe('Default: 24 hours ago'),
      until: time.optional().describe('At most now. Default: now'),
      step: z.enum(['minute', 'hour']).optional().describe('Minutes are kept for 25 hours, hours for 32 days'),
    }),
    response: z
      .object({
        from: z.string(),
        to: z.string(),
        step: z.enum(['minute', 'hour']),
        items: z
          .array(z.object({ at: z.string().describe('When the minute or hour begins'), ...lanes, refused: refusals }))
          .describe('Oldest first; those in which nothing came in are left out'),
      })
      .meta({ id: 'Intake' }),
    run: async ({ query: { since, until, step } }, { store }) => {
      const nowMs = Date.now();
      const options = { from: new Date(since ?? nowMs - DAY_MS), to: datesOf({ until }).until, step };
      const { spans, ...span } = await readIntake(store, options, nowMs);
      const { from: first, to: end, step: by } = span;
      const refused = await readRefusals(store, { fromMs: Date.parse(first), toMs: Date.parse(end), step: by });
      const came = new Map(spans.map((one) => [Date.parse(one.at), one]));
      const items = [...new Set([...came.keys(), ...refused.keys()])]
        .sort((a, b) => a - b)
        .map((ms) => ({
          ...(came.get(ms) ?? { at: toIso(ms), ...sumIntake({ spans: [] }) }),
          refused: refused.get(ms) ?? sumRefusals([]),
        }));
      return { ...span, items };
    },
  }),
];
