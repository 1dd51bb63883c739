import { DESTINATION_ID } from '@clickrelay/core';
import { type DeadLetter, listDeadLetters } from '@clickrelay/queue';
import { z } from 'zod';
import { assertDestination } from './assert-destination.ts';
import { maskError, maskWordOrNull } from './mask.ts';
import { operation } from './operation.ts';
import { deadLetterKind } from './schemas.ts';

/** One answer counts about this many dead letters, for about this long. */
const MOST_COUNTED = 5_000;
const LONGEST_MS = 2_000;
const READ_AT_ONCE = 250;

const group = z
  .object({
    destinationId: z.string(),
    kind: deadLetterKind,
    errorCode: z.string().nullable(),
    error: z.string().describe('The error of the newest; the others differ from it in numbers only'),
    count: z.int(),
    newest: z.string(),
    oldest: z.string(),
    sample: z.string().describe('The delivery id of the newest dead letter'),
  })
  .meta({ id: 'DeadLetterGroup' });

type Group = z.input<typeof group>;

/** Numbers differ from one attempt to the next: they do not make another cause. */
const causeOf = ({ destinationId, kind, errorCode, error }: DeadLetter): string =>
  JSON.stringify([destinationId, kind, errorCode, error.replaceAll(/\d+/g, '0')]);

export const deadLetterGroupOperations = [
  operation({
    method: 'get',
    path: '/v1/dead-letters/groups',
    summary: 'Count dead letters by destination and cause',
    description: 'Largest group first.',
    scopes: ['read'],
    query: z.object({
      destination: z.string().regex(DESTINATION_ID).optional().describe('Only those of this destination'),
      cursor: z.string().max(200).optional().describe('`next` of the previous part'),
    }),
    response: z.object({
      groups: z.array(group),
      counted: z.int(),
      next: z.string().nullable().describe('`cursor` of the next part, whose groups add to these; null at the end'),
    }),
    mask: ({ groups, counted, next }) => ({
      groups: groups.map(({ error, errorCode, ...rest }) => ({
        ...rest,
        errorCode: maskWordOrNull(errorCode),
        error: maskError(errorCode, error),
      })),
      counted,
      next,
    }),
    errors: { 404: 'not_found' },
    run: async ({ query: { destination, cursor } }, { store }) => {
      await assertDestination(store, destination);
      const groups = new Map<string, Group>();
      const deadline = performance.now() + LONGEST_MS;
      let counted = 0;
      let next: string | null | undefined = cursor;
      do {
        const page = await listDeadLetters(store, {
          limit: READ_AT_ONCE,
          cursor: next ?? undefined,
          destinationId: destination,
        });
        for (const letter of page.items) {
          const cause = causeOf(letter);
          const { destinationId, kind, errorCode, error, failedAt, deliveryId } = letter;
          const known = groups.get(cause);
          groups.set(cause, {
            ...(known ?? { destinationId, kind, errorCode, error, newest: failedAt, sample: deliveryId }),
            count: (known?.count ?? 0) + 1,
            oldest: failedAt,
          });
        }
        counted += page.items.length;
        next = page.next;
      } while (next !== null && counted < MOST_COUNTED && performance.now() < deadline);
      return { groups: [...groups.values()].sort((a, b) => b.count - a.count), counted, next };
    },
  }),
];
