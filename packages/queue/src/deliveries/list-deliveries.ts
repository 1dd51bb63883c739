import { nextPlaces, type Place } from '../log/places.ts';
import { readHeads } from '../log/read-event.ts';
import { defineCursor, type Page } from '../redis/page.ts';
import type { Store } from '../redis/store.ts';
import { type Delivery, type DeliveryState, listDeliveriesOf } from './read-deliveries.ts';

/** A delivery in a list: what came last, without its attempts. */
export interface ListedDelivery extends Omit<Delivery, 'attempts'> {
  /** `unknown` when the event is gone. */
  readonly eventType: string;
  /** When the callback came; null when the event is gone. */
  readonly receivedAt: string | null;
  readonly attempts: number;
  readonly lastAttemptAt: string | null;
  /** The answer to the last attempt. */
  readonly status: number | null;
  readonly errorCode: string | null;
  readonly error: string | null;
}

export interface ListDeliveriesOptions {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly state?: DeliveryState | undefined;
  readonly destinationId?: string | undefined;
  /** Of the last attempt. */
  readonly errorCode?: string | undefined;
  /** Of events logged at or after this time. */
  readonly since?: Date | undefined;
  /** Of events logged before this time. */
  readonly until?: Date | undefined;
  /** Ends the search, with what it has found. */
  readonly signal?: AbortSignal | undefined;
  /** How long the search may take, in ms. @default 2000 */
  readonly maxMs?: number | undefined;
}

/** How many events are looked at to fill a page. A page may end here, short of `limit` and with a `next`. */
const MOST_READ_PER_PAGE = 5_000;
const MAX_MS = 2_000;
/** Events whose deliveries are read together: an attempt may have 16 KB. */
const READ_AT_ONCE = 250;

/** Stands for the last destination of an event: it sorts behind every id. */
const ALL = '~';
/** The place of an event in the log, and the last of its destinations that was looked at. */
const CURSOR = defineCursor({ score: /\d{1,17}/, id: /evt_[\w-]{22}/, destinationId: /[a-z0-9-]+|~/ });

interface Found {
  readonly place: Place;
  readonly delivery: Delivery;
}

/** The deliveries of the log, those of the newest event first, and of one event by destination. */
export const listDeliveriesByArrival = async (
  store: Store,
  options: ListDeliveriesOptions,
): Promise<Page<ListedDelivery>> => {
  const { limit, cursor, state, destinationId, errorCode, since, until, signal, maxMs = MAX_MS } = options;
  const wants = (one: Delivery): boolean =>
    one.state === (state ?? one.state) &&
    one.destinationId === (destinationId ?? one.destinationId) &&
    (errorCode === undefined || one.attempts.at(-1)?.error?.code === errorCode);
  const span = {
    lowest: since ? since.getTime() * 1_000 : 0,
    highest: until ? until.getTime() * 1_000 - 1 : Number.MAX_SAFE_INTEGER,
    order: 'desc' as const,
    count: READ_AT_ONCE,
  };
  const overAt = performance.now() + maxMs;
  const begin = CURSOR.read(cursor);
  let last: Place | undefined = begin && { score: Number(begin.score), id: begin.id };
  const found: Found[] = last === undefined ? [] : await readBehind(store, last, begin?.destinationId ?? ALL, wants);
  let isEnd = false;
  for (let read = 0; !isEnd && found.length <= limit && read < MOST_READ_PER_PAGE; read += READ_AT_ONCE) {
    const places = await nextPlaces(store, { ...span, after: last });
    const all = await listDeliveriesOf(
      store,
      places.map(({ id }) => id),
    );
    for (const [index, place] of places.entries()) {
      for (const delivery of all[index] ?? []) if (wants(delivery)) found.push({ place, delivery });
    }
    last = places.at(-1) ?? last;
    isEnd = places.length < READ_AT_ONCE;
    if (signal?.aborted || performance.now() >= overAt) break;
  }
  const page = found.slice(0, limit);
  const items = await describeDeliveries(
    store,
    page.map(({ delivery }) => delivery),
  );
  const end = page.at(-1);
  if (found.length > limit && end !== undefined) {
    return { items, next: CURSOR.write({ ...end.place, destinationId: end.delivery.destinationId }) };
  }
  return { items, next: isEnd || last === undefined ? null : CURSOR.write({ ...last, destinationId: ALL }) };
};

/** What is left of the event in which the page before ended. */
const readBehind = async (
  store: Store,
  place: Place,
  destinationId: string,
  wants: (one: Delivery) => boolean,
): Promise<Found[]> => {
  if (destinationId === ALL) return [];
  const [deliveries = []] = await listDeliveriesOf(store, [place.id]);
  const left = deliveries.filter((one) => one.destinationId > destinationId && wants(one));
  return left.map((delivery) => ({ place, delivery }));
};

export const describeDeliveries = async (store: Store, deliveries: readonly Delivery[]): Promise<ListedDelivery[]> => {
  const heads = await readHeads(
    store,
    deliveries.map(({ eventId }) => eventId),
  );
  return deliveries.map(({ attempts, ...delivery }, index) => {
    const last = attempts.at(-1);
    return {
      ...delivery,
      eventType: heads[index]?.type ?? 'unknown',
      receivedAt: heads[index]?.receivedAt ?? null,
      attempts: attempts.length,
      lastAttemptAt: last?.startedAt ?? null,
      status: last?.status ?? null,
      errorCode: last?.error?.code ?? null,
      error: last?.error?.message ?? null,
    };
  });
};
