import { pullDestination } from '@clickrelay/core';
import { putDestination, readDestination, type Store } from '@clickrelay/queue';
import { webhookDestination, withSecret } from '@clickrelay/webhook-forwarder';
import { parse } from 'yaml';
import { z } from 'zod';

/** `DESTINATIONS_FILE` holds something that is no declaration of destinations. */
export class InvalidDestinationsError extends Error {
  override readonly name = 'InvalidDestinationsError';
  readonly code = 'invalid_destinations';
}

const declared = z.discriminatedUnion('type', [webhookDestination, pullDestination]);

const file = z.strictObject({ destinations: z.array(declared) });

export type DeclaredDestination = z.output<typeof declared>;

/** @throws {InvalidDestinationsError} */
export const parseDestinations = (text: string): DeclaredDestination[] => {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new InvalidDestinationsError(`DESTINATIONS_FILE is not YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  const result = file.safeParse(value);
  if (!result.success) throw new InvalidDestinationsError(`DESTINATIONS_FILE: ${z.prettifyError(result.error)}`);
  const ids = result.data.destinations.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new InvalidDestinationsError(`DESTINATIONS_FILE names ${twice} twice`);
  return result.data.destinations;
};

export interface Applied {
  readonly id: string;
  readonly change: 'added' | 'changed' | 'unchanged';
  /** One was made for a destination that had none. It is not given back: what is known here ends up in a log. */
  readonly madeSecret: boolean;
}

/** Makes the registry hold what the file says. Destinations that the file does not name stay. */
export const applyDestinations = async (
  store: Store,
  destinations: readonly DeclaredDestination[],
): Promise<Applied[]> => {
  const applied: Applied[] = [];
  for (const { id, type, events, channels, classes, ...settings } of destinations) {
    const present = await readDestination(store, id);
    const presentSecret = present?.type === type ? present.config['secret'] : undefined;
    const { config, generatedSecret } =
      type === 'webhook' ? withSecret(settings, presentSecret) : { config: settings, generatedSecret: undefined };
    const destination = {
      id,
      type,
      events,
      ...(channels && { channels }),
      ...(classes && { classes }),
      paused: present?.paused ?? null,
      config,
    };
    const isSame = present !== undefined && JSON.stringify(sorted(present)) === JSON.stringify(sorted(destination));
    if (!isSame) await putDestination(store, destination);
    applied.push({
      id,
      change: isSame ? 'unchanged' : present === undefined ? 'added' : 'changed',
      madeSecret: generatedSecret !== undefined,
    });
  }
  return applied;
};

const sorted = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, inner]) => [key, sorted(inner)]),
      );
