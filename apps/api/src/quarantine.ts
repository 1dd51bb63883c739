import { listQuarantine, readQuarantined, removeQuarantined, reparseQuarantined } from '@clickrelay/queue';
import { z } from 'zod';
import { notFound } from './errors.ts';
import { datesOf, operation, pageOf, pageQuery, spanQuery } from './operation.ts';
import { quarantined } from './schemas.ts';

const params = z.object({ id: z.string().describe('`qrt_…`') });

export const quarantineOperations = [
  operation({
    method: 'get',
    path: '/v1/quarantine',
    summary: 'List quarantined callbacks',
    description: 'Authentic callbacks that could not be used, newest first.',
    scopes: ['read'],
    query: pageQuery.extend(spanQuery('Received')),
    response: pageOf(quarantined),
    run: ({ query: { since, until, ...page } }, { store }) =>
      listQuarantine(store, { ...page, ...datesOf({ since, until }) }),
  }),
  operation({
    method: 'get',
    path: '/v1/quarantine/{id}',
    summary: 'Read a quarantined callback',
    description: 'With its body, byte for byte.',
    scopes: ['read'],
    params,
    response: quarantined
      .extend({
        body: z
          .object({
            text: z.string().describe('Decoded as UTF-8; broken bytes show as U+FFFD'),
            base64: z.string().describe('The bytes'),
          })
          .nullable()
          .describe('Null where personal data is hidden'),
      })
      .meta({ id: 'QuarantinedWithBody' }),
    mask: ({ id, receivedAt, reason, bytes }) => ({ id, receivedAt, reason, bytes, body: null }),
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }) => {
      const found = await readQuarantined(store, id);
      if (found === undefined) throw notFound('quarantined callback', id);
      const bytes = Buffer.from(found.body);
      return { ...found, body: { text: bytes.toString(), base64: bytes.toString('base64') } };
    },
  }),
  operation({
    method: 'post',
    path: '/v1/quarantine/{id}/reparse',
    summary: 'Parse a quarantined callback again',
    description: 'For when a newer version understands it: it is committed, and leaves quarantine.',
    scopes: ['admin'],
    params,
    response: z.object({ accepted: z.int().describe('How many events the callback holds') }),
    errors: { 404: 'not_found', 422: 'invalid_callback' },
    run: async ({ params: { id } }, { store }, { audit }) => {
      const result = await reparseQuarantined(store, id);
      if (result === undefined) throw notFound('quarantined callback', id);
      await audit('quarantine.parsed', id, result);
      return result;
    },
  }),
  operation({
    method: 'delete',
    path: '/v1/quarantine/{id}',
    summary: 'Delete a quarantined callback',
    scopes: ['admin'],
    params,
    status: 204,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }, { audit }) => {
      if (!(await removeQuarantined(store, id))) throw notFound('quarantined callback', id);
      await audit('quarantine.removed', id);
    },
  }),
];
