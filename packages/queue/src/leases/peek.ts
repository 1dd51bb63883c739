import { deliveryId, EVENT_ID, type LoggedEvent, readPacing } from '@clickrelay/core';
import { openRoute } from '@clickrelay/routing';
import { parseDeliveryJob } from '../deliveries/delivery-job.ts';
import { createOrdering } from '../deliveries/ordering.ts';
import type { Destination } from '../destinations/destinations.ts';
import { listJobs } from '../jobs/list-jobs.ts';
import { parseWaitingJob, readWaitingJob } from '../jobs/read-jobs.ts';
import { listEvents } from '../log/list-events.ts';
import { decodeRecord } from '../log/read-event.ts';
import { destinationQueue, eventKeys } from '../redis/names.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import { MAX_PAGE_LENGTH } from '../redis/size-limits.ts';
import type { Store } from '../redis/store.ts';
import { takeTurns } from '../redis/take-turns.ts';

/** A delivery as its consumer would get it. */
export interface Peeked {
  readonly deliveryId: string;
  readonly attempt: number;
  readonly event: LoggedEvent;
}

/** In a queue where most deliveries wait for the one before them, looks through at most so many. */
const MOST_LOOKED_THROUGH = 1_000;
/** Reads so many of them at a time. */
const PAGE = 100;

/**
 * Shows what would be leased next, oldest first, without taking it; large events no more than a page may hold. A
 * destination that wants order shows one delivery of each conversation, and none while one of it is leased.
 */
export const peekWaiting = async (store: Store, { id, config }: Destination, limit: number): Promise<Peeked[]> => {
  const { ordering } = readPacing(config);
  const order = ordering === 'conversation' ? createOrdering(store, id) : undefined;
  const waiting = await listWaiting(store, id, order === undefined ? limit : MOST_LOOKED_THROUGH);
  const peeked: Peeked[] = [];
  let characters = 0;
  for await (const one of readWaiting(store, id, waiting)) {
    if (order !== undefined && !(await order.isNext(one.event.event))) continue;
    peeked.push(one);
    characters += one.event.source.length;
    if (peeked.length === limit || characters > MAX_PAGE_LENGTH) break;
  }
  return peeked;
};

const listWaiting = async (store: Store, destinationId: string, most: number): Promise<string[]> => {
  const queue = destinationQueue(destinationId);
  const range = { from: 0, count: most };
  const [first, second] = await Promise.all([
    listJobs(store, queue, 'waiting', range),
    listJobs(store, queue, 'second', range),
  ]);
  return [...first, ...second].filter((id) => EVENT_ID.test(id)).slice(0, most);
};

async function* readWaiting(store: Store, destinationId: string, ids: readonly string[]): AsyncGenerator<Peeked> {
  const queue = destinationQueue(destinationId);
  for (let at = 0; at < ids.length; at += PAGE) {
    const page = ids.slice(at, at + PAGE);
    const replies = await sendAll(
      store,
      page.flatMap((id): RedisCommand[] => [['get', eventKeys(id).record], readWaitingJob(queue, id)]),
    );
    for (const [index, id] of page.entries()) {
      const logged = await decodeRecord(store, id, replies[2 * index] as string | null);
      const { data, attemptsMade, stalledCount } = parseWaitingJob(replies[2 * index + 1]);
      if (logged === undefined) continue;
      const { a: before = 0 } = parseDeliveryJob(JSON.parse(data ?? '{}'));
      const attempt = before + attemptsMade + stalledCount + 1;
      yield { deliveryId: deliveryId(id, destinationId), attempt, event: logged };
    }
  }
}

/** Gives up after so many events of a log that holds few of the wanted ones. */
const MOST_READ = 2_000;

/** Shows the newest events in the log that a destination wants, whatever became of them. */
export const peekRecent = async (store: Store, destination: Destination, limit: number): Promise<Peeked[]> => {
  const route = openRoute(destination);
  const nextTurn = takeTurns();
  const found: Peeked[] = [];
  let characters = 0;
  let cursor: string | undefined;
  for (let read = 0; read < MOST_READ; ) {
    const { items, next } = await listEvents(store, { limit: 100, cursor });
    for (const event of items) {
      await nextTurn();
      if (!route.wants(event.event)) continue;
      found.push({ deliveryId: deliveryId(event.event.id, destination.id), attempt: 1, event });
      characters += event.source.length;
      if (found.length === limit || characters > MAX_PAGE_LENGTH) return found;
    }
    if (next === null) break;
    cursor = next;
    read += items.length;
  }
  return found;
};
