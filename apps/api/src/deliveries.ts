import { DESTINATION_ID } from '@clickrelay/core';
import { listUndelivered, readDelivery, readDestination, replayDelivery } from '@clickrelay/queue';
import { z } from 'zod';
import { notFound, RequestRefusedError } from './errors.ts';
import { maskDelivery } from './mask.ts';
import { operation, pageOf, pageQuery } from './operation.ts';
import { delivery } from './schemas.ts';

const params = z.object({ id: z.string().describe('`dlv_…`') });

export const deliveryOperations = [
  operation({
    method: 'get',
    path: '/v1/deliveries',
    summary: 'List the pending deliveries of a destination',
    description: 'In the order of their next attempts, with the attempts so far.',
    scopes: ['read'],
    query: pageQuery.extend({ destination: z.string().regex(DESTINATION_ID) }),
    response: pageOf(delivery),
    mask: ({ items, next }) => ({ items: items.map(maskDelivery), next }),
    errors: { 404: 'not_found' },
    run: async ({ query: { destination, ...page } }, { store }) => {
      if ((await readDestination(store, destination)) === undefined) throw notFound('destination', destination);
      return listUndelivered(store, { destinationId: destination, ...page });
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
