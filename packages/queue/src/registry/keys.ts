import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * Keys of the API, beside the one in `API_KEY`. Redis keeps only the SHA-256 of a key's secret: 256 random bits need no
 * slow hash. A key contains the id of its record, so the secret is compared and never looked up.
 */

/**
 * - `read`: look at events, deliveries, dead letters, quarantine, destinations and the status
 * - `reveal`: see personal data where it is hidden
 * - `replay`: send deliveries again
 * - `admin`: change destinations, dead letters, quarantine and keys
 * - `lease`: lease from the pull destinations it is bound to, and make them
 */
export const SCOPES = ['read', 'reveal', 'replay', 'admin', 'lease'] as const;
export type Scope = (typeof SCOPES)[number];

export interface Key {
  /** `key_…` */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** For the scope `lease`: ids of destinations; `*` stands for any characters. */
  readonly destinations: readonly string[];
  readonly createdAt: string;
}

interface StoredKey extends Key {
  readonly sha256: string;
}

const KEYS = `${REGISTRY}:keys`;
const SHOWN = /^crk_([0-9a-f]{12})_[\w-]{43}$/;

const digestOf = (shown: string): Buffer => hash('sha256', shown, 'buffer');

/** @returns the key, and its secret, which is shown this once and kept nowhere */
export const createKey = async (
  store: Store,
  { name, scopes, destinations }: Pick<Key, 'name' | 'scopes' | 'destinations'>,
  nowMs: number,
): Promise<{ key: Key; shown: string }> => {
  const id = randomBytes(6).toString('hex');
  const shown = `crk_${id}_${randomBytes(32).toString('base64url')}`;
  const key: Key = { id: `key_${id}`, name, scopes, destinations, createdAt: new Date(nowMs).toISOString() };
  const stored: StoredKey = { ...key, sha256: digestOf(shown).toString('base64') };
  await store.redis.hset(KEYS, key.id, JSON.stringify(stored));
  return { key, shown };
};

const withoutHash = ({ sha256: _, ...key }: StoredKey): Key => key;

/** Oldest first. */
export const listKeys = async (store: Store): Promise<Key[]> => {
  const all = await store.redis.hgetall(KEYS);
  return Object.values(all)
    .map((text) => withoutHash(JSON.parse(text) as StoredKey))
    .sort((a, b) => (a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.id < b.id) ? -1 : 1));
};

/** @returns false when there is none with this id. */
export const removeKey = async (store: Store, id: string): Promise<boolean> => (await store.redis.hdel(KEYS, id)) === 1;

/** Finds the key with this secret; undefined when there is none, or it was removed. */
export const findKey = async (store: Store, shown: string): Promise<Key | undefined> => {
  const [, id] = SHOWN.exec(shown) ?? [];
  if (id === undefined) return undefined;
  const text = await store.redis.hget(KEYS, `key_${id}`);
  if (text === null) return undefined;
  const stored = JSON.parse(text) as StoredKey;
  return timingSafeEqual(digestOf(shown), Buffer.from(stored.sha256, 'base64')) ? withoutHash(stored) : undefined;
};
