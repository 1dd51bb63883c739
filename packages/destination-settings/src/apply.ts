import { changeDestination, type Destination, readDestination, type Store } from '@clickrelay/queue';
import { type Changes, changesBetween } from './changes.ts';
import { complete } from './complete.ts';
import type { Declaration } from './declaration-schemas.ts';

/** What applying a declaration did to one destination. */
export interface Applied {
  readonly id: string;
  readonly change: 'added' | 'changed' | 'unchanged';
  /** What differs from what was there. */
  readonly changes: Changes;
  /** Whether a secret was generated. It is not given back: callers log what they get here. */
  readonly madeSecret: boolean;
}

export interface ApplyOptions {
  /** Say what would change, and change nothing. @default false */
  readonly isDryRun?: boolean;
}

/** Makes the registry hold what is declared. Destinations that are not named stay as they are. */
export const applyDeclarations = async (
  store: Store,
  declarations: readonly Declaration[],
  { isDryRun = false }: ApplyOptions = {},
): Promise<Applied[]> => {
  // Completes all of them before the first write: one that cannot be completed changes nothing.
  const applied: Applied[] = [];
  for (const declared of declarations)
    applied.push(compare(declared, await readDestination(store, declared.id)).applied);
  if (isDryRun) return applied.map((one) => ({ ...one, madeSecret: false }));
  for (const [index, declared] of declarations.entries()) {
    await changeDestination(store, declared.id, (present) => {
      const compared = compare(declared, present);
      applied[index] = compared.applied;
      return compared.applied.change === 'unchanged' ? undefined : compared.destination;
    });
  }
  return applied;
};

const compare = (
  declared: Declaration,
  present: Destination | undefined,
): { destination: Destination; applied: Applied } => {
  const { destination, generatedSecret } = complete(declared, present);
  const changes = present === undefined ? {} : changesBetween(present, destination);
  const change = present === undefined ? 'added' : Object.keys(changes).length === 0 ? 'unchanged' : 'changed';
  return { destination, applied: { id: declared.id, change, changes, madeSecret: generatedSecret !== undefined } };
};
