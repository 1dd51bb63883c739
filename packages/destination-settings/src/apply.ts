import { changeDestination, type Destination, readDestination, type Store } from '@clickrelay/queue';
import { complete } from './complete.ts';
import type { Declaration } from './declaration-schemas.ts';

/** What applying a declaration did to one destination. */
export interface Applied {
  readonly id: string;
  readonly change: 'added' | 'changed' | 'unchanged';
  /** The fields that differ from what was there. */
  readonly fields: readonly string[];
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
  const fields = present === undefined ? [] : differing(present, destination);
  const change = present === undefined ? 'added' : fields.length === 0 ? 'unchanged' : 'changed';
  return { destination, applied: { id: declared.id, change, fields, madeSecret: generatedSecret !== undefined } };
};

/** The names of the fields in which two records of a destination differ. */
const differing = (present: Destination, wanted: Destination): string[] => {
  const flatten = ({ config, ...common }: Destination): Record<string, unknown> => ({ ...config, ...common });
  const [before, after] = [flatten(present), flatten(wanted)];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => canonical(before[name]) !== canonical(after[name])).sort();
};

const canonical = (value: unknown): string | undefined => JSON.stringify(sorted(value));

const sorted = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, inner]) => [key, sorted(inner)]),
      );
