import { deliveryId, parseDeliveryId, toIso } from '@clickrelay/core';
import { listDestinations } from '../destinations/destinations.ts';
import { failedKey } from '../jobs/keys.ts';
import type { DeadLetterKind } from '../jobs/outcome.ts';
import { readDeadKinds, readFailedReasons } from '../jobs/read-jobs.ts';
import { readHeads } from '../log/read-event.ts';
import { destinationQueue } from '../redis/names.ts';
import { defineCursor, type Page } from '../redis/page.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { listDeliveriesOf } from './read-deliveries.ts';

/** A delivery that ended without success. It is kept until a person replays or removes it. */
export interface DeadLetter {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly destinationId: string;
  readonly eventType: string;
  readonly kind: DeadLetterKind;
  readonly error: string;
  /** Of the last attempt; null when the attempt is no longer kept. */
  readonly errorCode: string | null;
  /** The answer to the last attempt; null when there was none, or the attempt is no longer kept. */
  readonly status: number | null;
  /** When the callback came; null when the event is gone. */
  readonly receivedAt: string | null;
  readonly failedAt: string;
  readonly attempts: number;
}

export interface ListDeadLettersOptions {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly destinationId?: string | undefined;
  readonly kind?: DeadLetterKind | undefined;
  /** Failed at or after this time. */
  readonly since?: Date | undefined;
  /** Failed before this time. */
  readonly until?: Date | undefined;
  /** Ends the search, with what it has found. */
  readonly signal?: AbortSignal | undefined;
  /** How long the search may take, in ms. @default 2000 */
  readonly maxMs?: number | undefined;
}

/** How many dead letters are looked at to fill a page. A page of one kind may end here, short and with a `next`. */
const MOST_READ_PER_PAGE = 5_000;
const MAX_MS = 2_000;
/** How many are looked at together when only those of one kind are wanted. */
const LOOKED_AT_ONCE = 500;

interface Failed {
  readonly destinationId: string;
  readonly eventId: string;
  readonly failedAtMs: number;
}

interface FailedOfKind extends Failed {
  readonly kind: DeadLetterKind;
}

/** When it failed, in ms, and its delivery id. */
const CURSOR = defineCursor({ failedAtMs: /\d{1,15}/, id: /dlv_.+/ });

const writeCursor = ({ failedAtMs, destinationId, eventId }: Failed): string =>
  CURSOR.write({ failedAtMs, id: deliveryId(eventId, destinationId) });

const readCursor = (cursor: string | undefined): Failed | undefined => {
  const place = CURSOR.read(cursor);
  const delivery = parseDeliveryId(place?.id ?? '');
  return place && delivery && { failedAtMs: Number(place.failedAtMs), ...delivery };
};

/** Newest first; ties by destination, and within one as Redis has them: the largest id first. */
const compare = (a: Failed, b: Failed): number =>
  b.failedAtMs - a.failedAtMs ||
  (a.destinationId < b.destinationId ? -1 : a.destinationId > b.destinationId ? 1 : a.eventId > b.eventId ? -1 : 1);

export const listDeadLetters = async (store: Store, options: ListDeadLettersOptions): Promise<Page<DeadLetter>> => {
  const { limit, kind, since, until, signal, maxMs = MAX_MS } = options;
  const destinationIds = options.destinationId
    ? [options.destinationId]
    : (await listDestinations(store)).map(({ id }) => id);
  const span = { lowest: since?.getTime() ?? 0, highest: until ? until.getTime() - 1 : Number.MAX_SAFE_INTEGER };
  const count = kind === undefined ? limit + 1 : LOOKED_AT_ONCE;
  const overAt = performance.now() + maxMs;
  const found: FailedOfKind[] = [];
  let last = readCursor(options.cursor);
  let isEnd = false;
  for (let read = 0; !isEnd && found.length <= limit && read < MOST_READ_PER_PAGE; read += count) {
    const next = await nextFailed(store, destinationIds, { ...span, after: last, count });
    const kinds = await readDeadKinds(store, next.map(jobOf));
    const ofKind = next.map((failed, index) => ({ ...failed, kind: kinds[index] as DeadLetterKind }));
    found.push(...ofKind.filter((failed) => failed.kind === (kind ?? failed.kind)));
    last = next.at(-1) ?? last;
    isEnd = next.length < count;
    if (signal?.aborted || performance.now() >= overAt) break;
  }
  const page = found.slice(0, limit);
  const items = await describe(store, page);
  if (found.length > limit) last = page.at(-1);
  else if (isEnd) last = undefined;
  return { items, next: last === undefined ? null : writeCursor(last) };
};

interface Span {
  readonly after: Failed | undefined;
  readonly lowest: number;
  readonly highest: number;
  readonly count: number;
}

/** The next dead letters behind a place, across these destinations: so many, or all that are left. */
const nextFailed = async (
  store: Store,
  destinationIds: readonly string[],
  { after, lowest, highest, count }: Span,
): Promise<Failed[]> => {
  const newest = Math.min(highest, after?.failedAtMs ?? highest);
  // The failed jobs are scored with the time of failure. Ties at the place are read again and skipped. While a
  // destination may have more than was read of it, what lies beyond its last one is not known.
  for (let each = Math.ceil((2 * count) / destinationIds.length) + 16; destinationIds.length > 0; each *= 4) {
    const replies = await sendAll(
      store,
      destinationIds.map((id): RedisCommand => {
        const key = failedKey(destinationQueue(id));
        return ['zrevrangebyscore', key, newest, lowest, 'WITHSCORES', 'LIMIT', 0, each];
      }),
    );
    const read = replies.map((reply, index) => decodeFailed(destinationIds[index] as string, reply as string[]));
    const horizon = read
      .flatMap((some) => (some.length < each ? [] : some.slice(-1)))
      .sort(compare)
      .at(0);
    const known = read
      .flat()
      .filter((failed) => after === undefined || compare(after, failed) < 0)
      .filter((failed) => horizon === undefined || compare(failed, horizon) <= 0);
    if (horizon === undefined || known.length >= count) return known.sort(compare).slice(0, count);
  }
  return [];
};

const decodeFailed = (destinationId: string, flat: readonly string[]): Failed[] =>
  Array.from({ length: flat.length / 2 }, (_, index) => ({
    destinationId,
    eventId: flat[2 * index] as string,
    failedAtMs: Number(flat[2 * index + 1]),
  }));

const jobOf = ({ destinationId, eventId }: Failed) => ({ queue: destinationQueue(destinationId), jobId: eventId });

const describe = async (store: Store, page: readonly FailedOfKind[]): Promise<DeadLetter[]> => {
  const eventIds = page.map(({ eventId }) => eventId);
  const [reasons, deliveries, heads] = await Promise.all([
    readFailedReasons(store, page.map(jobOf)),
    listDeliveriesOf(store, eventIds),
    readHeads(store, eventIds),
  ]);
  return page.map(({ destinationId, eventId, failedAtMs, kind }, index) => {
    const attempts = deliveries[index]?.find((one) => one.destinationId === destinationId)?.attempts ?? [];
    const { error, status } = attempts.at(-1) ?? {};
    return {
      deliveryId: deliveryId(eventId, destinationId),
      eventId,
      destinationId,
      eventType: heads[index]?.type ?? 'unknown',
      kind,
      error: reasons[index] ?? 'unknown',
      errorCode: error?.code ?? null,
      status: status ?? null,
      receivedAt: heads[index]?.receivedAt ?? null,
      failedAt: toIso(failedAtMs),
      attempts: attempts.length,
    };
  });
};
