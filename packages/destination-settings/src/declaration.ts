import { destinationBase, type PluggedAdapter, pacing, pullDestination } from '@clickrelay/core';
import type { Destination } from '@clickrelay/queue';
import { compileFilter, InvalidFilterError } from '@clickrelay/routing';
import {
  completeWebhook,
  HIDDEN,
  hideSecrets,
  MissingSecretError,
  together,
  webhookDestination,
} from '@clickrelay/webhook-forwarder';
import { z } from 'zod';
import { InvalidDestinationsError } from './errors.ts';
import { completePlugged, mayBeHidden } from './plugged-settings.ts';

/** Refuses, with the column, a filter that can never decide anything. */
export const checkFilter = (context: z.core.ParsePayload<string>): void => {
  try {
    compileFilter(context.value);
  } catch (error) {
    if (!(error instanceof InvalidFilterError)) throw error;
    context.issues.push({ code: 'custom', message: error.message, input: undefined });
  }
};

const filter = pullDestination.shape.filter.unwrap().check(checkFilter);

const webhook = webhookDestination.extend({ filter: filter.exactOptional() });
const pull = pullDestination.extend({ filter: filter.exactOptional() });

/** Of adapters that are not ours. To TypeScript they look like `pull`: no more is known of their settings here. */
const plugged: (typeof pull)[] = [];

/** What every destination of an adapter that is not ours has, beside its own settings. */
const surroundings = {
  ...destinationBase.shape,
  ...pacing,
  filter: filter.exactOptional(),
  concurrency: z.int().min(1).max(1024).default(32).describe('How many attempts may be under way at once.'),
};

/** Of each adapter that is not ours, which of its own settings may be shown. */
const shownSettings = new Map<string, readonly string[]>();

/** From now on destinations of this type can be declared. To be called before anything is. */
export const acceptAdapter = ({ type, config, shown = [] }: PluggedAdapter): void => {
  const own = Object.entries(config.shape).map(([name, field]) => [
    name,
    shown.includes(name) ? field : mayBeHidden(field as z.ZodType),
  ]);
  const schema: z.ZodObject = z.strictObject({
    ...Object.fromEntries(own),
    ...surroundings,
    type: z.literal(type),
  });
  plugged.push(schema as typeof pull);
  shownSettings.set(type, shown);
};

/**
 * The settings of a destination as they may be shown. Of an adapter that is not ours that is what all destinations have,
 * and what the adapter says may be: of one that is not loaded here, nothing else.
 */
export const showSettings = ({ type, config }: Pick<Destination, 'type' | 'config'>): Record<string, unknown> => {
  if (type === 'webhook') return hideSecrets(config);
  const mayBeShown = (name: string): boolean =>
    Object.hasOwn(surroundings, name) || shownSettings.get(type)?.includes(name) === true;
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, mayBeShown(name) || value === null ? value : HIDDEN]),
  );
};

/** A destination as people write it in a file. */
export const declaration = z.lazy(() => z.discriminatedUnion('type', [webhook.check(together), pull, ...plugged]));

/** The same without its id, which the path of a request has. */
export const declarationBody = z.lazy(() =>
  z.discriminatedUnion('type', [
    webhook.omit({ id: true }).check(together),
    pull.omit({ id: true }),
    ...plugged.map((schema) => schema.omit({ id: true })),
  ]),
);

export type Declaration = z.output<typeof declaration>;

export interface Completed {
  readonly destination: Destination;
  /** Set when one was made for a destination that has none: shown this once. */
  readonly generatedSecret?: string;
}

/**
 * What the registry is to hold: secrets and a pause that are there already stay, a missing signing secret is generated.
 * @throws {InvalidDestinationsError} when another secret is left out and there is none to keep
 */
export const complete = (declared: Declaration, present: Destination | undefined): Completed => {
  const { id, type, events, channels, classes, filter } = declared;
  const { config, generatedSecret } = completeSettings(declared, present?.type === type ? present.config : undefined);
  const destination = {
    id,
    type,
    events,
    ...(channels && { channels }),
    ...(classes && { classes }),
    ...(filter !== undefined && { filter }),
    paused: present?.paused ?? null,
    config,
  };
  return { destination, ...(generatedSecret !== undefined && { generatedSecret }) };
};

const completeSettings = (
  declared: Declaration,
  present: Destination['config'] | undefined,
): { config: Destination['config']; generatedSecret?: string } => {
  try {
    if (declared.type === 'webhook') return completeWebhook(settingsOf(declared), present);
    const settings: Record<string, unknown> = settingsOf(declared);
    return { config: completePlugged(settings, present, (name) => Object.hasOwn(surroundings, name)) };
  } catch (error) {
    if (!(error instanceof MissingSecretError)) throw error;
    throw new InvalidDestinationsError(`${declared.id}: ${error.path} ${error.message}`);
  }
};

/** The adapter's own part. */
const settingsOf = <One extends Declaration>({ id, type, events, channels, classes, filter, ...settings }: One) =>
  settings;
