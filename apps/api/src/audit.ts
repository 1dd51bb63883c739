import { listAudit } from '@clickrelay/queue';
import { z } from 'zod';
import { operation, pageOf, pageQuery } from './operation.ts';

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
    description: 'Replays too. Newest first.',
    scopes: ['admin'],
    query: pageQuery,
    response: pageOf(entry),
    run: ({ query }, { store }) => listAudit(store, query),
  }),
];
