import { deliveryId, type LoggedEvent, parseDeliveryId } from '@clickrelay/core';
import { openRoute } from '@clickrelay/routing';
import { readKinds } from '../deliveries/dead-letters.ts';
import { outcomeOfMark, replayMark } from '../deliveries/replay-outcomes.ts';
import { listDestinations } from '../destinations/destinations.ts';
import { failedKey } from '../jobs/keys.ts';
import type { DeadLetterKind } from '../jobs/outcome.ts';
import { stateOf } from '../log/delivery-states.ts';
import { decodeHead } from '../log/event-record.ts';
import { followEvents } from '../log/list-events.ts';
import { decodeRecord } from '../log/read-event.ts';
import { destinationQueue, eventKeys } from '../redis/names.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';

/*
 * Which deliveries a replay of many sends again, or a removal gives up: these, or all that match but these. What is
 * chosen may leave the lists meanwhile; what comes in after `until` is not chosen.
 */

export interface DeliverySelection {
  /** Dead letters, or what was delivered already. */
  readonly state: 'dead_letter' | 'delivered';
  /** Just these. Of what follows only `until` goes with it. */
  readonly deliveries?: readonly string[];
  /** All that match but these. */
  readonly except?: readonly string[];
  readonly destinationId?: string;
  /** Of dead letters. */
  readonly kind?: DeadLetterKind;
  /** Patterns of event types; all when left out. */
  readonly events?: readonly string[];
  /** Dead letters that failed, or events that came, at or after this time, in ms since 1970. */
  readonly since?: number;
  /** Before this time. At most the time at which it was asked. */
  readonly until?: number;
  /** An expression over `event` that must be true. */
  readonly filter?: string;
}

/** Why a delivery that was named, or that matches, is not chosen. */
export const LEFT_OUT_REASONS = [
  'excepted',
  'already_pending',
  'delivered',
  'dead_letter',
  'failed_since',
  'removed',
  'event_gone',
  'destination_gone',
  'unknown',
] as const;
export type LeftOutReason = (typeof LEFT_OUT_REASONS)[number];

interface Chosen {
  readonly ids: readonly string[];
  /** When the events of those came, in ms since 1970, as far as that is known. */
  readonly receivedAtMs: readonly number[];
  readonly leftOut: readonly LeftOutReason[];
  /** Where to go on. */
  readonly cursor: string;
}

export interface ChooseOptions {
  /** `cursor` of what was chosen before. */
  readonly from?: string;
  /** The replay that chooses: what it has sent already it does not choose again. */
  readonly replayId?: string;
  /** Whether dead letters are chosen whose event is no longer in the log, unless something is asked of the event. */
  readonly takesGone?: boolean;
  /** How many are looked at in one go. @default 200 */
  readonly batch?: number;
}

const BATCH = 200;
/** When nothing but the beginning of a record is read. */
const COUNT_BATCH = 1_000;
/** More than this is not counted before it is done. */
const MOST_COUNTED = 200_000;
/** The line of facts at the beginning of a record fits into this, but for very many routes. */
const HEAD_BYTES = 1_023;

/** Batches of what a selection chooses, oldest first. @throws {InvalidFilterError} */
export async function* chooseDeliveries(
  store: Store,
  selection: DeliverySelection,
  options: ChooseOptions = {},
): AsyncGenerator<Chosen> {
  const present = (await listDestinations(store)).map(({ id }) => id);
  if (selection.deliveries !== undefined) {
    yield* chooseNamed(store, selection, selection.deliveries, new Set(present), options);
    return;
  }
  const { destinationId } = selection;
  const destinationIds = destinationId === undefined ? present : present.filter((id) => id === destinationId);
  if (selection.state === 'delivered') yield* chooseDelivered(store, selection, destinationIds, options);
  else yield* chooseDead(store, selection, destinationIds, options);
}

const asksForEvent = ({ events, filter }: DeliverySelection): boolean => events !== undefined || filter !== undefined;

/** Of each event when it came, or why it is not chosen: it is not wanted, or it is gone. */
const lookAtEvents = async (
  store: Store,
  eventIds: readonly string[],
  selection: DeliverySelection,
): Promise<(number | 'unwanted' | 'event_gone')[]> => {
  if (!asksForEvent(selection)) {
    const heads = await sendAll(
      store,
      eventIds.map((id): RedisCommand => ['getrange', eventKeys(id).record, 0, HEAD_BYTES]),
    );
    return Promise.all(
      heads.map(async (head, index) => {
        if (head === '') return 'event_gone';
        const facts = decodeHead(String(head)) ?? (await readWholeFacts(store, eventIds[index] as string));
        return facts === undefined ? 'event_gone' : Date.parse(facts.receivedAt);
      }),
    );
  }
  const wants = wantsOf(selection);
  const records = await sendAll(
    store,
    eventIds.map((id): RedisCommand => ['get', eventKeys(id).record]),
  );
  return Promise.all(
    eventIds.map(async (id, index) => {
      const logged = await decodeRecord(store, id, records[index] as string | null);
      if (logged === undefined) return 'event_gone';
      return wants(logged) ? Date.parse(logged.event.receivedAt) : 'unwanted';
    }),
  );
};

const readWholeFacts = async (store: Store, eventId: string) =>
  decodeHead((await store.redis.get(eventKeys(eventId).record)) ?? '');

const wantsOf = ({ events = ['*'], filter }: DeliverySelection): ((logged: LoggedEvent) => boolean) => {
  const route = openRoute({ events, ...(filter !== undefined && { filter }) });
  return ({ event }) => route.wants(event);
};

/** Gathers what becomes of each delivery that is looked at. */
const createGatherer = ({ except = [] }: DeliverySelection) => {
  const excepted = new Set(except);
  const ids: string[] = [];
  const receivedAtMs: number[] = [];
  const leftOut: LeftOutReason[] = [];
  return {
    choose: (id: string, atMs: number | undefined): void => {
      if (excepted.has(id)) leftOut.push('excepted');
      else {
        ids.push(id);
        if (atMs !== undefined) receivedAtMs.push(atMs);
      }
    },
    leaveOut: (reason: LeftOutReason): void => void leftOut.push(reason),
    done: (cursor: string): Chosen => ({ ids, receivedAtMs, leftOut, cursor }),
  };
};

// -- these ------------------------------------------------------------------------------------------------------

async function* chooseNamed(
  store: Store,
  selection: DeliverySelection,
  deliveries: readonly string[],
  present: ReadonlySet<string>,
  { from, replayId, takesGone = false, batch = BATCH }: ChooseOptions,
): AsyncGenerator<Chosen> {
  const { state, until = Number.MAX_SAFE_INTEGER } = selection;
  for (let at = Number(from || 0); at < deliveries.length; at += batch) {
    const gathered = createGatherer(selection);
    const known: { id: string; eventId: string; destinationId: string }[] = [];
    for (const id of deliveries.slice(at, at + batch)) {
      const parsed = parseDeliveryId(id);
      if (parsed === undefined) gathered.leaveOut('unknown');
      else if (!present.has(parsed.destinationId)) gathered.leaveOut('destination_gone');
      else known.push({ id, ...parsed });
    }
    const seen = await lookAtEvents(
      store,
      known.map(({ eventId }) => eventId),
      selection,
    );
    const states = (await sendAll(
      store,
      known.flatMap(({ eventId, destinationId }): RedisCommand[] => [
        ['hmget', eventKeys(eventId).deliveries, destinationId, replayMark(destinationId, replayId ?? '')],
        ['zscore', failedKey(destinationQueue(destinationId)), eventId],
      ]),
    )) as [(string | null)[], string | null];
    for (const [index, { id }] of known.entries()) {
      const [letter = null, mark = null] = states[2 * index] as (string | null)[];
      const failedAt = states[2 * index + 1] as string | null;
      const event = seen[index] as number | 'event_gone';
      const atMs = event === 'event_gone' ? undefined : event;
      if (failedAt !== null) {
        if (state === 'delivered') gathered.leaveOut('dead_letter');
        else if (atMs === undefined && !takesGone) gathered.leaveOut('event_gone');
        else if (Number(failedAt) >= until) gathered.leaveOut('failed_since');
        else gathered.choose(id, atMs);
      } else if (letter === null) gathered.leaveOut(atMs === undefined ? 'event_gone' : 'unknown');
      else if (stateOf(letter) === 'given_up') gathered.leaveOut('removed');
      else if (stateOf(letter) === 'delivered') {
        if (state === 'dead_letter') gathered.leaveOut('delivered');
        else if (atMs === undefined) gathered.leaveOut('event_gone');
        else if (mark === null) gathered.choose(id, atMs);
      }
      // The worker of the replay that chooses may have died before there was a job.
      else if (outcomeOfMark(mark) === 'sent') gathered.choose(id, atMs);
      // Also one that ended this very moment, and whose job is not put away yet.
      else gathered.leaveOut('already_pending');
    }
    yield gathered.done(String(at + batch));
  }
}

// -- all that match but these -----------------------------------------------------------------------------------

async function* chooseDead(
  store: Store,
  selection: DeliverySelection,
  destinationIds: readonly string[],
  { from = '', takesGone = false, batch = BATCH }: ChooseOptions,
): AsyncGenerator<Chosen> {
  const { since = 0, until = Number.MAX_SAFE_INTEGER, kind } = selection;
  const mayBeGone = takesGone && !asksForEvent(selection);
  const [firstDestination = '', score = '', lastId = ''] = from.split(' ');
  for (const destinationId of destinationIds) {
    if (destinationId < firstDestination) continue;
    const key = failedKey(destinationQueue(destinationId));
    const isFirst = destinationId === firstDestination && score !== '';
    let place = isFirst ? { score: Number(score), id: lastId } : { score: since, id: '' };
    for (let count = batch; ; ) {
      const flat = await store.redis.zrangebyscore(key, place.score, `(${until}`, 'WITHSCORES', 'LIMIT', 0, count);
      const read = Array.from({ length: flat.length / 2 }, (_, index) => ({
        id: flat[2 * index] as string,
        score: Number(flat[2 * index + 1]),
      }));
      const further = read.filter(({ id, score }) => score > place.score || id > place.id);
      const last = further.at(-1);
      if (last === undefined) {
        if (read.length < count) break;
        // All of them failed in one millisecond and were passed over: look behind them.
        count *= 4;
        continue;
      }
      const ids = further.map(({ id }) => id);
      const failed = ids.map((eventId) => ({ destinationId, eventId }));
      const kinds = kind === undefined ? [] : await readKinds(store, failed);
      const ofKind = ids.filter((_, index) => kind === undefined || kinds[index] === kind);
      const seen = await lookAtEvents(store, ofKind, selection);
      const gathered = createGatherer(selection);
      for (const [index, eventId] of ofKind.entries()) {
        const event = seen[index] as number | 'unwanted' | 'event_gone';
        if (typeof event === 'number') gathered.choose(deliveryId(eventId, destinationId), event);
        else if (event === 'event_gone') {
          if (mayBeGone) gathered.choose(deliveryId(eventId, destinationId), undefined);
          else gathered.leaveOut('event_gone');
        }
      }
      place = last;
      count = batch;
      yield gathered.done(`${destinationId} ${last.score} ${last.id}`);
    }
  }
}

async function* chooseDelivered(
  store: Store,
  selection: DeliverySelection,
  destinationIds: readonly string[],
  { from = '', replayId, batch = BATCH }: ChooseOptions,
): AsyncGenerator<Chosen> {
  const { since = 0, until = Number.MAX_SAFE_INTEGER } = selection;
  const wants = wantsOf(selection);
  let after = from === '' ? undefined : from;
  for (;;) {
    const { items, next } = await followEvents(store, { limit: batch, after, since: new Date(since) });
    if (items.length === 0) return;
    const inTime = items.filter(({ event }) => Date.parse(event.receivedAt) < until);
    const wanted = inTime.filter(wants);
    const marks = destinationIds.map((id) => replayMark(id, replayId ?? ''));
    const states = await sendAll(
      store,
      destinationIds.length === 0
        ? []
        : wanted.map(({ event }) => ['hmget', eventKeys(event.id).deliveries, ...destinationIds, ...marks]),
    );
    const gathered = createGatherer(selection);
    for (const [index, { event }] of wanted.entries()) {
      for (const [at, destinationId] of destinationIds.entries()) {
        const fields = states[index] as (string | null)[];
        const [letter, mark] = [fields[at], fields[destinationIds.length + at] ?? null];
        const [deliveryState, outcome] = [stateOf(letter), outcomeOfMark(mark)];
        const isOurs = deliveryState === 'pending' && outcome === 'sent';
        if (isOurs || (deliveryState === 'delivered' && outcome === undefined))
          gathered.choose(deliveryId(event.id, destinationId), Date.parse(event.receivedAt));
      }
    }
    after = next;
    yield gathered.done(next);
    if (inTime.length === 0) return;
  }
}

// -- counting ---------------------------------------------------------------------------------------------------

export interface Counted {
  /** Undefined when they are too many to be counted in one go. */
  readonly matched: number | undefined;
  /** When the event of the oldest came; null when nothing is chosen, or they are too many. */
  readonly oldest: string | null;
  /** Of those that were looked at. */
  readonly leftOut: { readonly reason: LeftOutReason; readonly count: number }[];
}

/**
 * How many deliveries a selection chooses now, and what it leaves out.
 * @throws {InvalidFilterError}
 */
export const countSelected = async (
  store: Store,
  selection: DeliverySelection,
  options: Pick<ChooseOptions, 'takesGone'> = {},
): Promise<Counted> => {
  const batch = asksForEvent(selection) || selection.state === 'delivered' ? BATCH : COUNT_BATCH;
  const reasons = new Map<LeftOutReason, number>();
  const told = () =>
    LEFT_OUT_REASONS.flatMap((reason) => {
      const count = reasons.get(reason);
      return count === undefined ? [] : [{ reason, count }];
    });
  let matched = 0;
  let oldestMs = Number.POSITIVE_INFINITY;
  for await (const { ids, receivedAtMs, leftOut } of chooseDeliveries(store, selection, { ...options, batch })) {
    matched += ids.length;
    for (const reason of leftOut) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    for (const atMs of receivedAtMs) oldestMs = Math.min(oldestMs, atMs);
    if (matched > MOST_COUNTED) return { matched: undefined, oldest: null, leftOut: told() };
  }
  const oldest = Number.isFinite(oldestMs) ? new Date(oldestMs).toISOString() : null;
  return { matched, oldest, leftOut: told() };
};
