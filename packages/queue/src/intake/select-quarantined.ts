import { parseCallback } from '@clickrelay/core';
import type { Store } from '../redis/store.ts';
import {
  listQuarantine,
  type Quarantined,
  readQuarantined,
  removeQuarantined,
  reparseQuarantined,
} from './quarantine.ts';

/* Work on many quarantined callbacks: those named, or all that match except those named. */

interface QuarantineSelection {
  /** Only these. */
  readonly callbacks?: readonly string[];
  /** All that match but these. */
  readonly except?: readonly string[];
  /** Only those with this reason, word for word. */
  readonly reason?: string;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

/** Read of the list at once. */
const PAGE = 200;

/** The entries that are chosen, newest first. One that leaves quarantine meanwhile shifts no other. */
async function* selectQuarantined(
  store: Store,
  { callbacks, except = [], reason, since, until }: QuarantineSelection,
): AsyncGenerator<Quarantined> {
  const named = callbacks && new Set(callbacks);
  const left = new Set(except);
  for (let cursor: string | undefined; ; ) {
    const { items, next } = await listQuarantine(store, { limit: PAGE, cursor, since, until });
    yield* items.filter(
      (one) => (named?.has(one.id) ?? true) && !left.has(one.id) && (reason === undefined || one.reason === reason),
    );
    if (next === null) return;
    cursor = next;
  }
}

interface QuarantineCount {
  readonly matched: number;
  readonly bytes: number;
  /** ISO 8601. */
  readonly oldest: string | null;
}

const countSelected = async (store: Store, selection: QuarantineSelection): Promise<QuarantineCount> => {
  let [matched, bytes, oldest]: [number, number, string | null] = [0, 0, null];
  for await (const one of selectQuarantined(store, selection)) {
    matched++;
    bytes += one.bytes;
    oldest = one.receivedAt;
  }
  return { matched, bytes, oldest };
};

/** How one of them went: `gone` when somebody else was faster. */
type QuarantineOutcome = 'parsed' | 'unreadable' | 'removed' | 'gone';

/**
 * Parses it again and lets it in, or with `isDryRun` says whether it could.
 * @returns how it went, and how many events it held
 */
const reparseOne = async (
  store: Store,
  id: string,
  { isDryRun }: { readonly isDryRun: boolean },
): Promise<{ outcome: QuarantineOutcome; accepted: number }> => {
  try {
    if (!isDryRun) {
      const result = await reparseQuarantined(store, id);
      return result === undefined ? { outcome: 'gone', accepted: 0 } : { outcome: 'parsed', ...result };
    }
    const entry = await readQuarantined(store, id);
    if (entry === undefined) return { outcome: 'gone', accepted: 0 };
    return { outcome: 'parsed', accepted: parseCallback(entry.body).eventCount };
  } catch (error) {
    if ((error as { code?: string }).code !== 'invalid_callback') throw error;
    return { outcome: 'unreadable', accepted: 0 };
  }
};

const removeOne = async (store: Store, id: string): Promise<QuarantineOutcome> =>
  (await removeQuarantined(store, id)) ? 'removed' : 'gone';

/** Work on many quarantined callbacks, chosen together and done one by one. */
export const openQuarantine = (store: Store) => ({
  select: (chosen: QuarantineSelection) => selectQuarantined(store, chosen),
  count: (chosen: QuarantineSelection) => countSelected(store, chosen),
  reparse: (id: string, options: { readonly isDryRun: boolean }) => reparseOne(store, id, options),
  remove: (id: string) => removeOne(store, id),
});
