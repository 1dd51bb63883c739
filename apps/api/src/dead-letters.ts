import { DESTINATION_ID } from '@clickrelay/core';
import { listDeadLetters, removeDeadLetter } from '@clickrelay/queue';
import { z } from 'zod';
import { maskDeadLetter } from './mask.ts';
import { notFound, operation, pageOf, pageQuery } from './operation.ts';
import { deadLetter, deadLetterKind } from './schemas.ts';

export const deadLetterOperations = [
  operation({
    method: 'get',
    path: '/v1/dead-letters',
    summary: 'List deliveries that ended without success, newest first',
    scopes: ['read'],
    query: pageQuery.extend({
      destination: z.string().regex(DESTINATION_ID).optional().describe('Of this destination only'),
      kind: deadLetterKind.optional(),
    }),
    response: pageOf(deadLetter),
    mask: ({ items, next }) => ({ items: items.map(maskDeadLetter), next }),
    run: ({ query: { destination, ...options } }, { store }) =>
      listDeadLetters(store, { ...options, destinationId: destination }),
  }),
  operation({
    method: 'delete',
    path: '/v1/dead-letters/{deliveryId}',
    summary: 'Give a dead letter up for good',
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
