import { queueDepths, readLogBytes } from '@clickrelay/queue';
import { z } from 'zod';
import { describeCredentials } from './credentials.ts';
import { operation } from './operation.ts';
import { durabilityReport } from './schemas.ts';

const depth = z.int();

export const statusOperations = [
  operation({
    method: 'get',
    path: '/v1/status',
    summary: 'Show how safe callbacks are, and what waits',
    scopes: ['read'],
    response: z
      .object({
        version: z.string(),
        durability: durabilityReport,
        eventLogBytes: z.int().describe('The size of the event log'),
        ingest: z.object({ messages: depth, statuses: depth }).describe('Groups of callbacks that are not routed'),
        destinations: z.array(
          z.object({ id: z.string(), waiting: depth, delayed: depth, active: depth, deadLetters: depth }),
        ),
        credentials: z
          .array(z.object({ id: z.string(), kind: z.string(), lastUsedAt: z.string().nullable() }))
          .describe('The credentials of callbacks that a receiver accepts now, newest first'),
      })
      .meta({ id: 'Status' }),
    run: async (_request, { store, durability, version }) => {
      const [{ ingest, destinations }, { total }, credentials] = await Promise.all([
        queueDepths(store),
        readLogBytes(store),
        describeCredentials(store, Date.now()),
      ]);
      const { problems, ...report } = durability();
      return {
        version,
        durability: { ...report, problems: [...problems] },
        eventLogBytes: total,
        ingest,
        destinations: [...destinations],
        credentials: credentials
          .filter(({ acceptedBy }) => acceptedBy.length > 0)
          .map(({ id, kind, lastUsedAt }) => ({ id, kind, lastUsedAt })),
      };
    },
  }),
];
