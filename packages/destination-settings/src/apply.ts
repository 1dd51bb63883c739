import { type Destination, putDestination, readDestination, type Store } from '@clickrelay/queue';
import { type Completed, complete } from './complete.ts';
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
  const completed: { present: Destination | undefined; wanted: Completed }[] = [];
  for (const declared of declarations) {
    const present = await readDestination(store, declared.id);
    completed.push({ present, wanted: complete(declared, present) });
  }
  const applied: Applied[] = [];
  for (const { present, wanted } of completed) {
    const { destination, generatedSecret } = wanted;
    const fields = present === undefined ? [] : differing(present, destination);
    const change = present === undefined ? 'added' : fields.length === 0 ? 'unchanged' : 'changed';
    if (change !== 'unchanged' && !isDryRun) await putDestination(store, destination);
    applied.push({ id: destination.id, change, fields, madeSecret: generatedSecret !== undefined && !isDryRun });
  }
  return applied;
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
