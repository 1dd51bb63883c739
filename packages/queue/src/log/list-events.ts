import { type Event, type LoggedEvent, SHARDS } from '@clickrelay/core';
import { eventKeys, shardKeys } from '../redis/names.ts';
import type { Page } from '../redis/page.ts';
import { sendAll } from '../redis/send-all.ts';
import { MAX_PAGE_LENGTH } from '../redis/size-limits.ts';
import type { Store } from '../redis/store.ts';
import { nextPlaces, type Place, readPlace, writePlace } from './places.ts';
import { decodeListed } from './read-event.ts';

export interface ListEventsOptions {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly types?: readonly string[] | undefined;
  /** Which events to list. @default all of `types` */
  readonly wants?: ((event: Event) => boolean) | undefined;
  /** Logged at or after this time. */
  readonly since?: Date | undefined;
  /** Logged before this time. */
  readonly until?: Date | undefined;
  /** Ends the search, with what it has found. */
  readonly signal?: AbortSignal | undefined;
  /** How long the search may take, in ms. @default 2000 */
  readonly maxMs?: number | undefined;
}

/** How many events are read to fill a page. With a filter a page may end here, short of `limit` and with a `next`. */
const MOST_READ_PER_PAGE = 5_000;
const MAX_MS = 2_000;
/** Places read at a time with a filter: each read visits every shard, which is too much for a few events. */
const PLACES_AT_ONCE = 500;
/** Records read at a time: each may have 256 KB. */
const RECORDS_AT_ONCE = 64;

interface Walked {
  readonly items: LoggedEvent[];
  /** The last place that was read. */
  readonly last: Place | undefined;
  readonly ended: boolean;
}

const walk = async (store: Store, options: ListEventsOptions, order: 'asc' | 'desc'): Promise<Walked> => {
  const { limit, types, wants = () => true, signal, maxMs = MAX_MS } = options;
  const count = types === undefined && options.wants === undefined ? limit : PLACES_AT_ONCE;
  const overAt = performance.now() + maxMs;
  const lowest = options.since ? options.since.getTime() * 1_000 : 0;
  const highest = options.until ? options.until.getTime() * 1_000 - 1 : Number.MAX_SAFE_INTEGER;
  const items: LoggedEvent[] = [];
  let characters = 0;
  let last = readPlace(options.cursor);
  for (let read = 0; read < MOST_READ_PER_PAGE; ) {
    const places = await nextPlaces(store, { after: last, lowest, highest, order, count });
    read += places.length;
    for (let from = 0; from < places.length; from += RECORDS_AT_ONCE) {
      const some = places.slice(from, from + RECORDS_AT_ONCE);
      const records = (await sendAll(
        store,
        some.map(({ id }) => ['get', eventKeys(id).record]),
      )) as (string | null)[];
      for (const [index, place] of some.entries()) {
        last = place;
        const record = records[index] ?? null;
        if (record === null) continue;
        const logged = await decodeListed(store, { id: place.id, loggedAtMs: place.score / 1_000 }, record);
        if (logged === undefined || types?.includes(logged.event.type) === false || !wants(logged.event)) continue;
        items.push(logged);
        characters += logged.source.length;
        const isFull = items.length === limit || characters > MAX_PAGE_LENGTH;
        if (isFull) return { items, last, ended: false };
      }
      if (signal?.aborted || performance.now() >= overAt) return { items, last, ended: false };
    }
    if (places.length < count) return { items, last, ended: true };
  }
  return { items, last, ended: false };
};

/** How many events were logged from `since` until `until`. */
export const countEvents = async (
  store: Store,
  { since, until }: Pick<ListEventsOptions, 'since' | 'until'>,
): Promise<number> => {
  const from = since ? since.getTime() * 1_000 : '-inf';
  const to = until ? until.getTime() * 1_000 - 1 : '+inf';
  const counts = await sendAll(
    store,
    Array.from({ length: SHARDS }, (_, shard) => ['zcount', shardKeys(shard).log, from, to] as const),
  );
  return counts.reduce((sum: number, count) => sum + Number(count), 0);
};

/** Newest first. */
export const listEvents = async (store: Store, options: ListEventsOptions): Promise<Page<LoggedEvent>> => {
  const { items, last, ended } = await walk(store, options, 'desc');
  return { items, next: ended || last === undefined ? null : writePlace(last) };
};

export interface FollowEventsOptions {
  readonly limit: number;
  /** The `next` of the page before. Without it, and without `since`, following begins now. */
  readonly after?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: ListEventsOptions['until'];
  readonly types?: readonly string[] | undefined;
  readonly wants?: ListEventsOptions['wants'];
  readonly signal?: ListEventsOptions['signal'];
}

/** Oldest first, for a reader that follows the log: `next` always says where to continue, at the end too. */
export const followEvents = async (
  store: Store,
  { after, since, until, limit, types, wants, signal }: FollowEventsOptions,
): Promise<{ items: LoggedEvent[]; next: string; ended: boolean }> => {
  if (after === undefined && since === undefined) {
    const [seconds, micros] = await store.redis.time();
    return {
      items: [],
      next: writePlace({ score: Number(seconds) * 1_000_000 + Number(micros), id: '' }),
      ended: true,
    };
  }
  const { items, last, ended } = await walk(store, { limit, cursor: after, since, until, types, wants, signal }, 'asc');
  const begin = { score: since?.getTime() ? since.getTime() * 1_000 : 0, id: '' };
  return { items, next: writePlace(last ?? begin), ended };
};
