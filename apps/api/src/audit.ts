import { listAudit } from '@clickrelay/queue';
import { z } from 'zod';
import { datesOf, operation, pageOf, pageQuery, spanQuery } from './operation.ts';

const entry = z
  .object({
    id: z.string().describe('`aud_…`'),
    at: z.string(),
    by: z.string().describe('The key that was used: `API_KEY`, or the name and id of the key'),
    action: z.string().describe('What was done, such as `destination.removed`'),
    target: z.string().describe('The id of the object that it was done to'),
    detail: z.record(z.string(), z.unknown()).exactOptional(),
  })
  .meta({ id: 'AuditEntry' });

export const auditOperations = [
  operation({
    method: 'get',
    path: '/v1/audit',
    summary: 'List who changed or revealed what',
    description: 'Replays too. Newest first. Where few of many match, a page may be short and have a `next`.',
    scopes: ['admin'],
    query: pageQuery.extend({
      by: z.string().max(200).optional().describe('Only what this key did, as `by` names it, or its beginning'),
      action: z.string().max(100).optional().describe('Only this, or what begins so: `destination.`'),
      target: z.string().max(200).optional().describe('Only what was done to this'),
      ...spanQuery('Done'),
    }),
    response: pageOf(entry),
    run: ({ query: { by = '', action = '', target, since, until, ...page } }, { store }) =>
      listAudit(store, {
        ...page,
        ...datesOf({ since, until }),
        matches: (one) =>
          one.by.startsWith(by) && one.action.startsWith(action) && (target === undefined || one.target === target),
      }),
  }),
];
