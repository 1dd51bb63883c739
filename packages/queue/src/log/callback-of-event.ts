import type { Lane } from '@clickrelay/core';
import { toIso } from '@clickrelay/core';
import { eventKeys, laneOfClaim } from '../redis/names.ts';
import { sendAll } from '../redis/send-all.ts';
import { RECORD_HEAD_ONCE_BYTES } from '../redis/size-limits.ts';
import type { Store } from '../redis/store.ts';
import { readableHead } from './event-record.ts';
import { nextPlaces, type Place } from './places.ts';

/** What is known of the callback that brought an event, once it was split. */
export interface CallbackOfEvent {
  readonly receivedAt: string;
  readonly lane: Lane;
  /** The size of its body in bytes; null when the event was logged without a callback, as tests do. */
  readonly size: number | null;
  /** How many callbacks were committed in one write, this one included; null when `size` is null. */
  readonly committedTogether: number | null;
  /** How many elements it has; null when it has so many that they were logged in parts. */
  readonly elements: number | null;
  /** The other events that came with it and were new. */
  readonly others: readonly string[];
  /** Whether `others` is complete: the events of a large callback are not looked for in all of the log. */
  readonly complete: boolean;
}

/** How often an event came again, and when last. */
export interface Repeats {
  readonly count: number;
  readonly lastAt: string | null;
}

/** How many neighbours are read on either side: the events of a callback are logged at about the same time. */
const MAX_NEIGHBOURS = 500;
const READ_AT_ONCE = 250;

/** @returns undefined when there is no such event. */
export const readCallbackOf = async (store: Store, eventId: string): Promise<CallbackOfEvent | undefined> => {
  const { record, prefix } = eventKeys(eventId);
  const [head, score] = await Promise.all([store.redis.get(record), store.redis.zscore(`${prefix}:log`, eventId)]);
  const own = head === null ? undefined : readableHead(head);
  if (own === undefined) return undefined;
  const { claim, origin, receivedAt } = own;
  const known = { receivedAt, lane: laneOfClaim(claim) };
  if (origin === undefined) {
    return { ...known, size: null, committedTogether: null, elements: null, others: [], complete: false };
  }
  const place = { score: Number(score), id: eventId };
  const isAlone = origin.elements === 1;
  const { near, isAll } = isAlone || score === null ? { near: [], isAll: false } : await readNear(store, place);
  const others = near.filter((one) => one.claim === claim && one.index === origin.index).map(({ id }) => id);
  return {
    ...known,
    size: origin.size,
    committedTogether: origin.groupSize,
    elements: origin.elements || null,
    others,
    complete: isAll || others.length + 1 === origin.elements,
  };
};

interface Near {
  readonly id: string;
  readonly claim: string;
  readonly index: number | undefined;
}

/** The events logged just before and after this place. */
const readNear = async (store: Store, place: Place): Promise<{ near: Near[]; isAll: boolean }> => {
  const bounds = { after: place, lowest: 0, highest: Number.MAX_SAFE_INTEGER, count: MAX_NEIGHBOURS };
  const [before, after] = await Promise.all([
    nextPlaces(store, { ...bounds, order: 'desc' }),
    nextPlaces(store, { ...bounds, order: 'asc' }),
  ]);
  const ids = [...before.reverse(), ...after].map(({ id }) => id);
  const near: Near[] = [];
  for (let from = 0; from < ids.length; from += READ_AT_ONCE) {
    const some = ids.slice(from, from + READ_AT_ONCE);
    const heads = await sendAll(
      store,
      some.map((id) => ['getrange', eventKeys(id).record, 0, RECORD_HEAD_ONCE_BYTES - 1]),
    );
    for (const [index, start] of heads.entries()) {
      const head = readableHead(start as string);
      if (head !== undefined) near.push({ id: some[index] as string, claim: head.claim, index: head.origin?.index });
    }
  }
  return { near, isAll: before.length < MAX_NEIGHBOURS && after.length < MAX_NEIGHBOURS };
};

/** How often each of these events came again. */
export const readRepeats = async (store: Store, eventIds: readonly string[]): Promise<Repeats[]> => {
  const replies = await sendAll(
    store,
    eventIds.map((id) => ['hvals', eventKeys(id).repeats]),
  );
  return replies.map((reply) => {
    let count = 0;
    let last = 0;
    // Each value has the time in microseconds, and how often.
    for (const value of reply as string[]) {
      const [micros = 0, times = 0] = value.split(' ').map(Number);
      count += times;
      last = Math.max(last, micros);
    }
    return { count, lastAt: last === 0 ? null : toIso(last / 1_000) };
  });
};
