import { destinationBase, type PluggedAdapter, pacing, pullDestination } from '@clickrelay/core';
import { together, webhookDestination } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';
import { checkFilter } from './check-filter.ts';
import { checkChannels, checkEventTypes } from './check-names.ts';
import { mayBeHidden } from './hidden-settings.ts';

const filter = pullDestination.shape.filter.unwrap().check(checkFilter);

/** The settings that say which events a destination gets, checked for what can never be meant. */
const selecting = {
  events: destinationBase.shape.events.check(checkEventTypes),
  channels: destinationBase.shape.channels.unwrap().check(checkChannels).exactOptional(),
  filter: filter.exactOptional(),
};

const webhook = webhookDestination.extend(selecting);
const pull = pullDestination.extend(selecting);

/** The fields of every destination of a loaded adapter, beside the adapter's own settings. */
const commonFields = {
  ...destinationBase.shape,
  ...pacing,
  ...selecting,
  concurrency: z.int().min(1).max(1024).default(32).describe('How many attempts may be under way at once'),
};

export const isCommonField = (name: string): boolean => Object.hasOwn(commonFields, name);

/** The schemas that check destinations, of our own types and of these adapters. */
export const declarationSchemas = (adapters: readonly PluggedAdapter[]) => {
  const plugged = adapters.map(pluggedDestination);
  return {
    /** A destination as people write it in a file. */
    declaration: z.discriminatedUnion('type', [webhook.check(together), pull, ...plugged]),
    /** The same without its id, which stands in the path of a request. */
    declarationBody: z.discriminatedUnion('type', [
      webhook.omit({ id: true }).check(together),
      pull.omit({ id: true }),
      ...plugged.map((schema) => schema.omit({ id: true })),
    ]),
  };
};

/** To TypeScript it looks like `pull`: nothing more is known here of the adapter's settings. */
const pluggedDestination = ({ type, config, shown = [] }: PluggedAdapter): typeof pull => {
  const own = Object.entries(config.shape).map(([name, field]) => [
    name,
    shown.includes(name) ? field : mayBeHidden(field as z.ZodType),
  ]);
  const schema: z.ZodObject = z.strictObject({
    ...Object.fromEntries(own),
    ...commonFields,
    type: z.literal(type),
  });
  return schema as typeof pull;
};

export type DeclarationSchemas = ReturnType<typeof declarationSchemas>;

export type Declaration = z.output<DeclarationSchemas['declaration']>;
