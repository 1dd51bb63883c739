import { DESTINATION_ID } from '@clickrelay/core';
import { listDeliveriesByArrival, listUndelivered, readDelivery, replayDelivery } from '@clickrelay/queue';
import { z } from 'zod';
import { assertDestination } from './assert-destination.ts';
import { notFound, RequestRefusedError } from './errors.ts';
import { maskDelivery, maskListedDelivery } from './mask.ts';
import { datesOf, operation, pageOf, pageQuery, spanQuery } from './operation.ts';
import { delivery, listedDelivery } from './schemas.ts';

const params = z.object({ id: z.string().describe('`dlv_…`') });

export const deliveryOperations = [
  operation({
    method: 'get',
    path: '/v1/deliveries',
    summary: 'List deliveries by state, destination, cause and arrival',
    description:
      'Those of the newest event first; with `order=next`, what a destination is still to get, in the order of the ' +
      'next attempts. Where few of many match, a page may be short or empty and have a `next`: go on with it.',
    scopes: ['read'],
    query: pageQuery
      .extend({
        order: z.enum(['desc', 'next']).default('desc').describe('`next` takes a `destination` and nothing else'),
        state: z.enum(['pending', 'delivered', 'dead_letter']).optional(),
        destination: z.string().regex(DESTINATION_ID).optional().describe('Only those of this destination'),
        error: z
          .string()
          .regex(/^[a-z0-9_]{1,64}$/)
          .optional()
          .describe('Only those whose last attempt ended with this code'),
        ...spanQuery('Of events logged'),
      })
      .check(({ value, issues }) => {
        if (value.order !== 'next') return;
        for (const name of ['state', 'error', 'since', 'until'] as const) {
          const message = 'must be left out with `order=next`, which lists all that is pending';
          if (value[name] !== undefined) issues.push({ code: 'custom', path: [name], message, input: value });
        }
        const message = 'must be given with `order=next`';
        if (value.destination === undefined)
          issues.push({ code: 'custom', path: ['destination'], message, input: value });
      }),
    response: pageOf(listedDelivery),
    mask: ({ items, next }) => ({ items: items.map(maskListedDelivery), next }),
    errors: { 404: 'not_found' },
    run: async ({ query: { destination, order, state, error, since, until, ...page } }, { store }, { signal }) => {
      await assertDestination(store, destination);
      if (order === 'next') {
        return listUndelivered(store, { destinationId: destination ?? '', ...page });
      }
      const span = datesOf({ since, until });
      const wanted = { state, destinationId: destination, errorCode: error };
      return listDeliveriesByArrival(store, { ...page, ...span, ...wanted, signal });
    },
  }),
  operation({
    method: 'get',
    path: '/v1/deliveries/{id}',
    summary: 'Read one delivery with its attempts',
    scopes: ['read'],
    params,
    response: delivery,
    mask: maskDelivery,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }) => {
      const found = await readDelivery(store, id);
      if (found === undefined) throw notFound('delivery', id);
      return found;
    },
  }),
  operation({
    method: 'post',
    path: '/v1/deliveries/{id}/replay',
    summary: 'Replay one delivery',
    description: 'Dead or delivered: from the first attempt on, with the same event id.',
    scopes: ['replay'],
    params,
    status: 202,
    response: delivery,
    mask: maskDelivery,
    errors: { 404: 'not_found', 409: 'already_pending' },
    run: async ({ params: { id } }, { store }, { audit }) => {
      const replayed = await replayDelivery(store, id);
      const found = await readDelivery(store, id);
      if (replayed === 'not_found' || found === undefined) throw notFound('delivery', id);
      if (replayed === 'already_pending') {
        throw new RequestRefusedError(
          409,
          'already_pending',
          `${id} is still being delivered; there is nothing to replay yet`,
        );
      }
      await audit('delivery.replayed', id);
      return found;
    },
  }),
];
