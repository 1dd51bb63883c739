import { type Event, type LoggedEvent, SHARDS } from '@clickrelay/core';
import { isSlotMoving } from '../redis/explain-error.ts';
import { createGroupCommit, type GroupCommit } from '../redis/group-commit.ts';
import { keySlot } from '../redis/key-slot.ts';
import {
  addressesOf,
  eventOfField,
  indexField,
  messageAddress,
  parseMessageAddress,
  splitAddresses,
} from '../redis/message-address.ts';
import { eventKeys, messageIndexKey, shardKeys } from '../redis/names.ts';
import { defineCursor } from '../redis/page.ts';
import { runScript, type Script } from '../redis/script.ts';
import { sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { decodeListed } from './read-event.ts';

/*
 * Finds the events of a message. An entry is only a pointer: it is written after its event, written again when the
 * group of callbacks runs again after a crash, and removed after its event. So the index has every event in the log
 * whose group is done, and readers check each entry against the event in the log.
 */

export interface MessageIndex {
  /** Resolves when these events can be found by their messages. They must be in the log. */
  add(events: readonly Pick<Event, 'id' | 'messageId' | 'clientMessageId' | 'relatedMessageId'>[]): Promise<void>;
  drained(): Promise<void>;
}

export interface Entry {
  readonly key: string;
  readonly field: string;
}

/** The entries of an event. @param addresses see redis/message-address.ts */
export const entriesOf = (addresses: string, eventId: string): Entry[] =>
  splitAddresses(addresses).map((address) => ({
    key: messageIndexKey(address),
    field: indexField(address, eventId),
  }));

/** KEYS: bucket of each entry. ARGV: field of each. */
const INDEX: Script = {
  name: 'indexMessages',
  lua: "for i, key in ipairs(KEYS) do redis.call('HSET', key, ARGV[i], '') end",
};

/** Entries in one write. Redis serves no other client while a script runs: about a millisecond. */
const MOST_PER_WRITE = 1_000;

/** Entries of events that are logged at about the same time share a write. */
export const createMessageIndex = (store: Store): MessageIndex => {
  const write = async (entries: readonly Entry[]): Promise<void> => {
    const keys = entries.map(({ key }) => key);
    const fields = entries.map(({ field }) => field);
    try {
      await runScript(store.redis, INDEX, keys, fields);
    } catch (error) {
      if (!isSlotMoving(error)) throw error;
      // A command with one key is carried out also while its slot moves.
      await sendAll(
        store,
        entries.map(({ key, field }) => ['hset', key, field, ''] as const),
      );
    }
  };
  const newGroup = (): GroupCommit<Entry[]> =>
    createGroupCommit<Entry[]>({
      maxItems: MOST_PER_WRITE,
      maxBytes: MOST_PER_WRITE,
      sizeOf: (entries) => entries.length,
      // No caller is in a hurry, and each entry that shares a write spares Redis an fsync.
      lingerMs: 25,
      write: (items) => write(items.flat()),
    });
  // On a Cluster a script may use one tag only, and a shard that cannot be used holds up no other.
  const groups = new Map<number, GroupCommit<Entry[]>>();
  const groupOf = (slot: number): GroupCommit<Entry[]> => {
    const group = groups.get(slot) ?? newGroup();
    groups.set(slot, group);
    return group;
  };
  return {
    add: async (events) => {
      const entries = events.flatMap((event) => entriesOf(addressesOf(event), event.id));
      const writes: Promise<void>[] = [];
      for (const [slot, some] of Map.groupBy(entries, ({ key }) => (store.isCluster ? keySlot(key) : 0))) {
        for (let from = 0; from < some.length; from += MOST_PER_WRITE) {
          writes.push(groupOf(slot).add(some.slice(from, from + MOST_PER_WRITE)));
        }
      }
      await Promise.all(writes);
    },
    drained: async () => {
      await Promise.all([...groups.values()].map((group) => group.drained()));
    },
  };
};

// -- reading ----------------------------------------------------------------------------------------------------

/** Fields scanned for one message: a bucket has about 15, unless one of its messages has thousands of events. */
const MOST_SCANNED = 50_000;
/** Events read of one message. */
const MOST_EVENTS_OF_MESSAGE = 10_000;
/** Records read at a time: this process parses them, and serves other requests in between. */
const READ_AT_ONCE = 250;

export interface EventsOfMessage {
  readonly events: LoggedEvent[];
  /** Whether there are more events than were read. */
  readonly isCut: boolean;
}

/** The events whose message id, client message id or related message id this is, in no order. */
export const readEventsOfMessage = async (store: Store, id: string): Promise<EventsOfMessage> => {
  const address = messageAddress(id);
  const key = messageIndexKey(address);
  const { mark } = parseMessageAddress(address);
  const ids = new Set<string>();
  let scanned = 0;
  let cursor = '0';
  do {
    const [next, fields] = await store.redis.hscan(key, cursor, 'COUNT', 1_000);
    for (let at = 0; at < fields.length; at += 2) {
      const field = fields[at] as string;
      if (field.startsWith(mark)) ids.add(eventOfField(field));
    }
    scanned += fields.length / 2;
    cursor = next;
  } while (cursor !== '0' && scanned < MOST_SCANNED && ids.size <= MOST_EVENTS_OF_MESSAGE);

  const toRead = [...ids].slice(0, MOST_EVENTS_OF_MESSAGE);
  const events: LoggedEvent[] = [];
  for (let from = 0; from < toRead.length; from += READ_AT_ONCE) {
    const some = toRead.slice(from, from + READ_AT_ONCE);
    const records = await sendAll(
      store,
      some.map((eventId) => ['get', eventKeys(eventId).record]),
    );
    for (const [at, record] of records.entries()) {
      if (record === null) continue;
      const logged = await decodeListed(store, { id: some[at] as string, loggedAtMs: 0 }, record as string);
      // Leaves out events of another message with the same bucket and mark, and what cannot be read.
      if (logged !== undefined && names(logged.event, id)) events.push(logged);
    }
  }
  return { events, isCut: cursor !== '0' || ids.size > toRead.length };
};

const names = ({ messageId, clientMessageId, relatedMessageId }: Event, id: string): boolean =>
  messageId === id || clientMessageId === id || relatedMessageId === id;

// -- keeping it as long as the log ------------------------------------------------------------------------------

const EVENT_ID_LENGTH = 'evt_'.length + 22;

/**
 * Removes the entries of events that retention has removed from this shard of the log.
 * @param entries members of the shard's `unindex`: event id, then its addresses
 */
export const unindexEvents = async (store: Store, shard: number, entries: readonly string[]): Promise<void> => {
  if (entries.length === 0) return;
  await sendAll(
    store,
    entries.flatMap((entry) =>
      entriesOf(entry.slice(EVENT_ID_LENGTH), entry.slice(0, EVENT_ID_LENGTH)).map(
        ({ key, field }) => ['hdel', key, field] as const,
      ),
    ),
  );
  // Last, so that the next round finishes what a crash interrupted.
  await store.redis.srem(shardKeys(shard).unindex, ...entries);
};

/** A shard of the log, and the score after which to continue in it. */
const CURSOR = defineCursor({ shard: /\d{1,2}/, after: /-inf|\d{1,17}/ });

/**
 * Rebuilds the index for a part of the log, after the index was lost.
 * @param cursor `next` of the previous call
 * @returns How many events were read, and where to continue; null at the end.
 */
export const rebuildMessageIndex = async (
  store: Store,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<{ events: number; next: string | null }> => {
  const { shard: firstShard = '0', after = '-inf' } = CURSOR.read(cursor) ?? {};
  const index = createMessageIndex(store);
  let events = 0;
  let from = after === '-inf' ? after : `(${after}`;
  for (let shard = Number(firstShard); shard < SHARDS; shard++, from = '-inf') {
    const { log } = shardKeys(shard);
    const places = await store.redis.zrangebyscore(log, from, '+inf', 'WITHSCORES', 'LIMIT', 0, limit - events);
    const last = places.at(-1);
    // The next call continues after this microsecond, so all its events belong to this one.
    const ids = new Set(places.filter((_, at) => at % 2 === 0));
    if (last !== undefined) for (const id of await store.redis.zrangebyscore(log, last, last)) ids.add(id);
    const records = await sendAll(
      store,
      [...ids].map((id) => ['get', eventKeys(id).record]),
    );
    const list = [...ids];
    const found: Event[] = [];
    for (const [at, record] of records.entries()) {
      if (record === null) continue;
      const logged = await decodeListed(store, { id: list[at] as string, loggedAtMs: 0 }, record as string);
      if (logged !== undefined) found.push(logged.event);
    }
    await index.add(found);
    events += ids.size;
    if (events >= limit) return { events, next: `${shard}.${last}` };
  }
  return { events, next: null };
};
