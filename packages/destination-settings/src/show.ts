import type { PluggedAdapter } from '@clickrelay/core';
import type { Destination } from '@clickrelay/queue';
import { HIDDEN, hideSecrets } from '@clickrelay/webhook-forwarder';
import { isCommonField } from './declaration-schemas.ts';

/**
 * The settings of a destination as they may be shown. Of a loaded adapter's destination, shows the common fields and
 * those that the adapter lists in `shown`; of one whose adapter is not loaded here, the common fields alone.
 */
export const showSettings = (
  { type, config }: Pick<Destination, 'type' | 'config'>,
  adapters: readonly PluggedAdapter[],
): Record<string, unknown> => {
  if (type === 'webhook') return hideSecrets(config);
  const shown = adapters.find((adapter) => adapter.type === type)?.shown ?? [];
  const mayBeShown = (name: string): boolean => isCommonField(name) || shown.includes(name);
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, mayBeShown(name) || value === null ? value : HIDDEN]),
  );
};
