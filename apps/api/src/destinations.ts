import { DESTINATION_ID, deliveryId, EVENT_ID } from '@clickrelay/core';
import {
  applyDeclarations,
  complete,
  declaration,
  declarationBody,
  showSettings,
} from '@clickrelay/destination-settings';
import {
  type Destination,
  type Hold,
  listDestinations,
  listHolds,
  pauseDestination,
  putDestination,
  readDelivery,
  readDestination,
  readEvent,
  readHours,
  removeDestination,
  resumeDestination,
  type Store,
} from '@clickrelay/queue';
import { openRoute } from '@clickrelay/routing';
import { z } from 'zod';
import { attemptFigures, attemptFiguresOf, figuresOf, hourFigures } from './attempt-figures.ts';
import { assertBoundTo, isBoundTo } from './authorize.ts';
import { notFound, RequestRefusedError } from './errors.ts';
import { maskDelivery, maskRule } from './mask.ts';
import { operation, pageOf, pageQuery } from './operation.ts';
import { pageThrough } from './page.ts';
import { delivery } from './schemas.ts';

const params = z.object({ id: z.string().regex(DESTINATION_ID, 'must be lower-case letters, digits and `-`') });

const body = declarationBody.meta({ id: 'DestinationDeclaration' });

/** The adapter's own settings stand beside what all destinations have. */
const destination = z
  .looseObject({
    id: z.string(),
    type: z.string(),
    events: z.array(z.string()),
    channels: z.array(z.string()).exactOptional(),
    classes: z.array(z.string()).exactOptional(),
    filter: z.string().exactOptional(),
    paused: z.string().nullable().describe('Why nothing is sent at the moment; null when sending'),
    held: z
      .object({ reason: z.enum(['throttled', 'failing']), until: z.string() })
      .nullable()
      .describe('Nothing is sent until then: it asked for that, or failed too often in a row; null when sending'),
    secret: z.string().exactOptional().describe('Shown in the answer that made it; hidden otherwise'),
  })
  .meta({ id: 'Destination' });

/** @param generatedSecret Shown to whoever caused it to be made, and never again. */
const describe = (
  { config, ...common }: Destination,
  { hold, generatedSecret }: { hold?: Hold | undefined; generatedSecret?: string | undefined } = {},
) => {
  const held = hold === undefined ? null : { reason: hold.reason, until: new Date(hold.until).toISOString() };
  const shown = showSettings({ type: common.type, config });
  return { ...common, held, ...shown, ...(generatedSecret !== undefined && { secret: generatedSecret }) };
};

export const destinationOperations = [
  operation({
    method: 'get',
    path: '/v1/destinations',
    summary: 'List destinations, by id',
    scopes: ['read', 'lease'],
    query: pageQuery,
    response: pageOf(destination),
    run: async ({ query }, { store }, { caller, scope }) => {
      const [all, holds] = await Promise.all([listDestinations(store), listHolds(store, Date.now())]);
      const shown = scope === 'lease' ? all.filter(({ id, type }) => type === 'pull' && isBoundTo(caller, id)) : all;
      const { items, next } = pageThrough(shown, ({ id }) => id, query);
      return { items: items.map((one) => describe(one, { hold: holds.get(one.id) })), next };
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
    run: async ({ params: { id } }, { store }, { caller, scope }) => {
      if (scope === 'lease') assertBoundTo(caller, id);
      const found = await describeNow(store, id);
      if (scope === 'lease') assertPull(id, found.type);
      return found;
    },
  }),
  operation({
    method: 'put',
    path: '/v1/destinations/{id}',
    summary:
      'Add or replace a destination; secrets that are left out, or `(hidden)`, are kept; a signing secret that is missing is generated and shown',
    scopes: ['admin', 'lease'],
    params,
    body,
    response: destination,
    run: async ({ params: { id }, body }, { store }, { caller, scope, audit }) => {
      const present = await readDestination(store, id);
      if (scope === 'lease') {
        assertBoundTo(caller, id);
        assertPull(id, body.type);
        if (present !== undefined) assertPull(id, present.type);
      }
      const { destination: put, generatedSecret } = complete({ ...body, id }, present);
      await putDestination(store, put);
      await audit(present === undefined ? 'destination.added' : 'destination.changed', id, { type: put.type });
      return describe(put, { generatedSecret });
    },
  }),
  operation({
    method: 'post',
    path: '/v1/destinations/apply',
    summary: 'Make the registry hold what is declared; destinations that are not named stay as they are',
    scopes: ['admin'],
    body: z.strictObject({
      destinations: z.array(declaration).max(1_000),
      dryRun: z.boolean().default(false).describe('Say what would change, and change nothing'),
    }),
    response: z.object({
      items: z.array(
        z.object({
          id: z.string(),
          change: z.enum(['added', 'changed', 'unchanged']),
          fields: z.array(z.string()).describe('Those that differ from what was there'),
          madeSecret: z.boolean().describe('One was generated; `GET /v1/destinations/{id}/secret` shows it'),
        }),
      ),
    }),
    run: async ({ body: { destinations, dryRun } }, { store }, { audit }) => {
      const items = await applyDeclarations(store, destinations, { isDryRun: dryRun });
      if (!dryRun) {
        for (const { id, change, fields } of items) {
          if (change !== 'unchanged') await audit(`destination.${change}`, id, { fields });
        }
      }
      return { items };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/destinations/{id}/match',
    summary: 'Why an event goes to a destination, or does not: every rule of the destination, as it is now',
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
      delivery: delivery.nullable().describe('What became of it there; null when it never was for this destination'),
    }),
    mask: ({ wanted, rules, delivery: became }) => ({
      wanted,
      rules: rules.map(maskRule),
      delivery: became === null ? null : maskDelivery(became),
    }),
    errors: { 404: 'not_found' },
    run: async ({ params: { id }, query: { event: eventId } }, { store }) => {
      const [found, logged, present] = await Promise.all([
        readDestination(store, id),
        readEvent(store, eventId),
        readDelivery(store, deliveryId(eventId, id)),
      ]);
      if (found === undefined) throw notFound('destination', id);
      if (logged === undefined) throw notFound('event', eventId);
      const rules = openRoute(found).explain(logged.event);
      return { wanted: rules.every(({ passed }) => passed), rules, delivery: present ?? null };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/destinations/{id}/hours',
    summary: 'How attempts went in each of the last hours, the present one last',
    scopes: ['read', 'lease'],
    params,
    query: z.object({
      hours: z.coerce.number().int().min(1).max(168).default(24).describe('How many, the present one included'),
    }),
    response: z.object({
      items: z
        .array(z.object({ at: z.string().describe('When it begins'), ...hourFigures }))
        .describe('Oldest first; those in which nothing was attempted too, with zeros'),
      sum: attemptFigures.describe('Of all of them'),
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
    summary: 'Remove a destination together with its waiting deliveries and its dead letters; events stay in the log',
    scopes: ['admin'],
    params,
    status: 204,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store, metrics }, { audit }) => {
      if (!(await removeDestination(store, id))) throw notFound('destination', id);
      metrics.forget(id);
      await audit('destination.removed', id);
    },
  }),
  operation({
    method: 'post',
    path: '/v1/destinations/{id}/pause',
    summary: 'Send nothing more until resumed; what comes in waits',
    scopes: ['admin'],
    params,
    body: z
      .object({ reason: z.string().min(1).max(200).default('paused by an operator') })
      .default({ reason: 'paused by an operator' }),
    response: destination,
    errors: { 404: 'not_found' },
    run: async ({ params: { id }, body: { reason } }, { store }, { audit }) => {
      if (!(await pauseDestination(store, id, reason))) throw notFound('destination', id);
      await audit('destination.paused', id, { reason });
      return describeNow(store, id);
    },
  }),
  operation({
    method: 'post',
    path: '/v1/destinations/{id}/resume',
    summary: 'Send again, what has waited first',
    scopes: ['admin'],
    params,
    response: destination,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }, { audit }) => {
      if (!(await resumeDestination(store, id))) throw notFound('destination', id);
      await audit('destination.resumed', id);
      return describeNow(store, id);
    },
  }),
];

/** @throws {RequestRefusedError} 403 `forbidden_scope` */
const assertPull = (id: string, type: string): void => {
  if (type === 'pull') return;
  throw new RequestRefusedError(
    403,
    'forbidden_scope',
    `a key with the scope lease sees and changes pull destinations only; ${id} as ${type} needs the scope admin`,
  );
};

const describeNow = async (store: Store, id: string) => {
  const [found, holds] = await Promise.all([readDestination(store, id), listHolds(store, Date.now())]);
  if (found === undefined) throw notFound('destination', id);
  return describe(found, { hold: holds.get(id) });
};
