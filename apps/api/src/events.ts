import { EVENT_ID } from '@clickrelay/core';
import { followEvents, listDeliveries, listEvents, readEvent } from '@clickrelay/queue';
import { z } from 'zod';
import { maskDelivery, maskEvent } from './mask.ts';
import { notFound, operation, pageOf, pageQuery } from './operation.ts';
import { delivery, event } from './schemas.ts';

const typeList = z.string().transform((text) =>
  text
    .split(',')
    .map((type) => type.trim())
    .filter((type) => type !== ''),
);

export const eventOperations = [
  operation({
    method: 'get',
    path: '/v1/events',
    summary: 'List events, newest first; or, with `order=asc`, follow them as they come in',
    scopes: ['read'],
    query: pageQuery.extend({
      order: z.enum(['desc', 'asc']).default('desc'),
      type: typeList.optional().describe('Event types, with commas between them'),
      since: z.iso.datetime({ offset: true }).optional().describe('Logged at or after this time'),
      until: z.iso.datetime({ offset: true }).optional().describe('Logged before this time; with `order=desc` only'),
      after: z
        .string()
        .max(200)
        .optional()
        .describe('With `order=asc`: `next` of the page before. Without it, and without `since`, the list begins now'),
    }),
    response: pageOf(event),
    mask: ({ items, next }) => ({ items: items.map(maskEvent), next }),
    run: async ({ query }, { store }) => {
      const { limit, order, cursor, after, type: types } = query;
      const since = query.since === undefined ? undefined : new Date(query.since);
      const until = query.until === undefined ? undefined : new Date(query.until);
      const { items, next } =
        order === 'asc'
          ? await followEvents(store, { limit, after: after ?? cursor, types, since })
          : await listEvents(store, { limit, cursor, types, since, until });
      return { items: items.map((logged) => logged.event), next };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/events/{id}',
    summary: 'Read one event, where it went and every attempt',
    scopes: ['read'],
    params: z.object({ id: z.string() }),
    response: event.extend({ deliveries: z.array(delivery) }).meta({ id: 'EventWithDeliveries' }),
    mask: ({ deliveries, ...found }) => ({ ...maskEvent(found), deliveries: deliveries.map(maskDelivery) }),
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }) => {
      const logged = EVENT_ID.test(id) ? await readEvent(store, id) : undefined;
      if (logged === undefined) throw notFound('event', id);
      return { ...logged.event, deliveries: await listDeliveries(store, id) };
    },
  }),
];
