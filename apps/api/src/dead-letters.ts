import { DESTINATION_ID } from '@clickrelay/core';
import { boundSelection, countSelected, listDeadLetters, removeDeadLetter, removeDeadLetters } from '@clickrelay/queue';
import { z } from 'zod';
import { assertDestination } from './assert-destination.ts';
import { notFound, RequestRefusedError } from './errors.ts';
import { allowFilter } from './filter-access.ts';
import { maskDeadLetter } from './mask.ts';
import { datesOf, operation, pageOf, pageQuery, spanQuery } from './operation.ts';
import { deadLetter, deadLetterKind } from './schemas.ts';
import { auditedSelection, checkSelection, describePlan, planned, selection, toSelection } from './selection.ts';

/** To remove more, a request must say how many it expects. */
const MOST_UNCOUNTED = 100;
/** How long one request may take; the next one continues. */
const REMOVING_MS = 15_000;

/** @throws {RequestRefusedError} 409 when the request does not expect this many */
const assertExpected = (matched: number | undefined, expected: number | undefined): number => {
  const refusal = (message: string) =>
    new RequestRefusedError(409, 'unexpected_count', `${message}; nothing was removed`);
  if (matched === undefined) throw refusal('too many dead letters match to be counted: choose fewer, by time or kind');
  if (expected === undefined && matched > MOST_UNCOUNTED) {
    throw refusal(`${matched} dead letters match, and more than ${MOST_UNCOUNTED} want that number as \`expected\``);
  }
  if (expected !== undefined && expected !== matched) {
    throw refusal(`${matched} dead letters match, and ${expected} were expected: look at them again with \`dryRun\``);
  }
  return matched;
};

export const deadLetterOperations = [
  operation({
    method: 'get',
    path: '/v1/dead-letters',
    summary: 'List dead letters',
    description:
      'Deliveries that ended without success, newest first. Where few of many are of a `kind`, a page may be short ' +
      'or empty and have a `next`: go on with it.',
    scopes: ['read'],
    query: pageQuery.extend({
      destination: z.string().regex(DESTINATION_ID).optional().describe('Only those of this destination'),
      kind: deadLetterKind.optional(),
      ...spanQuery('Failed'),
    }),
    response: pageOf(deadLetter),
    mask: ({ items, next }) => ({ items: items.map(maskDeadLetter), next }),
    errors: { 404: 'not_found' },
    run: async ({ query: { destination, since, until, ...options } }, { store }, { signal }) => {
      await assertDestination(store, destination);
      return listDeadLetters(store, { ...options, ...datesOf({ since, until }), destinationId: destination, signal });
    },
  }),
  operation({
    method: 'post',
    path: '/v1/dead-letters/remove',
    summary: 'Remove many dead letters',
    description: 'For good; with `dryRun`, only reports how many.',
    scopes: ['admin'],
    body: selection
      .extend({
        expected: z
          .int()
          .min(0)
          .exactOptional()
          .describe(
            'How many match, as the dry run reported; optional up to 100. When another number matches, nothing ' +
              'is removed',
          ),
        dryRun: z.boolean().default(false).describe('Report what would be removed, and remove nothing'),
      })
      .check(checkSelection),
    response: planned.extend({
      removed: z.int(),
      left: z
        .int()
        .nullable()
        .describe(
          'How many remain because time was up: `expected` of the next request. Null when they are not counted',
        ),
    }),
    errors: { 404: 'not_found', 409: 'unexpected_count' },
    deadlineMs: 30_000,
    run: async ({ body: { expected, dryRun, ...chosen } }, { store }, { caller, audit }) => {
      await allowFilter(chosen.filter, { operation: '/v1/dead-letters/remove', caller, audit });
      const wanted = boundSelection(await toSelection(store, chosen), Date.now());
      const counted = await countSelected(store, wanted, { takesGone: true });
      const plan = describePlan(counted, wanted);
      if (dryRun) return { ...plan, removed: 0, left: plan.matched };
      const matched = assertExpected(counted.matched, expected);
      let removed = 0;
      try {
        const seen = await removeDeadLetters(store, wanted, { maxMs: REMOVING_MS, onRemoved: () => removed++ });
        return { ...plan, removed, left: Math.max(matched - seen, 0) };
      } finally {
        // Recorded even when the request was cut off: the removed ones are gone.
        const detail = { ...auditedSelection(chosen), removed };
        if (removed > 0) await audit('dead_letters.removed', chosen.destination ?? '*', detail);
      }
    },
  }),
  operation({
    method: 'delete',
    path: '/v1/dead-letters/{deliveryId}',
    summary: 'Remove a dead letter',
    description: 'For good.',
    scopes: ['admin'],
    params: z.object({ deliveryId: z.string() }),
    status: 204,
    errors: { 404: 'not_found' },
    run: async ({ params: { deliveryId } }, { store }, { audit }) => {
      if (!(await removeDeadLetter(store, deliveryId))) throw notFound('dead letter', deliveryId);
      await audit('dead_letter.removed', deliveryId);
    },
  }),
];
