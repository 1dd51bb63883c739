import { type LoggedEvent, restoreEvent, type StoredEvent } from '@clickrelay/core';
import { jobKeyOfClaim } from '../jobs/keys.ts';
import { eventKeys } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { decodeHead, sourceIn } from './event-record.ts';
import { readPieces } from './pieces.ts';

/** @returns undefined when the record, or a piece of its element, is gone. */
export const decodeRecord = async (
  store: Store,
  eventId: string,
  record: string | null,
): Promise<LoggedEvent | undefined> => {
  if (record === null) return undefined;
  const head = decodeHead(record);
  if (head === undefined) return undefined;
  const { type, integrationId, integrationName, receivedAt, pieces } = head;
  const source = pieces ? await readPieces(store, eventId, pieces) : sourceIn(record);
  if (source === undefined) return undefined;
  const stored: StoredEvent = { id: eventId, type, integrationId, integrationName, receivedAt, source };
  return restoreEvent(stored);
};

export const readEvent = async (store: Store, eventId: string): Promise<LoggedEvent | undefined> =>
  decodeRecord(store, eventId, await store.redis.get(eventKeys(eventId).record));

/** The destinations that an event was routed to when it was logged. */
export const readRoutes = async (store: Store, eventId: string): Promise<readonly string[]> => {
  const record = await store.redis.get(eventKeys(eventId).record);
  return record === null ? [] : (decodeHead(record)?.routes ?? []);
};

/** Whether the group that brought an event is still being routed: its delivery may not be queued so far. */
export const isBeingRouted = async (store: Store, eventId: string): Promise<boolean> => {
  const record = await store.redis.get(eventKeys(eventId).record);
  const job = record === null ? undefined : jobKeyOfClaim(decodeHead(record)?.claim ?? '');
  return job !== undefined && (await store.redis.exists(job)) === 1;
};
