import { InvalidCallbackError, type LoggedEvent, restoreEvent, type StoredEvent, toIso } from '@clickrelay/core';
import { jobKeyOfClaim } from '../jobs/keys.ts';
import { eventKeys } from '../redis/names.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import { RECORD_HEAD_BYTES } from '../redis/size-limits.ts';
import type { Store } from '../redis/store.ts';
import { decodeHead, type RecordHead, readableHead, sourceIn, UnreadableRecordError } from './event-record.ts';
import { readPieces } from './pieces.ts';

/**
 * @returns undefined when the record, or a piece of its element, is gone
 * @throws {UnreadableRecordError | InvalidCallbackError} when it is damaged
 */
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

/** As `decodeRecord`, for a list: what cannot be read becomes an event that says so, and spoils its own row only. */
export const decodeListed = async (
  store: Store,
  { id, loggedAtMs }: { readonly id: string; readonly loggedAtMs: number },
  record: string,
): Promise<LoggedEvent | undefined> => {
  try {
    return await decodeRecord(store, id, record);
  } catch (error) {
    if (error instanceof UnreadableRecordError || error instanceof InvalidCallbackError) {
      return unreadable(id, readableHead(record), loggedAtMs);
    }
    throw error;
  }
};

const unreadable = (id: string, head: RecordHead | undefined, loggedAtMs: number): LoggedEvent => {
  const { integrationId = null, integrationName = null } = head ?? {};
  const nothing = { channel: null, from: null, to: null, messageId: null, relatedMessageId: null };
  return {
    event: {
      id,
      type: head?.type ?? 'unreadable',
      integrationId,
      integrationName,
      ...nothing,
      clientMessageId: null,
      occurredAt: null,
      receivedAt: head?.receivedAt ?? toIso(loggedAtMs),
      valid: false,
      issues: [{ path: '', message: new UnreadableRecordError().message }],
      data: {},
      raw: null,
    },
    source: 'null',
  };
};

/** The heads of these events, for lists; undefined for an event that is gone or cannot be read. */
export const readHeads = async (store: Store, eventIds: readonly string[]): Promise<(RecordHead | undefined)[]> => {
  const starts = (await sendAll(
    store,
    eventIds.map((id): RedisCommand => ['getrange', eventKeys(id).record, 0, RECORD_HEAD_BYTES - 1]),
  )) as string[];
  return Promise.all(
    starts.map(async (start, index) => {
      if (start.includes('\n')) return readableHead(start);
      return readableHead((start && (await store.redis.get(eventKeys(eventIds[index] as string).record))) || '');
    }),
  );
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
