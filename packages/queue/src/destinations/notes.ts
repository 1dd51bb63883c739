import { HOUR_MS } from '@clickrelay/core';
import { type RegularWrite, writeRegularly } from '../counts/write-regularly.ts';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';

/*
 * What processes notice about a destination while they work, for health: the last time counts. It is kept in memory and
 * written every few seconds.
 */

/** When a consumer of a pull destination last leased, or asked and got nothing. In ms, by destination. */
const ASKED = `${REGISTRY}:asked`;
/** When the certificate that the destination showed at a handshake ends. In ms, by destination. */
const CERTIFICATES = `${REGISTRY}:certificates`;

const WRITE_MS = 5_000;
/** A certificate is noted at most this often: a handshake may come every second. */
const CERTIFICATE_EVERY_MS = HOUR_MS;

export interface DestinationNotes extends RegularWrite {
  asked(destinationId: string): void;
  /** @param endsAt in ms since 1970 */
  certificate(destinationId: string, endsAt: number): void;
}

export const createDestinationNotes = (
  store: Store,
  { onError, writeMs = WRITE_MS }: { onError: (error: unknown) => void; writeMs?: number },
): DestinationNotes => {
  const pending = { [ASKED]: new Map<string, number>(), [CERTIFICATES]: new Map<string, number>() };
  /** By destination: what was noted, and when. */
  const noted = new Map<string, { readonly endsAt: number; readonly at: number }>();

  const write = async (): Promise<void> => {
    for (const [key, notes] of Object.entries(pending)) {
      if (notes.size === 0) continue;
      const taken = new Map(notes);
      await store.redis.hset(key, taken);
      for (const [id, value] of taken) if (notes.get(id) === value) notes.delete(id);
    }
  };
  return {
    asked: (id) => {
      pending[ASKED]?.set(id, store.clock.now());
    },
    certificate: (id, endsAt) => {
      const last = noted.get(id);
      const now = performance.now();
      if (last?.endsAt === endsAt && now - last.at < CERTIFICATE_EVERY_MS) return;
      noted.set(id, { endsAt, at: now });
      pending[CERTIFICATES]?.set(id, endsAt);
    },
    ...writeRegularly(write, { everyMs: writeMs, onError }),
  };
};

interface Noted {
  readonly askedAt: number | null;
  readonly certificateEndsAt: number | null;
}

/** What is noted of each destination. Forgets those that are gone. */
export const readNotes = async (store: Store, destinationIds: readonly string[]): Promise<Map<string, Noted>> => {
  const [asked, certificates] = await Promise.all([
    readOne(store, ASKED, destinationIds),
    readOne(store, CERTIFICATES, destinationIds),
  ]);
  return new Map(
    destinationIds.map((id) => [
      id,
      { askedAt: asked.get(id) ?? null, certificateEndsAt: certificates.get(id) ?? null },
    ]),
  );
};

const readOne = async (store: Store, key: string, present: readonly string[]): Promise<Map<string, number>> => {
  const all = Object.entries(await store.redis.hgetall(key));
  const known = new Set(present);
  const gone = all.filter(([id]) => !known.has(id));
  if (gone.length > 0) await store.redis.hdel(key, ...gone.map(([id]) => id));
  return new Map(all.map(([id, value]) => [id, Number(value)]));
};
