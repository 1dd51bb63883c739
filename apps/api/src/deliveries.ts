import { readDelivery, replayDelivery } from '@clickrelay/queue';
import { z } from 'zod';
import { maskDelivery } from './mask.ts';
import { notFound, operation, RefusalError } from './operation.ts';
import { delivery } from './schemas.ts';

const params = z.object({ id: z.string().describe('`dlv_…`') });

export const deliveryOperations = [
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
    summary: 'Send a delivery again, dead or delivered: from the first attempt on, with the same event id',
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
        throw new RefusalError(
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
