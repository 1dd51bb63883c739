import type { Destination } from '@clickrelay/queue';
import { completeWebhook, MissingSecretError } from '@clickrelay/webhook-forwarder';
import { type Declaration, isCommonField } from './declaration-schemas.ts';
import { InvalidDestinationsError } from './errors.ts';
import { restoreHidden } from './hidden-settings.ts';

export interface Completed {
  readonly destination: Destination;
  /** Set when a secret was generated for a destination that had none: it is shown this once. */
  readonly generatedSecret?: string;
}

/**
 * Turns a declaration into what the registry holds: keeps the present secrets and pause, and generates a signing secret
 * if there is none.
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
    return { config: restoreHidden(settings, present, isCommonField) };
  } catch (error) {
    if (!(error instanceof MissingSecretError)) throw error;
    throw new InvalidDestinationsError(`${declared.id}: ${error.path} ${error.message}`);
  }
};

/** The adapter's own part. */
const settingsOf = <One extends Declaration>({ id, type, events, channels, classes, filter, ...settings }: One) =>
  settings;
