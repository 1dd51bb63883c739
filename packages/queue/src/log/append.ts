import { type LoggedEvent, shardOf } from '@clickrelay/core';
import type { Result } from 'ioredis';
import { COUNT_INTAKE, countIntakeAlone, countsPrefix, laneLetter } from '../counts/intake-counts.ts';
import { LARGE } from '../redis/large-text.ts';
import { addressesOf } from '../redis/message-address.ts';
import { eventKeys } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { FIND_SEEN, generationsOf, RESERVED } from './dedupe.ts';
import { encodeRecord, type Origin, type Pieces, RECORD_LUA } from './event-record.ts';
import { storePieces } from './pieces.ts';

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

/*
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

const recordOf = (claim: string, { event, source, routes = [], origin }: EventToLog, pieces?: Pieces): string => {
  const { type, integrationId, integrationName, receivedAt } = event;
  const addresses = addressesOf(event);
  const head = { type, integrationId, integrationName, receivedAt, claim, addresses, routes, pieces, origin };
  return encodeRecord(head, pieces ? '' : source);
};
