import { addLedgers, type Ledger, SHARDS, toIso } from '@clickrelay/core';
import { listDestinations, listLiving } from '../destinations/destinations.ts';
import { listHolds } from '../destinations/holds.ts';
import { shardKeys } from '../redis/names.ts';
import { defineCursor } from '../redis/page.ts';
import { sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import type { UndecidedDelivery } from './judge-delivery.ts';
import { judgeAgain, judgeOnce } from './judge-undecided.ts';
import { createLedgerRows } from './ledger-rows.ts';
import { readLedgerBatch } from './read-ledger-batch.ts';

/*
 * Was anything never delivered? For every event in the log, its record says where it was routed to, the hash beside it
 * how far each delivery is, and the destination's queue whether anybody will go on with it. These three are written
 * separately, so the ledger can hold them against each other. Nothing here is a counter, which could drift.
 *
 * Each delivery is in exactly one column: `judgeDelivery` says in which. One that is not delivered, has no job and no
 * open ingest group is `unaccounted`: nobody will ever send it. A delivery that seems to be unaccounted for may only
 * have changed while it was read, so it is looked at again before the ledger says so.
 */

/** The ledger of a part of the log. */
export interface LedgerPart extends Ledger {
  /** Share of the log that was walked, this part included, 0 to 1. */
  readonly progress: number;
  /** Where the next part begins; null at the end. */
  readonly next: string | null;
}

export interface LedgerOptions {
  readonly from?: Date | undefined;
  /** @default now */
  readonly to?: Date | undefined;
  /** Only this one. */
  readonly destinationId?: string | undefined;
}

export interface LedgerPartOptions extends LedgerOptions {
  /** `next` of the part before; with the same options. */
  readonly cursor?: string | undefined;
  /** About how many events one part may look at. @default 100000 */
  readonly maxEvents?: number | undefined;
  /** About how long it may take, in ms. @default 2000 */
  readonly maxMs?: number | undefined;
}

/** Redis serves nobody else while a script runs: two or three milliseconds. */
const BATCH = 250;

/** Places in the walk: its end, the shard, and the score behind which the next batch of the shard begins. */
const CURSOR = defineCursor({ to: /\d{1,17}/, shard: /\d{1,2}/, after: /\d{1,17}|/ });

/**
 * The ledger of a part of the log, of bounded work.
 * @param options The same for every part but the cursor.
 */
export const readLedgerPart = async (store: Store, options: LedgerPartOptions): Promise<LedgerPart> => {
  const { from, destinationId, maxEvents = 100_000, maxMs = 2_000 } = options;
  const deadline = performance.now() + maxMs;
  const begin = CURSOR.read(options.cursor);
  // Fixed with the first part: this ledger leaves out what is logged meanwhile.
  const to = begin === undefined ? await readEnd(store, options.to) : Number(begin.to);
  const fromScore = String(from ? from.getTime() * 1_000 : 0);
  const [living, parked] = await Promise.all([listLiving(store), listParked(store)]);

  const rows = createLedgerRows();
  const doubts: UndecidedDelivery[] = [];
  let events = 0;
  let unrouted = 0;
  let shard = Number(begin?.shard ?? 0);
  let after: string | null = begin?.after || null;
  while (shard < SHARDS && events < maxEvents && performance.now() < deadline) {
    const lowest = after === null ? fromScore : `(${after}`;
    const batch = await readLedgerBatch(store, {
      shard,
      lowest,
      highest: `(${to}`,
      size: BATCH,
      living,
      destinationId,
    });
    events += batch.events;
    unrouted += batch.unrouted;
    for (const { destinationId: id, delivered, removed } of batch.counted) {
      rows.count(id, 'delivered', delivered);
      rows.count(id, 'removed', removed);
    }
    doubts.push(...(await judgeOnce(store, batch.undecided, { parked, rows, atOnce: BATCH })));
    after = batch.last;
    if (after === null) shard++;
  }
  await judgeAgain(store, doubts, { parked, rows, atOnce: BATCH });

  const isEnd = shard >= SHARDS;
  const destinations = rows.list();
  return {
    from: from?.toISOString() ?? null,
    to: toIso(to / 1_000),
    events,
    unrouted,
    completeSince: await readCompleteSince(store),
    balanced: destinations.every(({ unaccounted }) => unaccounted === 0),
    destinations,
    progress: isEnd ? 1 : shard / SHARDS,
    next: isEnd ? null : CURSOR.write({ to, shard, after: after ?? '' }),
  };
};

/** The score at which the walk ends: what was asked for, or now. */
const readEnd = async (store: Store, to: Date | undefined): Promise<number> => {
  const [seconds, micros] = await store.redis.time();
  const now = Number(seconds) * 1_000_000 + Number(micros);
  return Math.min(to ? to.getTime() * 1_000 : now, now);
};

/**
 * Destinations that are parked: nothing is sent to them, and their deliveries are kept. Either somebody paused the
 * destination by hand, or it answered 410 (gone) and is paused for that, or its circuit is open.
 */
const listParked = async (store: Store): Promise<ReadonlySet<string>> => {
  const [destinations, holds] = await Promise.all([listDestinations(store), listHolds(store, store.clock.now())]);
  const parked = destinations.filter(({ id, paused }) => paused !== null || holds.get(id)?.reason === 'failing');
  return new Set(parked.map(({ id }) => id));
};

const readCompleteSince = async (store: Store): Promise<string | null> => {
  const removed = await sendAll(
    store,
    Array.from({ length: SHARDS }, (_, shard) => ['get', shardKeys(shard).removedUntil] as const),
  );
  const last = Math.max(...removed.map((micros) => Number(micros ?? 0)));
  return last === 0 ? null : toIso(Math.ceil((last + 1) / 1_000));
};

/**
 * The whole ledger of a time span, part by part. 100,000 events take Redis about a second, in steps of two or three
 * milliseconds.
 */
export const readLedger = async (store: Store, options: LedgerOptions = {}): Promise<Ledger> => {
  const parts: LedgerPart[] = [];
  for (let cursor: string | null | undefined; cursor !== null; cursor = parts.at(-1)?.next ?? null) {
    parts.push(await readLedgerPart(store, { ...options, cursor }));
  }
  return addLedgers(parts);
};
