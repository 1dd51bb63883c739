import type { PluggedAdapter } from '@clickrelay/core';
import type { Destination, Store } from '@clickrelay/queue';
import { type Applied, type ApplyOptions, applyDeclarations } from './apply.ts';
import { type Completed, complete } from './complete.ts';
import { type Declaration, type DeclarationSchemas, declarationSchemas } from './declaration-schemas.ts';
import { parseFile } from './parse-file.ts';
import { showSettings } from './show.ts';

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
  /** Hides what must not be shown. */
  show(destination: Pick<Destination, 'type' | 'config'>): Record<string, unknown>;
  /** Makes the registry hold what is declared. Destinations that are not named stay as they are. */
  apply(store: Store, declarations: readonly Declaration[], options?: ApplyOptions): Promise<Applied[]>;
}

/** @param adapters those that `loadAdapters` loaded */
export const createDestinationSettings = (adapters: readonly PluggedAdapter[]): DestinationSettings => {
  const schemas = declarationSchemas(adapters);
  return {
    ...schemas,
    parseFile: (text, name) => parseFile(schemas.declaration, text, name),
    complete,
    show: (destination) => showSettings(destination, adapters),
    apply: applyDeclarations,
  };
};
