import { randomBytes } from 'node:crypto';
import { toIso } from '@clickrelay/core';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * The credentials of callbacks: by what receivers recognise each, when it ends, and when it was last used. Redis keeps
 * the SHA-256 that receivers compare, and no secret. A record is never removed: a credential that has ended stays
 * ended, whoever still declares it.
 */

/** What a request must show. */
interface CredentialMark {
  readonly kind: 'query' | 'basic' | 'header';
  /** The header, in lower case; null for the other kinds. */
  readonly name: string | null;
  /** In hex: of the secret, or of `user:password`. */
  readonly sha256: string;
}

export interface CredentialRecord extends CredentialMark {
  /** `crd_…` */
  readonly id: string;
  /**
   * `made` by the API, and accepted by every receiver; or `declared` in `CALLBACK_AUTH`, and accepted where it is
   * declared.
   */
  readonly origin: 'made' | 'declared';
  readonly createdAt: string;
  /** From then on it is refused; null when it has no end. */
  readonly endsAt: string | null;
}

export interface CredentialRecords {
  /** Newest first. */
  list(): Promise<CredentialRecord[]>;
  /** The same for the same credential, whoever records it. */
  placeOf(mark: CredentialMark): string;
  /** A record that is not kept yet. */
  draft(mark: CredentialMark, origin: CredentialRecord['origin'], nowMs: number): CredentialRecord;
  /** Adds those that are not there. Of two records for one credential the first stays. */
  keep(records: readonly CredentialRecord[]): Promise<void>;
  /** @param endsAt null takes the end back */
  setEnd(ids: readonly string[], endsAt: string | null): Promise<void>;
  /** Notes when credentials were last used, by id. */
  noteUses(uses: Readonly<Record<string, string>>): Promise<void>;
  /** When credentials were last used, by id. */
  readUses(): Promise<Readonly<Record<string, string>>>;
}

const RECORDS = `${REGISTRY}:credentials`;
const ENDS = `${REGISTRY}:credential-ends`;
const USES = `${REGISTRY}:credential-uses`;

const placeOf: CredentialRecords['placeOf'] = ({ kind, name, sha256 }) => `${kind}:${name ?? ''}:${sha256}`;

export const openCredentialRecords = (store: Store): CredentialRecords => {
  const { redis } = store;
  return {
    placeOf,
    draft: ({ kind, name, sha256 }, origin, nowMs) => ({
      id: `crd_${randomBytes(6).toString('hex')}`,
      kind,
      name,
      sha256,
      origin,
      createdAt: toIso(nowMs),
      endsAt: null,
    }),
    list: async () => {
      const [records, ends] = await Promise.all([redis.hgetall(RECORDS), redis.hgetall(ENDS)]);
      return Object.values(records)
        .map((text) => JSON.parse(text) as Omit<CredentialRecord, 'endsAt'>)
        .map((record) => ({ ...record, endsAt: ends[record.id] ?? null }))
        .sort((a, b) => (a.createdAt > b.createdAt || (a.createdAt === b.createdAt && a.id < b.id) ? -1 : 1));
    },
    keep: async (records) => {
      if (records.length === 0) return;
      await store.durably(RECORDS, async () => {
        const adding = redis.multi();
        for (const { endsAt, ...record } of records) {
          adding.hsetnx(RECORDS, placeOf(record), JSON.stringify(record));
          if (endsAt !== null) adding.hsetnx(ENDS, record.id, endsAt);
        }
        await adding.exec();
      });
    },
    setEnd: async (ids, endsAt) => {
      if (ids.length === 0) return;
      const ends = Object.fromEntries(ids.map((id) => [id, endsAt ?? '']));
      await store.durably(ENDS, () => (endsAt === null ? redis.hdel(ENDS, ...ids) : redis.hset(ENDS, ends)));
    },
    noteUses: async (uses) => {
      if (Object.keys(uses).length > 0) await redis.hset(USES, uses);
    },
    readUses: () => redis.hgetall(USES),
  };
};
