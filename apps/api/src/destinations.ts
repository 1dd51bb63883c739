import { deliveryId, EVENT_ID } from '@clickrelay/core';
import {
  listDestinations,
  listHolds,
  pauseDestination,
  readDelivery,
  readDestination,
  readEvent,
  readFigures,
  readHours,
  removeDestination,
  resumeDestination,
  type Store,
} from '@clickrelay/queue';
import { openRoute } from '@clickrelay/routing';
import { z } from 'zod';
import { attemptFigures, attemptFiguresOf, figuresOf, hourFigures } from './attempt-figures.ts';
import { assertBoundTo, isBoundTo } from './authorize.ts';
import { assertPull, describe, describeNow, destination, destinationParams as params } from './destination.ts';
import { notFound, RequestRefusedError } from './errors.ts';
import { couldSearchBy, hiddenFieldsIn } from './filter-access.ts';
import { maskDelivery, maskRule } from './mask.ts';
import { operation, pageOf, pageQuery } from './operation.ts';
import { pageThrough } from './page.ts';
import { delivery } from './schemas.ts';

interface Lost {
  readonly pending: number;
  readonly deadLetters: number;
}

/** What is lost with a destination. */
const countLost = async (store: Store, id: string): Promise<Lost> => {
  const found = (await readFigures(store)).destinations.find((one) => one.id === id);
  if (found === undefined) return { pending: 0, deadLetters: 0 };
  const { waiting, delayed, active, deadLetters } = found;
  return { pending: waiting + delayed + active, deadLetters };
};

const tooManyLost = (id: string, { pending, deadLetters }: Lost): RequestRefusedError =>
  new RequestRefusedError(
    409,
    'unexpected_count',
    `${pending} pending deliveries and ${deadLetters} dead letters would be lost with ${id}; ` +
      `if you mean that, say so with \`expected=${pending + deadLetters}\`; nothing was removed`,
  );

export const destinationOperations = [
  operation({
    method: 'get',
    path: '/v1/destinations',
    summary: 'List destinations',
    description: 'Ordered by id.',
    scopes: ['read', 'lease'],
    query: pageQuery,
    response: pageOf(destination),
    run: async ({ query }, resources, { caller, scope }) => {
      const [all, holds] = await Promise.all([
        listDestinations(resources.store),
        listHolds(resources.store, resources.store.clock.now()),
      ]);
      const shown = scope === 'lease' ? all.filter(({ id, type }) => type === 'pull' && isBoundTo(caller, id)) : all;
      const { items, next } = pageThrough(shown, ({ id }) => id, query);
      return { items: items.map((one) => describe(resources, one, { hold: holds.get(one.id) })), next };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/destinations/{id}',
    summary: 'Read one destination',
    scopes: ['read', 'lease'],
    params,
    response: destination,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, resources, { caller, scope }) => {
      if (scope === 'lease') assertBoundTo(caller, id);
      const found = await describeNow(resources, id);
      if (scope === 'lease') assertPull(id, found.type);
      return found;
    },
  }),
  operation({
    method: 'get',
    path: '/v1/destinations/{id}/match',
    summary: 'Explain why an event goes there, or not',
    description: 'Every rule of the destination, as it is now.',
    scopes: ['read'],
    params,
    query: z.object({ event: z.string().regex(EVENT_ID, 'must be an event id, evt_…') }),
    response: z.object({
      wanted: z.boolean(),
      rules: z.array(
        z.object({
          rule: z.enum(['events', 'channels', 'classes', 'filter']),
          passed: z.boolean(),
          detail: z.string(),
        }),
      ),
      delivery: delivery
        .nullable()
        .describe('The delivery of this event to this destination; null when there never was one'),
    }),
    mask: ({ wanted, rules, delivery: became }) => ({
      wanted,
      rules: rules.map(maskRule),
      delivery: became === null ? null : maskDelivery(became),
    }),
    errors: { 404: 'not_found' },
    run: async ({ params: { id }, query: { event: eventId } }, { store }, { caller }) => {
      const [found, logged, present] = await Promise.all([
        readDestination(store, id),
        readEvent(store, eventId),
        readDelivery(store, deliveryId(eventId, id)),
      ]);
      if (found === undefined) throw notFound('destination', id);
      if (logged === undefined) throw notFound('event', eventId);
      if (couldSearchBy(caller, found.filter)) {
        const fields = hiddenFieldsIn(found.filter ?? '').join(', ');
        throw new RequestRefusedError(
          403,
          'forbidden_scope',
          `the filter of ${id} reads personal data (${fields}), and this key may change it: to ask for what it matches, the key needs the scope reveal`,
        );
      }
      const rules = openRoute(found).explain(logged.event);
      return { wanted: rules.every(({ passed }) => passed), rules, delivery: present ?? null };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/destinations/{id}/hours',
    summary: 'Show attempts by hour',
    description: 'How they went in each of the last hours, the current one last.',
    scopes: ['read', 'lease'],
    params,
    query: z.object({
      hours: z.coerce.number().int().min(1).max(168).default(24).describe('How many hours, the current one included'),
    }),
    response: z.object({
      items: z
        .array(z.object({ at: z.string().describe('When the hour begins'), ...hourFigures }))
        .describe('Oldest first; hours without attempts are there, with zeros'),
      sum: attemptFigures.describe('All these hours together'),
    }),
    errors: { 404: 'not_found' },
    run: async ({ params: { id }, query: { hours: count } }, { store }, { caller, scope }) => {
      if (scope === 'lease') assertBoundTo(caller, id);
      const found = await readDestination(store, id);
      if (found === undefined) throw notFound('destination', id);
      if (scope === 'lease') assertPull(id, found.type);
      const hours = (await readHours(store, [id], count, Date.now())).get(id) ?? [];
      return {
        items: hours.map((hour) => ({ at: hour.at, ...figuresOf(hour) })),
        sum: attemptFiguresOf(hours),
      };
    },
  }),
  operation({
    method: 'delete',
    path: '/v1/destinations/{id}',
    summary: 'Remove a destination',
    description: 'With its waiting deliveries and its dead letters; events stay in the log.',
    scopes: ['admin'],
    params,
    query: z.object({
      expected: z.coerce
        .number()
        .int()
        .min(0)
        .default(0)
        .describe('How many deliveries and dead letters may be lost with it; when there are more: 409 with the counts'),
    }),
    status: 204,
    errors: { 404: 'not_found', 409: 'unexpected_count' },
    run: async ({ params: { id }, query: { expected } }, { store, metrics }, { audit }) => {
      const lost = await countLost(store, id);
      if (lost.pending + lost.deadLetters > expected) throw tooManyLost(id, lost);
      if (!(await removeDestination(store, id))) throw notFound('destination', id);
      metrics.forget(id);
      await audit('destination.removed', id, { ...lost });
    },
  }),
  operation({
    method: 'post',
    path: '/v1/destinations/{id}/pause',
    summary: 'Pause a destination',
    description: 'New deliveries wait until it is resumed.',
    scopes: ['admin'],
    params,
    body: z
      .object({ reason: z.string().min(1).max(200).default('paused by an operator') })
      .default({ reason: 'paused by an operator' }),
    response: destination,
    errors: { 404: 'not_found' },
    run: async ({ params: { id }, body: { reason } }, resources, { audit }) => {
      if (!(await pauseDestination(resources.store, id, reason))) throw notFound('destination', id);
      await audit('destination.paused', id, { reason });
      return describeNow(resources, id);
    },
  }),
  operation({
    method: 'post',
    path: '/v1/destinations/{id}/resume',
    summary: 'Resume a destination',
    description: 'Deliveries that have waited go first.',
    scopes: ['admin'],
    params,
    response: destination,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, resources, { audit }) => {
      if (!(await resumeDestination(resources.store, id))) throw notFound('destination', id);
      await audit('destination.resumed', id);
      return describeNow(resources, id);
    },
  }),
];
