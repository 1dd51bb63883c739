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

/** Newest first. */
export const listAudit = async (
  store: Store,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<AuditEntry>> => {
  const after = CURSOR.read(cursor);
  const from = after === undefined ? '+' : `(${after.id.slice(PREFIX.length)}`;
  const found = await store.redis.xrevrange(AUDIT, from, '-', 'COUNT', limit + 1);
  const items = found.slice(0, limit).map(([id, [, text = '[]']]) => decode(id, text));
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? CURSOR.write(last) : null };
};
