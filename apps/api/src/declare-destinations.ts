import { type Changes, changesBetween, type DestinationSettings } from '@clickrelay/destination-settings';
import { changeDestination, type Destination } from '@clickrelay/queue';
import { z } from 'zod';
import { assertBoundTo } from './authorize.ts';
import { assertPull, describe, destination, destinationParams } from './destination.ts';
import { notFound, RequestRefusedError } from './errors.ts';
import { type Exchange, operation } from './operation.ts';
import { check } from './read-request.ts';
import { assertRevision } from './revision.ts';

/** @throws {RequestRefusedError} 409 `destination_exists`, naming what a replacement would change */
const assertNew = (id: string, changes: Changes): void => {
  if (Object.keys(changes).length === 0) return;
  const issues = Object.entries(changes).map(([path, change]) => ({ path, message: describeChange(change) }));
  const message = `a destination ${id} is there already, and what is given would replace all of it; see what differs`;
  throw new RequestRefusedError(409, 'destination_exists', message, { issues });
};

const describeChange = (change: Changes[string]): string => {
  if (change === 'changed') return 'is another one there';
  const { before, after } = change;
  return `is ${JSON.stringify(before)} there, and would be ${after === null ? 'gone' : JSON.stringify(after)}`;
};

/** Records what a person changed, unless it is as it was. */
const auditChange = async (
  audit: Exchange['audit'],
  before: Destination | undefined,
  after: Destination,
): Promise<void> => {
  if (before === undefined) return audit('destination.added', after.id, { type: after.type });
  const changes = changesBetween(before, after);
  if (Object.keys(changes).length > 0) await audit('destination.changed', after.id, { changes });
};

const revision = z
  .string()
  .max(64)
  .optional()
  .describe('The `revision` that was read: 409 when somebody has changed the settings since');

const warnings = z
  .array(z.string())
  .describe('What is valid and will probably not work: names that no event has, addresses that are not called');

const declaredDestination = destination.extend({ warnings }).meta({ id: 'DeclaredDestination' });

/** The operations that take destinations as people write them. */
export const declareDestinationOperations = (destinationSettings: DestinationSettings) => [
  operation({
    method: 'put',
    path: '/v1/destinations/{id}',
    summary: 'Add or replace a destination',
    description: 'Secrets that are left out or `(hidden)` are kept. A missing signing secret is generated and shown.',
    scopes: ['admin', 'lease'],
    params: destinationParams,
    query: z.object({
      onlyNew: z
        .enum(['true', 'false'])
        .default('false')
        .describe('Whether to refuse to replace one that is there and differs: 409 with the differences'),
      revision,
    }),
    body: destinationSettings.declarationBody.meta({ id: 'DestinationDeclaration' }),
    response: declaredDestination,
    errors: { 409: 'destination_exists` or `changed_meanwhile' },
    run: async ({ params: { id }, query: { onlyNew, revision: read }, body }, { store }, { caller, scope, audit }) => {
      if (scope === 'lease') {
        assertBoundTo(caller, id);
        assertPull(id, body.type);
      }
      let before: Destination | undefined;
      let generatedSecret: string | undefined;
      const put = await changeDestination(store, id, (present) => {
        if (scope === 'lease' && present !== undefined) assertPull(id, present.type);
        assertRevision(id, present && describe({ destinationSettings }, present).revision, read);
        const completed = destinationSettings.complete({ ...body, id }, present);
        if (onlyNew === 'true' && present !== undefined) assertNew(id, changesBetween(present, completed.destination));
        before = present;
        generatedSecret = completed.generatedSecret;
        return completed.destination;
      });
      await auditChange(audit, before, put);
      return {
        ...describe({ destinationSettings }, put, { generatedSecret }),
        warnings: destinationSettings.warningsOf({ ...body, id }),
      };
    },
  }),
  operation({
    method: 'patch',
    path: '/v1/destinations/{id}',
    summary: 'Change settings of a destination',
    description: 'Only those that are given; the others stay as they are.',
    scopes: ['admin', 'lease'],
    params: destinationParams,
    query: z.object({ revision }),
    body: z
      .record(z.string(), z.unknown())
      .describe(
        'Fields of `DestinationDeclaration`, without `type`. `null` removes one; of `headers`, only those that are ' +
          'named change',
      )
      .meta({ id: 'DestinationChanges' }),
    response: declaredDestination,
    errors: { 404: 'not_found', 409: 'changed_meanwhile' },
    run: async ({ params: { id }, query: { revision: read }, body }, { store }, { caller, scope, audit }) => {
      if (scope === 'lease') assertBoundTo(caller, id);
      let before: Destination | undefined;
      let warningsNow: string[] = [];
      const changed = await changeDestination(store, id, (present) => {
        if (present === undefined) return undefined;
        if (scope === 'lease') assertPull(id, present.type);
        assertRevision(id, describe({ destinationSettings }, present).revision, read);
        before = present;
        const settings = { ...destinationSettings.change(present, body), type: sameType(present.type, body) };
        const declared = { ...check(destinationSettings.declarationBody, settings, 'body'), id };
        warningsNow = destinationSettings.warningsOf(declared);
        return destinationSettings.complete(declared, present).destination;
      });
      if (changed === undefined) throw notFound('destination', id);
      await auditChange(audit, before, changed);
      return { ...describe({ destinationSettings }, changed), warnings: warningsNow };
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
      const applied = await destinationSettings.apply(store, destinations, { isDryRun: dryRun });
      if (!dryRun) {
        for (const [index, { id, change, changes }] of applied.entries()) {
          const { type } = destinations[index] as (typeof destinations)[number];
          if (change !== 'unchanged')
            await audit(`destination.${change}`, id, change === 'added' ? { type } : { changes });
        }
      }
      const items = applied.map(({ changes, ...one }) => ({ ...one, fields: Object.keys(changes) }));
      return { items };
    },
  }),
];

/** @throws {RequestRefusedError} 400 `invalid_request` */
const sameType = (type: string, { type: given = type }: Readonly<Record<string, unknown>>): string => {
  if (given === type) return type;
  const issues = [{ path: 'type', message: `is ${type}, and stays so: remove it and add another` }];
  throw new RequestRefusedError(400, 'invalid_request', 'the body of this request does not fit; see the issues', {
    issues,
  });
};
