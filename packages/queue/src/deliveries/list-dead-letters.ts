import { deliveryId, parseDeliveryId, toIso } from '@clickrelay/core';
import { listDestinations } from '../destinations/destinations.ts';
import { failedKey } from '../jobs/keys.ts';
import type { DeadLetterKind } from '../jobs/outcome.ts';
import { readDeadKinds } from '../jobs/read-jobs.ts';
import { readEvent } from '../log/read-event.ts';
import { destinationQueue } from '../redis/names.ts';
import { defineCursor, type Page } from '../redis/page.ts';
import type { Store } from '../redis/store.ts';
import { readDelivery } from './read-deliveries.ts';

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
}

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
  const { limit } = options;
  const destinationIds = options.destinationId
    ? [options.destinationId]
    : (await listDestinations(store)).map(({ id }) => id);
  const after = readCursor(options.cursor);
  const found: FailedOfKind[] = [];
  for (const destinationId of destinationIds) {
    found.push(...(await listFailed(store, destinationId, { after, kind: options.kind, atLeast: limit + 1 })));
  }
  const page = found.sort(compare).slice(0, limit + 1);
  const items = await Promise.all(page.slice(0, limit).map((failed) => describe(store, failed)));
  const last = page[limit - 1];
  return { items, next: page.length > limit && last ? writeCursor(last) : null };
};

/** The newest dead letters of a destination behind a place: at least so many, or all. */
const listFailed = async (
  store: Store,
  destinationId: string,
  { after, kind, atLeast }: { after: Failed | undefined; kind: DeadLetterKind | undefined; atLeast: number },
): Promise<FailedOfKind[]> => {
  const queue = destinationQueue(destinationId);
  const key = failedKey(queue);
  // The failed jobs are scored with the time of failure. Ties at the cursor are read again and skipped.
  const newest = after?.failedAtMs ?? '+inf';
  for (let count = atLeast + 100; ; count *= 4) {
    const members = await store.redis.zrevrangebyscore(key, newest, '-inf', 'LIMIT', 0, count);
    const scores = members.length === 0 ? [] : await store.redis.zmscore(key, ...members);
    const further = members
      .map((eventId, index) => ({ destinationId, eventId, failedAtMs: Number(scores[index] ?? 0) }))
      .filter((failed) => after === undefined || compare(after, failed) < 0);
    const kinds = await readDeadKinds(
      store,
      further.map(({ eventId }) => ({ queue, jobId: eventId })),
    );
    const wanted = further
      .map((failed, index) => ({ ...failed, kind: kinds[index] as DeadLetterKind }))
      .filter((failed) => (kind ?? failed.kind) === failed.kind);
    if (wanted.length >= atLeast || members.length < count) return wanted;
  }
};

const describe = async (
  store: Store,
  { destinationId, eventId, failedAtMs, kind }: FailedOfKind,
): Promise<DeadLetter> => {
  const id = deliveryId(eventId, destinationId);
  const [job, delivery, logged] = await Promise.all([
    store.queue(destinationQueue(destinationId)).getJob(eventId),
    readDelivery(store, id),
    readEvent(store, eventId),
  ]);
  return {
    deliveryId: id,
    eventId,
    destinationId,
    eventType: logged?.event.type ?? 'unknown',
    kind,
    error: job?.failedReason ?? 'unknown',
    errorCode: delivery?.attempts.at(-1)?.error?.code ?? null,
    status: delivery?.attempts.at(-1)?.status ?? null,
    receivedAt: logged?.event.receivedAt ?? null,
    failedAt: toIso(failedAtMs),
    attempts: delivery?.attempts.length ?? 0,
  };
};
