import { type Destination, putDestination, readDestination, type Store } from '@clickrelay/queue';
import { type Completed, complete, type Declaration } from './declaration.ts';

/** What applying a declaration did to one destination. */
export interface Applied {
  readonly id: string;
  readonly change: 'added' | 'changed' | 'unchanged';
  /** The fields that differ from what was there. */
  readonly fields: readonly string[];
  /** One was made for a destination that had none. It is not given back: what is known here ends up in a log. */
  readonly madeSecret: boolean;
}

/**
 * Makes the registry hold what is declared. Destinations that are not named stay as they are.
 * @param options.isDryRun Says what would change, and changes nothing.
 */
export const applyDeclarations = async (
  store: Store,
  declarations: readonly Declaration[],
  { isDryRun = false }: { isDryRun?: boolean } = {},
): Promise<Applied[]> => {
  // All of them first: one that cannot be completed changes nothing.
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
