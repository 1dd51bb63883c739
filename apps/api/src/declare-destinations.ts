import type { DestinationSettings } from '@clickrelay/destination-settings';
import { changeDestination } from '@clickrelay/queue';
import { z } from 'zod';
import { assertBoundTo } from './authorize.ts';
import { assertPull, describe, destination, destinationParams } from './destination.ts';
import { operation } from './operation.ts';

const warnings = z
  .array(z.string())
  .describe('What is valid and will probably not work: names that no event has, addresses that are not called');

/** The operations that take destinations as people write them. */
export const declareDestinationOperations = (destinationSettings: DestinationSettings) => [
  operation({
    method: 'put',
    path: '/v1/destinations/{id}',
    summary: 'Add or replace a destination',
    description: 'Secrets that are left out or `(hidden)` are kept. A missing signing secret is generated and shown.',
    scopes: ['admin', 'lease'],
    params: destinationParams,
    body: destinationSettings.declarationBody.meta({ id: 'DestinationDeclaration' }),
    response: destination.extend({ warnings }).meta({ id: 'DeclaredDestination' }),
    run: async ({ params: { id }, body }, { store }, { caller, scope, audit }) => {
      if (scope === 'lease') {
        assertBoundTo(caller, id);
        assertPull(id, body.type);
      }
      let wasThere = false;
      let generatedSecret: string | undefined;
      const put = await changeDestination(store, id, (present) => {
        if (scope === 'lease' && present !== undefined) assertPull(id, present.type);
        const completed = destinationSettings.complete({ ...body, id }, present);
        wasThere = present !== undefined;
        generatedSecret = completed.generatedSecret;
        return completed.destination;
      });
      await audit(wasThere ? 'destination.changed' : 'destination.added', id, { type: put.type });
      return {
        ...describe({ destinationSettings }, put, { generatedSecret }),
        warnings: destinationSettings.warningsOf({ ...body, id }),
      };
    },
  }),
  operation({
    method: 'post',
    path: '/v1/destinations/apply',
    summary: 'Apply a list of declarations',
    description: 'Destinations that are not in it stay as they are.',
    scopes: ['admin'],
    body: z.strictObject({
      destinations: z.array(destinationSettings.declaration).max(1_000),
      dryRun: z.boolean().default(false).describe('Report what would change, and change nothing'),
    }),
    response: z.object({
      items: z.array(
        z.object({
          id: z.string(),
          change: z.enum(['added', 'changed', 'unchanged']),
          fields: z.array(z.string()).describe('The fields that changed'),
          madeSecret: z
            .boolean()
            .describe('Whether a secret was generated; `GET /v1/destinations/{id}/secret` shows it'),
          warnings,
        }),
      ),
    }),
    run: async ({ body: { destinations, dryRun } }, { store }, { audit }) => {
      const items = await destinationSettings.apply(store, destinations, { isDryRun: dryRun });
      if (!dryRun) {
        for (const { id, change, fields } of items) {
          if (change !== 'unchanged') await audit(`destination.${change}`, id, { fields });
        }
      }
      return { items };
    },
  }),
];
