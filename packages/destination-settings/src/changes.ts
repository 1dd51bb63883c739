import type { Destination } from '@clickrelay/queue';

/** What a setting was and is; or only that it changed, of one that may hold a secret or name a person. */
type Change = 'changed' | { readonly before: unknown; readonly after: unknown };

/** What differs between two records of a destination, by setting. */
export type Changes = Readonly<Record<string, Change>>;

/** Settings that hold neither a secret nor anything about a person. A filter or a transform may quote a number. */
const TELLABLE: ReadonlySet<string> = new Set([
  'type',
  'events',
  'channels',
  'classes',
  'format',
  'timeoutMs',
  'concurrency',
  'rate',
  'ordering',
  'retrySchedule',
]);

const LONGEST_TOLD = 500;

export const changesBetween = (before: Destination, after: Destination): Changes => {
  const [was, is] = [flatten(before), flatten(after)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  return Object.fromEntries(
    names
      .filter((name) => canonical(was[name]) !== canonical(is[name]))
      .map((name) => [name, changeOf(name, was[name], is[name])]),
  );
};

const changeOf = (name: string, before: unknown, after: unknown): Change => {
  // The path and the query of a URL may be its secret.
  if (name === 'url') return changeOf('type', originOf(before), originOf(after));
  if (!TELLABLE.has(name) || canonical(before) === canonical(after)) return 'changed';
  const change = { before: before ?? null, after: after ?? null };
  return JSON.stringify(change).length > LONGEST_TOLD ? 'changed' : change;
};

const originOf = (url: unknown): string | undefined =>
  typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : undefined;

const flatten = ({ config, ...common }: Destination): Record<string, unknown> => ({ ...config, ...common });

const canonical = (value: unknown): string | undefined => JSON.stringify(sorted(value));

const sorted = (value: unknown): unknown =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, inner]) => [key, sorted(inner)]),
      );
