import { DESTINATION_ID, toIso } from '@clickrelay/core';
import { type Destination, type Hold, listHolds, readDestination } from '@clickrelay/queue';
import { z } from 'zod';
import { notFound, RequestRefusedError } from './errors.ts';
import type { Resources } from './operation.ts';
import { revisionOf } from './revision.ts';

/* What the operations on destinations have in common. */

export const destinationParams = z.object({
  id: z.string().regex(DESTINATION_ID, 'must be lower-case letters, digits and `-`'),
});

/** The adapter's own settings stand beside the fields of every destination. */
export const destination = z
  .looseObject({
    id: z.string(),
    type: z.string(),
    events: z.array(z.string()),
    channels: z.array(z.string()).exactOptional(),
    classes: z.array(z.string()).exactOptional(),
    filter: z.string().exactOptional(),
    paused: z
      .string()
      .nullable()
      .describe('Why it is paused by hand, or that it answered 410; null when it is not paused'),
    held: z
      .object({ reason: z.enum(['throttled', 'failing']), until: z.string() })
      .nullable()
      .describe(
        'Nothing is sent until then: the destination asked for a pause (`throttled`), or its circuit is open ' +
          '(`failing`); null otherwise',
      ),
    revision: z
      .string()
      .describe(
        'Stands for the settings, secrets apart: send it with a change, which is then refused if they are others',
      ),
    secret: z.string().exactOptional().describe('Shown only in the answer that generated it; hidden otherwise'),
  })
  .meta({ id: 'Destination' });

/** @param generatedSecret shown in the answer to the request that generated it, and never again */
export const describe = (
  { destinationSettings }: Pick<Resources, 'destinationSettings'>,
  { config, ...common }: Destination,
  { hold, generatedSecret }: { hold?: Hold | undefined; generatedSecret?: string | undefined } = {},
) => {
  const held = hold === undefined ? null : { reason: hold.reason, until: toIso(hold.until) };
  const shown = destinationSettings.show({ type: common.type, config });
  const told = { ...common, held, ...shown };
  return {
    ...told,
    revision: revisionOf(told),
    ...(generatedSecret !== undefined && { secret: generatedSecret }),
  };
};

/** @throws {RequestRefusedError} 403 `forbidden_scope` */
export const assertPull = (id: string, type: string): void => {
  if (type === 'pull') return;
  throw new RequestRefusedError(
    403,
    'forbidden_scope',
    `a key with the scope lease sees and changes pull destinations only; ${id} as ${type} needs the scope admin`,
  );
};

/** @throws {RequestRefusedError} 404 `not_found` */
export const describeNow = async (resources: Pick<Resources, 'store' | 'destinationSettings'>, id: string) => {
  const { store } = resources;
  const [found, holds] = await Promise.all([readDestination(store, id), listHolds(store, store.clock.now())]);
  if (found === undefined) throw notFound('destination', id);
  return describe(resources, found, { hold: holds.get(id) });
};
