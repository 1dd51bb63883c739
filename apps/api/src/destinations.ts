import { DESTINATION_ID, pullDestination } from '@clickrelay/core';
import {
  type Destination,
  type Hold,
  listDestinations,
  listHolds,
  pauseDestination,
  putDestination,
  readDestination,
  removeDestination,
  resumeDestination,
  type Store,
} from '@clickrelay/queue';
import { webhookDestination, withSecret } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';
import { notFound, operation, pageOf } from './operation.ts';

const params = z.object({ id: z.string().regex(DESTINATION_ID, 'must be lower-case letters, digits and `-`') });

const declaration = z
  .discriminatedUnion('type', [webhookDestination.omit({ id: true }), pullDestination.omit({ id: true })])
  .meta({ id: 'DestinationDeclaration' });

/** The adapter's own settings stand beside what all destinations have. */
const destination = z
  .looseObject({
    id: z.string(),
    type: z.string(),
    events: z.array(z.string()),
    paused: z.string().nullable().describe('Why nothing is sent at the moment; null when sending'),
    held: z
      .object({ reason: z.enum(['throttled', 'failing']), until: z.string() })
      .nullable()
      .describe('Nothing is sent until then: it asked for that, or failed too often in a row; null when sending'),
    secret: z.string().exactOptional().describe('Shown once, in the answer that made it; hidden otherwise'),
  })
  .meta({ id: 'Destination' });

const HIDDEN = '(hidden)';

/** @param generatedSecret Shown to whoever caused it to be made, and never again. */
const describe = (
  { id, type, events, paused, config }: Destination,
  { hold, generatedSecret }: { hold?: Hold | undefined; generatedSecret?: string | undefined } = {},
) => {
  const secret = generatedSecret ?? (config['secret'] === undefined ? undefined : HIDDEN);
  const held = hold === undefined ? null : { reason: hold.reason, until: new Date(hold.until).toISOString() };
  return { id, type, events: [...events], paused, held, ...config, ...(secret !== undefined && { secret }) };
};

export const destinationOperations = [
  operation({
    method: 'get',
    path: '/v1/destinations',
    summary: 'List destinations',
    response: pageOf(destination),
    run: async (_request, { store }) => {
      const [found, holds] = await Promise.all([listDestinations(store), listHolds(store, Date.now())]);
      return { items: found.map((one) => describe(one, { hold: holds.get(one.id) })), next: null };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/destinations/{id}',
    summary: 'Read one destination',
    params,
    response: destination,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }) => describeNow(store, id),
  }),
  operation({
    method: 'put',
    path: '/v1/destinations/{id}',
    summary:
      'Add or replace a destination; a webhook secret that is left out is kept, or generated and shown this once',
    params,
    body: declaration,
    response: destination,
    run: async ({ params: { id }, body }, { store }) => {
      const { type, events, ...settings } = body;
      const present = await readDestination(store, id);
      const presentSecret = present?.type === type ? present.config['secret'] : undefined;
      const { config, generatedSecret } =
        type === 'webhook' ? withSecret(settings, presentSecret) : { config: settings, generatedSecret: undefined };
      const put: Destination = { id, type, events, paused: present?.paused ?? null, config };
      await putDestination(store, put);
      return describe(put, { generatedSecret });
    },
  }),
  operation({
    method: 'delete',
    path: '/v1/destinations/{id}',
    summary: 'Remove a destination together with its waiting deliveries and its dead letters; events stay in the log',
    params,
    status: 204,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }) => {
      if (!(await removeDestination(store, id))) throw notFound('destination', id);
    },
  }),
  operation({
    method: 'post',
    path: '/v1/destinations/{id}/pause',
    summary: 'Send nothing more until resumed; what comes in waits',
    params,
    body: z
      .object({ reason: z.string().min(1).max(200).default('paused by an operator') })
      .default({ reason: 'paused by an operator' }),
    response: destination,
    errors: { 404: 'not_found' },
    run: async ({ params: { id }, body: { reason } }, { store }) => {
      await pauseDestination(store, id, reason);
      return describeNow(store, id);
    },
  }),
  operation({
    method: 'post',
    path: '/v1/destinations/{id}/resume',
    summary: 'Send again, what has waited first',
    params,
    response: destination,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }) => {
      await resumeDestination(store, id);
      return describeNow(store, id);
    },
  }),
];

const describeNow = async (store: Store, id: string) => {
  const [found, holds] = await Promise.all([readDestination(store, id), listHolds(store, Date.now())]);
  if (found === undefined) throw notFound('destination', id);
  return describe(found, { hold: holds.get(id) });
};
