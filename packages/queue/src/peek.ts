import { deliveryId, EVENT_ID, type LoggedEvent } from '@clickrelay/core';
import { openRoute } from '@clickrelay/routing';
import type { Destination } from './destinations.ts';
import { decodeRecord, listEvents, MOST_CHARACTERS_PER_PAGE } from './event-log.ts';
import { destinationQueue, eventKeys, jobKey, prioritizedKey, waitKey } from './names.ts';
import { type RedisCommand, sendAll } from './send-all.ts';
import type { Store } from './store.ts';

/** A delivery as its consumer would get it. */
export interface Peeked {
  readonly deliveryId: string;
  readonly attempt: number;
  readonly event: LoggedEvent;
}

/** What waits, the oldest first, and of large events no more than a page may hold. Takes nothing. */
export const peekWaiting = async (store: Store, destinationId: string, limit: number): Promise<Peeked[]> => {
  const queue = destinationQueue(destinationId);
  // Taken from the right.
  const [first, second] = await Promise.all([
    store.redis.lrange(waitKey(queue), -limit, -1),
    store.redis.zrange(prioritizedKey(queue), 0, String(limit - 1)),
  ]);
  const ids = [...first.reverse(), ...second].filter((id) => EVENT_ID.test(id)).slice(0, limit);
  const replies = await sendAll(
    store,
    ids.flatMap((id): RedisCommand[] => [
      ['get', eventKeys(id).record],
      ['hmget', jobKey(queue, id), 'data', 'atm', 'stc'],
    ]),
  );
  const peeked: Peeked[] = [];
  let characters = 0;
  for (const [index, id] of ids.entries()) {
    const logged = await decodeRecord(store, id, replies[2 * index] as string | null);
    const [data, attemptsMade, stalled] = replies[2 * index + 1] as (string | null)[];
    if (logged === undefined) continue;
    const { a: before = 0 } = JSON.parse(data ?? '{}') as { a?: number };
    const attempt = before + Number(attemptsMade ?? 0) + Number(stalled ?? 0) + 1;
    peeked.push({ deliveryId: deliveryId(id, destinationId), attempt, event: logged });
    characters += logged.source.length;
    if (characters > MOST_CHARACTERS_PER_PAGE) break;
  }
  return peeked;
};

/** Of an old log of other events no more is read than this. */
const MOST_READ = 2_000;

/** The newest events in the log that a destination wants, whatever became of them. Takes nothing. */
export const peekRecent = async (store: Store, destination: Destination, limit: number): Promise<Peeked[]> => {
  const route = openRoute(destination);
  const found: Peeked[] = [];
  let characters = 0;
  let cursor: string | undefined;
  for (let read = 0; read < MOST_READ; ) {
    const { items, next } = await listEvents(store, { limit: 100, cursor });
    for (const event of items) {
      if (!route.wants(event.event)) continue;
      found.push({ deliveryId: deliveryId(event.event.id, destination.id), attempt: 1, event });
      characters += event.source.length;
      if (found.length === limit || characters > MOST_CHARACTERS_PER_PAGE) return found;
    }
    if (next === null) break;
    cursor = next;
    read += items.length;
  }
  return found;
};
