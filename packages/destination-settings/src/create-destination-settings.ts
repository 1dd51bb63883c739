import type { PluggedAdapter } from '@clickrelay/core';
import type { Destination, Store } from '@clickrelay/queue';
import { parseRanges } from '@clickrelay/webhook-forwarder';
import { type Applied, type ApplyOptions, applyDeclarations } from './apply.ts';
import { changeSettings, type SettingChanges } from './change-settings.ts';
import { type Completed, complete } from './complete.ts';
import { type Declaration, type DeclarationSchemas, declarationSchemas } from './declaration-schemas.ts';
import { parseFile } from './parse-file.ts';
import { showSettings } from './show.ts';
import { warningsOf } from './warnings.ts';

/** All that is known of destinations' settings: of webhooks, of pull destinations, and of the adapters given. */
export interface DestinationSettings extends DeclarationSchemas {
  /**
   * Reads a YAML file of destinations.
   * @param name what errors call the file
   * @throws {InvalidDestinationsError}
   */
  parseFile(text: string, name: string): Declaration[];
  /**
   * Fills in what a declaration leaves out, from the present destination or with a generated secret.
   * @throws {InvalidDestinationsError} when a secret is left out and there is none to keep
   */
  complete(declared: Declaration, present: Destination | undefined): Completed;
  /** What is valid in a declaration, and will probably not work. */
  warningsOf(declared: Declaration): string[];
  /** The declaration of a destination with some settings changed, and its secrets hidden. It is not checked yet. */
  change(present: Destination, changes: SettingChanges): Record<string, unknown>;
  /** Hides what must not be shown. */
  show(destination: Pick<Destination, 'type' | 'config'>): Record<string, unknown>;
  /** Makes the registry hold what is declared. Destinations that are not named stay as they are. */
  apply(
    store: Store,
    declarations: readonly Declaration[],
    options?: ApplyOptions,
  ): Promise<(Applied & { readonly warnings: readonly string[] })[]>;
}

/**
 * @param adapters those that `loadAdapters` loaded
 * @param options.egressAllow EGRESS_ALLOW of this program, to warn of addresses that it does not open
 */
export const createDestinationSettings = (
  adapters: readonly PluggedAdapter[],
  { egressAllow = [] }: { readonly egressAllow?: readonly string[] } = {},
): DestinationSettings => {
  const schemas = declarationSchemas(adapters);
  const opened = parseRanges(egressAllow);
  const warn = (declared: Declaration): string[] => warningsOf(declared, opened);
  return {
    ...schemas,
    parseFile: (text, name) => parseFile(schemas.declaration, text, name),
    complete,
    change: (present, changes) => changeSettings(present, showSettings(present, adapters), changes),
    show: (destination) => showSettings(destination, adapters),
    warningsOf: warn,
    apply: async (store, declarations, options) => {
      const applied = await applyDeclarations(store, declarations, options);
      return applied.map((one, index) => ({ ...one, warnings: warn(declarations[index] as Declaration) }));
    },
  };
};
