import type { Destination } from '@clickrelay/queue';

/** Settings to change: `null` removes one. Of `headers`, only those that are named change. */
export type SettingChanges = Readonly<Record<string, unknown>>;

/**
 * The declaration of a destination with some settings changed, as a person would write it who knows no secret. What is
 * `(hidden)` in it is then kept by the rules of every declaration, so that nobody learns a secret by a change of the rest.
 * @param shown the adapter's present settings, as they may be shown
 */
export const changeSettings = (
  { id: _, paused: __, config: ___, ...common }: Destination,
  shown: Readonly<Record<string, unknown>>,
  changes: SettingChanges,
): Record<string, unknown> => {
  const { headers } = changes;
  const named = isRecord(headers)
    ? { headers: withoutNulls({ ...(shown['headers'] as object), ...lowerCased(headers) }) }
    : {};
  return withoutNulls({ ...shown, ...common, ...changes, ...named });
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const lowerCased = (headers: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const withoutNulls = (settings: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
