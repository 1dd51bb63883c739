import { type Event, type LoggedEvent, restoreEvent, SHARDS, type StoredEvent, shardOf } from '@clickrelay/core';
import type { Result } from 'ioredis';
import { COUNT_INTAKE, countIntakeAlone, countsPrefix, laneLetter } from '../counts/intake-counts.ts';
import { jobOfClaim } from '../jobs/keys.ts';
import { LARGE, newSuffix, readLarge, storeLarge } from '../redis/large-text.ts';
import { addressesOf } from '../redis/message-address.ts';
import { eventKeys, shardKeys } from '../redis/names.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { decodeHead, encodeRecord, type Origin, type Pieces, RECORD_LUA, sourceIn } from './event-record.ts';

/*
 * Per event: a record (`cr:{eNN}:<id>`), its place in the order of logging (`cr:{eNN}:log`, scored with the server's
 * microseconds), and a field in a dedupe hash. A script writes all three, or none of them.
 */

/**
 * - `new`: logged now.
 * - `claimed`: logged before by the same claim, which did not finish: route it again.
 * - `seen`: logged before by another claim: a redelivered fact.
 */
export type Logged = 'new' | 'claimed' | 'seen';

/** How many claims by which a fact came again are written down. */
const MOST_REPEATS = 1_000;

/** Before the claim of who has reserved a fact, and not logged it yet: see reserve-fact.ts. */
export const RESERVED = '!';

/** Lua: who has a fact, and where that is written down. */
export const FIND_SEEN = `
local function findSeen(prefix, id, generation)
  -- evt_, shard, bucket, field: 16 characters are 96 bits, and shard and bucket add 12.
  local seen, field = prefix .. 'seen:' .. string.sub(id, 6, 6) .. ':', string.sub(id, 7, 22)
  for offset = 1, -3, -1 do
    local found = redis.call('HGET', seen .. (generation + offset), field)
    if found then return seen, field, found end
  end
  return seen, field, false
end
local function markSeen(present, field, claim, expires)
  if redis.call('HSET', present, field, claim) == 1 and redis.call('HLEN', present) == 1 then
    redis.call('EXPIRE', present, expires)
  end
end`;

/*
 * The dedupe record of an event is a field in one of many small hashes, 24 bytes where a key of its own costs 160.
 * Hashes cannot expire field by field, so there are generations: a new one every third of the time to live, each
 * expiring as a whole, and a look-up goes through four of them, and through the coming one: the clock of another
 * process may be ahead. A record may outlive them: a fact logged for the second time replaces it.
 *
 * One call logs many events: each its own atomic step, as scripts are, and the cost of a command is paid once. Keys are
 * made from each event's record key, whose tag they share (see names.ts). The time does not move within a script, so the
 * events of one call are given microseconds of their own, of which each takes several. What its own claim logs again is
 * written anew, at the same place: it may be routed otherwise by now.
 *
 * The pieces of a large element were written before, under the record's key, `:p:` and a suffix of their own: they are
 * kept together with the record that names them, and go with it.
 *
 * What came in is counted in the same step, by minute and by hour. An event brings along the callbacks and repetitions
 * that are to be counted with it, and they are, once for each claim: with a new event, and with one that was seen, whose
 * repetition by this claim is written down beside it. A group that comes back after a crash is counted for what of it
 * was not. How many of the last are written down has a bound, and nothing beyond it is told from a group that came back.
 *
 * KEYS: record of each event
 * ARGV: claim, present generation, seconds until it may be forgotten, lane, prefix of the counts or nothing for that of
 * the events; then of each event id, record, suffix and bytes of its pieces (empty and 0 for most), and what is counted
 * with it: callbacks, repetitions, those of the repetitions that are of itself
 */
const LOG_SCRIPT = `
${RECORD_LUA}
${FIND_SEEN}
local function put(key, prefix, record, suffix, pieceBytes)
  local before = redis.call('SET', key, record, 'GET')
  local bytesBefore = 0
  if before then
    bytesBefore = #before
    local pieces = cjson.decode(string.match(before, '^.([^\\n]*)'))[RECORD.pieces]
    if type(pieces) == 'table' then
      if pieces[PIECES.suffix] ~= suffix then redis.call('UNLINK', key .. ':p:' .. pieces[PIECES.suffix]) end
      bytesBefore = bytesBefore + pieces[PIECES.bytes]
    end
  end
  if suffix ~= '' then redis.call('PERSIST', key .. ':p:' .. suffix) end
  redis.call('INCRBY', prefix .. 'bytes', #record + pieceBytes - bytesBefore)
end
local claim, generation = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local results = {}
local countsPrefix, callbacks, events, repeats = ARGV[5], 0, 0, 0
for i, key in ipairs(KEYS) do
  local at = 5 * i + 1
  local id, record, suffix, pieceBytes = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local prefix = string.sub(key, 1, #key - #id)
  if countsPrefix == '' then countsPrefix = prefix end
  local function count(repeatsOfItself)
    local with, more, own = string.match(ARGV[at + 4], '(%d+) (%d+) (%d+)')
    own = tonumber(own) + repeatsOfItself
    if own > 0 then
      local place = key .. ':r'
      if redis.call('HLEN', place) < ${MOST_REPEATS} then
        if redis.call('HSETNX', place, claim, string.format('%.0f %d', now, own)) == 0 then return end
        if repeatsOfItself > 0 and redis.call('EXISTS', key) == 0 then redis.call('EXPIRE', place, ARGV[3]) end
      end
    end
    callbacks = callbacks + tonumber(with)
    repeats = repeats + tonumber(more) + repeatsOfItself
  end
  local seen, field, found = findSeen(prefix, id, generation)
  local result = found == claim and 2 or found and found ~= '${RESERVED}' .. claim and 0 or 1
  if result == 1 then
    markSeen(seen .. generation, field, claim, ARGV[3])
    put(key, prefix, record, suffix, pieceBytes)
    redis.call('ZADD', prefix .. 'log', string.format('%.0f', now + i - 1), id)
    events = events + 1
    count(0)
  else
    if result == 0 then count(1) end
    local before = result == 2 and redis.call('GET', key)
    if before and before ~= record then put(key, prefix, record, suffix, pieceBytes)
    -- With the record there and equal, this is the same call once more, whose answer was lost: the pieces are the record's.
    elseif suffix ~= '' and not before then redis.call('UNLINK', key .. ':p:' .. suffix) end
  end
  results[i] = result
end
${COUNT_INTAKE}
return results`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    logEvents(keys: number, ...args: (string | number)[]): Result<number[], Context>;
  }
}

const LOGGED: readonly Logged[] = ['seen', 'new', 'claimed'];
const GENERATIONS_PER_TTL = 3;
/** Nobody else is served while a script runs: about a millisecond. */
const MOST_PER_CALL = 64;

/** What is counted together with an event. */
export interface CountedWith {
  /** Callbacks that were taken up since the event before it. */
  readonly callbacks: number;
  /** Elements that are the same fact as one before them in the group, since the event before it. */
  readonly repeats: number;
  /** Those of them that are this fact. */
  readonly ownRepeats: number;
}

export interface EventToLog extends LoggedEvent {
  /** The ids of the destinations that it is routed to: what the ledger holds them to. @default none */
  readonly routes?: readonly string[];
  readonly origin?: Origin;
  /** @default nothing */
  readonly counted?: CountedWith;
}

export interface EventLog {
  /**
   * Dedupes and logs, each event in one atomic step.
   * @param claim Names the unit of work that will route them; the same unit, repeated, gets `claimed`.
   */
  append(claim: string, events: readonly EventToLog[], nowMs: number): Promise<Logged[]>;
  /** Counts, once for this claim, what there was no event to be counted with. */
  countAlone(claim: string, counted: Pick<CountedWith, 'callbacks' | 'repeats'>): Promise<void>;
}

/** @param dedupeTtlMs A fact is recognised for at least this long, and at most a third longer. */
export const createEventLog = (store: Store, { dedupeTtlMs }: { dedupeTtlMs: number }): EventLog => {
  store.redis.defineCommand('logEvents', { lua: LOG_SCRIPT });
  const { generationMs, expireSeconds } = generationsOf(dedupeTtlMs);

  const appendSome = async (claim: string, events: readonly EventToLog[], generation: number): Promise<Logged[]> => {
    const args: (string | number)[] = [];
    for (const logged of events) {
      const pieces = logged.source.length > LARGE ? await storePieces(store, logged) : undefined;
      const { callbacks, repeats, ownRepeats } = logged.counted ?? NOTHING_ELSE;
      args.push(
        logged.event.id,
        recordOf(claim, logged, pieces),
        pieces?.[0] ?? '',
        pieces?.[2] ?? 0,
        `${callbacks} ${repeats} ${ownRepeats}`,
      );
    }
    const results = await store.redis.logEvents(
      events.length,
      ...events.map(({ event }) => eventKeys(event.id).record),
      claim,
      generation,
      expireSeconds,
      laneLetter(claim),
      // On a Cluster a step keeps to one tag; elsewhere all counts are in one place.
      store.isCluster ? '' : countsPrefix(0),
      ...args,
    );
    return results.map((result) => LOGGED[result] as Logged);
  };

  return {
    append: async (claim, events, nowMs) => {
      const generation = Math.floor(nowMs / generationMs);
      const results: Logged[] = [];
      const calls = callsFor(store, events).map(async (indexes) => {
        const some = indexes.map((index) => events[index] as EventToLog);
        const logged = await appendSome(claim, some, generation);
        for (const [at, index] of indexes.entries()) results[index] = logged[at] as Logged;
      });
      await Promise.all(calls);
      return results;
    },
    countAlone: (claim, counted) => countIntakeAlone(store, claim, counted),
  };
};

export const generationsOf = (dedupeTtlMs: number): { generationMs: number; expireSeconds: number } => {
  const generationMs = Math.max(Math.ceil(dedupeTtlMs / GENERATIONS_PER_TTL), 1);
  return { generationMs, expireSeconds: Math.ceil(((GENERATIONS_PER_TTL + 1) * generationMs) / 1_000) + 1 };
};

const NOTHING_ELSE: CountedWith = { callbacks: 0, repeats: 0, ownRepeats: 0 };

/** Which events go into which call, by their indexes: on a Cluster each call keeps to one tag. */
const callsFor = (store: Store, events: readonly LoggedEvent[]): number[][] => {
  const groups = new Map<number, number[]>();
  for (const [index, { event }] of events.entries()) {
    const shard = store.isCluster ? shardOf(event.id) : 0;
    const group = groups.get(shard);
    if (group === undefined) groups.set(shard, [index]);
    else group.push(index);
  }
  const calls: number[][] = [];
  for (const group of groups.values()) {
    for (let from = 0; from < group.length; from += MOST_PER_CALL) calls.push(group.slice(from, from + MOST_PER_CALL));
  }
  return calls;
};

// -- records ----------------------------------------------------------------------------------------------------

const recordOf = (claim: string, { event, source, routes = [], origin }: EventToLog, pieces?: Pieces): string => {
  const { type, integrationId, integrationName, receivedAt } = event;
  const addresses = addressesOf(event);
  const head = { type, integrationId, integrationName, receivedAt, claim, addresses, routes, pieces, origin };
  return encodeRecord(head, pieces ? '' : source);
};

const piecesKey = (eventId: string, suffix: string): string => `${eventKeys(eventId).record}:p:${suffix}`;

const storePieces = async (store: Store, { event, source }: LoggedEvent): Promise<Pieces> => {
  const suffix = newSuffix();
  const { pieces } = await storeLarge(store, piecesKey(event.id, suffix), source);
  return [suffix, pieces, Buffer.byteLength(source)];
};

/** @returns undefined when the record is gone. */
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

const readPieces = (store: Store, eventId: string, [suffix, pieces]: Pieces): Promise<string | undefined> =>
  readLarge(store, { key: piecesKey(eventId, suffix), pieces });

export const readEvent = async (store: Store, eventId: string): Promise<LoggedEvent | undefined> =>
  decodeRecord(store, eventId, await store.redis.get(eventKeys(eventId).record));

/** The destinations that an event was routed to when it was logged. */
export const readRoutes = async (store: Store, eventId: string): Promise<readonly string[]> => {
  const record = await store.redis.get(eventKeys(eventId).record);
  return record === null ? [] : (decodeHead(record)?.routes ?? []);
};

/** Whether the group of callbacks that an event came with is not done: until then it may be queued yet. */
export const isBeingRouted = async (store: Store, eventId: string): Promise<boolean> => {
  const record = await store.redis.get(eventKeys(eventId).record);
  const job = record === null ? undefined : jobOfClaim(decodeHead(record)?.claim ?? '');
  return job !== undefined && (await store.redis.exists(job)) === 1;
};

// -- lists ------------------------------------------------------------------------------------------------------

export interface Page<Item> {
  readonly items: Item[];
  /** Where the next page begins; null at the end. */
  readonly next: string | null;
}

export interface ListEventsOptions {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly types?: readonly string[] | undefined;
  /** Whether an event is listed. @default all of `types` are */
  readonly wants?: ((event: Event) => boolean) | undefined;
  /** Logged at or after this time. */
  readonly since?: Date | undefined;
  /** Logged before this time. */
  readonly until?: Date | undefined;
}

/** A place in the log: the server's microseconds, then the id among those of the same microsecond. */
export interface Place {
  readonly score: number;
  readonly id: string;
}

const encodeCursor = ({ score, id }: Place): string => `${score}.${id}`;

const decodeCursor = (cursor: string | undefined): Place | undefined => {
  const match = /^(\d{1,17})\.(evt_[\w-]{22}|)$/.exec(cursor ?? '');
  return match ? { score: Number(match[1]), id: match[2] as string } : undefined;
};

const comparePlaces = (a: Place, b: Place): number => a.score - b.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** A filter on types reads on until the page is full, but not for ever: such a page may be short, and has a `next`. */
const MOST_READ_PER_PAGE = 5_000;
/** A page ends with the event that makes it longer than this: a hundred pictures would be a gigabyte. */
export const MOST_CHARACTERS_PER_PAGE = 16 * 1024 * 1024;
/** Each of them may have 256 KB. */
const RECORDS_AT_ONCE = 64;

interface Walked {
  readonly items: LoggedEvent[];
  /** The last place looked at. */
  readonly last: Place | undefined;
  readonly ended: boolean;
}

const walk = async (store: Store, options: ListEventsOptions, order: 'asc' | 'desc'): Promise<Walked> => {
  const { limit, types, wants = () => true } = options;
  const lowest = options.since ? options.since.getTime() * 1_000 : 0;
  const highest = options.until ? options.until.getTime() * 1_000 - 1 : Number.MAX_SAFE_INTEGER;
  const items: LoggedEvent[] = [];
  let characters = 0;
  let last = decodeCursor(options.cursor);
  for (let read = 0; read < MOST_READ_PER_PAGE; ) {
    const places = await nextPlaces(store, { after: last, lowest, highest, order, count: limit });
    read += places.length;
    for (let from = 0; from < places.length; from += RECORDS_AT_ONCE) {
      const some = places.slice(from, from + RECORDS_AT_ONCE);
      const records = (await sendAll(
        store,
        some.map(({ id }) => ['get', eventKeys(id).record]),
      )) as (string | null)[];
      for (const [index, place] of some.entries()) {
        last = place;
        const record = records[index] ?? null;
        if (record === null || types?.includes(decodeHead(record)?.type ?? '') === false) continue;
        const logged = await decodeRecord(store, place.id, record);
        if (logged === undefined || !wants(logged.event)) continue;
        items.push(logged);
        characters += logged.source.length;
        const isFull = items.length === limit || characters > MOST_CHARACTERS_PER_PAGE;
        if (isFull) return { items, last, ended: false };
      }
    }
    if (places.length < limit) return { items, last, ended: true };
  }
  return { items, last, ended: false };
};

/** How many events were logged in a span of time. */
export const countEvents = async (
  store: Store,
  { since, until }: Pick<ListEventsOptions, 'since' | 'until'>,
): Promise<number> => {
  const from = since ? since.getTime() * 1_000 : '-inf';
  const to = until ? until.getTime() * 1_000 - 1 : '+inf';
  const counts = await sendAll(
    store,
    Array.from({ length: SHARDS }, (_, shard) => ['zcount', shardKeys(shard).log, from, to] as const),
  );
  return counts.reduce((sum: number, count) => sum + Number(count), 0);
};

/** The next places in order over all shards. */
export const nextPlaces = async (
  store: Store,
  {
    after,
    lowest,
    highest,
    order,
    count,
  }: { after: Place | undefined; lowest: number; highest: number; order: 'asc' | 'desc'; count: number },
): Promise<Place[]> => {
  // Places of the cursor's own microsecond are read again and skipped; a shard with more of them is read further.
  for (let perShard = count + 16; ; perShard *= 4) {
    const commands: RedisCommand[] = [];
    for (let shard = 0; shard < SHARDS; shard++) {
      const { log } = shardKeys(shard);
      const [command, from, to] =
        order === 'asc'
          ? ['zrangebyscore', Math.max(lowest, after?.score ?? 0), highest]
          : ['zrevrangebyscore', Math.min(highest, after?.score ?? highest), lowest];
      commands.push([command as string, log, from as number, to as number, 'WITHSCORES', 'LIMIT', 0, perShard]);
    }
    const sign = order === 'asc' ? 1 : -1;
    const places: Place[] = [];
    let isCut = false;
    for (const reply of await sendAll(store, commands)) {
      const read = pairs(reply).map(([id, score]) => ({ id, score: Number(score) }));
      const further = read.filter((place) => after === undefined || sign * comparePlaces(place, after) > 0);
      if (read.length === perShard && further.length < count) isCut = true;
      places.push(...further);
    }
    if (!isCut) return places.sort((a, b) => sign * comparePlaces(a, b)).slice(0, count);
  }
};

const pairs = (flat: unknown): [string, string][] => {
  const list = flat as string[];
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < list.length; i += 2) result.push([list[i] as string, list[i + 1] as string]);
  return result;
};

/** Newest first. */
export const listEvents = async (store: Store, options: ListEventsOptions): Promise<Page<LoggedEvent>> => {
  const { items, last, ended } = await walk(store, options, 'desc');
  return { items, next: ended || last === undefined ? null : encodeCursor(last) };
};

export interface FollowEventsOptions {
  readonly limit: number;
  /** The `next` of the page before. Without it, and without `since`, following begins now. */
  readonly after?: string | undefined;
  readonly since?: Date | undefined;
  readonly types?: readonly string[] | undefined;
  readonly wants?: ListEventsOptions['wants'];
}

/** Oldest first, for a reader that follows the log: `next` always tells where to go on. */
export const followEvents = async (
  store: Store,
  { after, since, limit, types, wants }: FollowEventsOptions,
): Promise<{ items: LoggedEvent[]; next: string }> => {
  if (after === undefined && since === undefined) {
    const [seconds, micros] = await store.redis.time();
    return { items: [], next: encodeCursor({ score: Number(seconds) * 1_000_000 + Number(micros), id: '' }) };
  }
  const { items, last } = await walk(store, { limit, cursor: after, since, types, wants }, 'asc');
  return { items, next: encodeCursor(last ?? { score: since?.getTime() ? since.getTime() * 1_000 : 0, id: '' }) };
};
