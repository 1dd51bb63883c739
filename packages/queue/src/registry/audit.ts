import { toIso } from '@clickrelay/core';
import { REGISTRY } from '../redis/names.ts';
import { defineCursor, type Page } from '../redis/page.ts';
import type { Store } from '../redis/store.ts';

/** Who did, or was shown, what. */
export interface AuditRecord {
  /** The key that was used: `API_KEY`, or its name and id. */
  readonly by: string;
  /** The action, such as `destination.removed`. */
  readonly action: string;
  /** The id of the thing that it was done to. */
  readonly target: string;
  /** Details. Never a secret, a phone number or the text of a message. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface AuditEntry extends AuditRecord {
  /** `aud_` and its place in the record. */
  readonly id: string;
  readonly at: string;
}

const PREFIX = 'aud_';
const AUDIT = `${REGISTRY}:audit`;
/** Redis drops the oldest entries beyond about this many. An entry takes some 150 bytes. */
const MOST_KEPT = 100_000;

/** Resolves when it is on disk. */
export const recordAudit = async (store: Store, { by, action, target, detail }: AuditRecord): Promise<void> => {
  const text = JSON.stringify([by, action, target, ...(detail === undefined ? [] : [detail])]);
  await store.durably(AUDIT, () => store.redis.xadd(AUDIT, 'MAXLEN', '~', MOST_KEPT, '*', 'a', text));
};

const decode = (id: string, text: string): AuditEntry => {
  const [by, action, target, detail] = JSON.parse(text);
  const at = toIso(Number(id.split('-')[0]));
  return { id: PREFIX + id, at, by, action, target, ...(detail !== undefined && { detail }) };
};

/** The id of an entry. */
const CURSOR = defineCursor({ id: /aud_\d{1,15}-\d{1,15}/ });

/** How many entries are looked at for one page, so that a rare one does not hold up Redis. */
const MOST_SEARCHED = 10_000;
const READ_AT_ONCE = 1_000;

export interface ListAuditOptions {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Which entries. @default all */
  readonly matches?: ((entry: AuditEntry) => boolean) | undefined;
}

/** Newest first. A page that is not full and has a `next` says only how far it was searched. */
export const listAudit = async (
  store: Store,
  { limit, cursor, since, until, matches }: ListAuditOptions,
): Promise<Page<AuditEntry>> => {
  const after = CURSOR.read(cursor);
  const oldest = since === undefined ? '-' : String(since.getTime());
  let from = after === undefined ? '+' : `(${after.id.slice(PREFIX.length)}`;
  if (after === undefined && until !== undefined) from = String(until.getTime() - 1);
  const items: AuditEntry[] = [];
  const atOnce = matches === undefined ? limit + 1 : READ_AT_ONCE;
  for (let searched = 0; searched < MOST_SEARCHED; searched += atOnce) {
    const found = await store.redis.xrevrange(AUDIT, from, oldest, 'COUNT', atOnce);
    for (const [id, [, text = '[]']] of found) {
      const entry = decode(id, text);
      if (matches?.(entry) === false) continue;
      const last = items.at(-1);
      if (items.length === limit && last !== undefined) return { items, next: CURSOR.write(last) };
      items.push(entry);
    }
    const [lastId] = found.at(-1) ?? [];
    if (lastId === undefined || found.length < atOnce) return { items, next: null };
    from = `(${lastId}`;
  }
  return { items, next: CURSOR.write({ id: PREFIX + from.slice(1) }) };
};
