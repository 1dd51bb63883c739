import { type LoggedEvent, shardOf } from '@clickrelay/core';
import { COUNT_INTAKE, countIntakeAlone, runCounting } from '../counts/intake-counts.ts';
import { addressesOf } from '../redis/message-address.ts';
import { eventKeys, laneOfClaim, shardKeys } from '../redis/names.ts';
import { luaTable, runScript, type Script } from '../redis/script.ts';
import { LARGE_TEXT_LENGTH } from '../redis/size-limits.ts';
import type { Store } from '../redis/store.ts';
import { useShard } from '../redis/use-shard.ts';
import appendLua from './append.lua';
import { FIND_SEEN, generationsOf, seenKeys } from './dedupe.ts';
import { encodeRecord, type Origin, type Pieces, RECORD_LUA } from './event-record.ts';
import { piecesKey, storePieces } from './pieces.ts';

/*
 * An event has a record (`cr:{eNN}:<id>`), a place in the log (`cr:{eNN}:log`, scored with the server's microseconds),
 * and a field in a dedupe hash. How they are written together: see append.lua.
 */

/**
 * - `new`: logged now.
 * - `claimed`: logged before by the same claim, which did not finish: route it again.
 * - `seen`: logged before by another claim: a repeat.
 */
type Logged = 'new' | 'claimed' | 'seen';

/** How many repeating claims are noted beside an event. */
const MOST_REPEATS = 1_000;

const APPEND: Script = {
  name: 'appendEvents',
  lua: RECORD_LUA + luaTable('APPEND', { mostRepeats: MOST_REPEATS }) + FIND_SEEN + COUNT_INTAKE + appendLua,
};

/** Events in one call. Redis serves no other client while a script runs: about a millisecond. */
const MOST_PER_CALL = 64;

/** What is counted together with an event. */
export interface CountedWith {
  /** Callbacks whose splitting began since the previous event. */
  readonly callbacks: number;
  /** Elements since the previous event that repeat an earlier one of the group. */
  readonly repeats: number;
  /** How many of these repeat this event. */
  readonly ownRepeats: number;
}

export interface EventToLog extends LoggedEvent {
  /** Ids of the destinations that it is routed to. The ledger expects a delivery for each. @default none */
  readonly routes?: readonly string[];
  readonly origin?: Origin;
  /** @default nothing */
  readonly counted?: CountedWith;
}

export interface EventLog {
  /**
   * Dedupes and logs events, each atomically.
   * @param claim Names the group that routes the events. When the same group runs again, it gets `claimed`.
   */
  append(claim: string, events: readonly EventToLog[], nowMs: number): Promise<Logged[]>;
  /**
   * The same, but on a Cluster a shard that cannot be used for now keeps back only its own events.
   * @returns undefined for each of these, and why
   */
  appendWhatCanBe(
    claim: string,
    events: readonly EventToLog[],
    nowMs: number,
  ): Promise<{ logged: (Logged | undefined)[]; error?: unknown }>;
  /** Counts, once for this claim, what has no event to be counted with. */
  countAlone(claim: string, counted: Pick<CountedWith, 'callbacks' | 'repeats'>): Promise<void>;
}

/** @param dedupeTtlMs Repeats are recognised for at least this long, and at most a third longer. */
export const createEventLog = (store: Store, { dedupeTtlMs }: { dedupeTtlMs: number }): EventLog => {
  const { generationMs, expireSeconds } = generationsOf(dedupeTtlMs);

  /** @param shard whose counts these events are in */
  const callAppend = (claim: string, items: readonly ToAppend[], generation: number, shard: number) =>
    runCounting<string[]>(store, shardKeys(shard).intake, (countKeys) => {
      const { keys, args } = writeCall(items, generation, countKeys);
      return runScript(store.redis, APPEND, keys, [claim, expireSeconds, laneOfClaim(claim), items.length, ...args]);
    });

  const appendSome = async (claim: string, events: readonly EventToLog[], generation: number): Promise<Logged[]> => {
    const items: ToAppend[] = [];
    for (const logged of events) {
      const pieces = logged.source.length > LARGE_TEXT_LENGTH ? await storePieces(store, logged) : undefined;
      items.push({ logged, pieces, record: recordOf(claim, logged, pieces), piecesBefore: undefined });
    }
    // On a Cluster a script may use one tag only; a single server keeps all counts in one place.
    const shard = store.isCluster ? shardOf(events[0]?.event.id as string) : 0;
    const results: Logged[] = [];
    for (let open = [...items.keys()]; open.length > 0; ) {
      const some = open.map((index) => items[index] as ToAppend);
      const replies = await callAppend(claim, some, generation, shard);
      const unknown: number[] = [];
      for (const [at, index] of open.entries()) {
        const reply = replies[at] as string;
        if (reply.startsWith('=')) {
          (items[index] as ToAppend).piecesBefore = reply.slice(1);
          unknown.push(index);
        } else results[index] = reply as Logged;
      }
      open = unknown;
    }
    return results;
  };

  const appendWhatCanBe: EventLog['appendWhatCanBe'] = async (claim, events, nowMs) => {
    const generation = Math.floor(nowMs / generationMs);
    const logged = new Array<Logged | undefined>(events.length).fill(undefined);
    const calls = callsFor(store, events).map(async (indexes) => {
      const some = indexes.map((index) => events[index] as EventToLog);
      const { prefix } = eventKeys(some[0]?.event.id as string);
      const results = await useShard(store, prefix, () => appendSome(claim, some, generation));
      for (const [at, index] of indexes.entries()) logged[index] = results[at];
    });
    const failed = (await Promise.allSettled(calls)).find(({ status }) => status === 'rejected');
    return failed === undefined ? { logged } : { logged, error: (failed as PromiseRejectedResult).reason };
  };

  return {
    append: async (...args) => {
      const { logged, error } = await appendWhatCanBe(...args);
      if (error !== undefined) throw error;
      return logged as Logged[];
    },
    appendWhatCanBe,
    countAlone: (claim, counted) => countIntakeAlone(store, claim, counted),
  };
};

/** An event with what the script is given of it. */
interface ToAppend {
  readonly logged: EventToLog;
  readonly record: string;
  readonly pieces: Pieces | undefined;
  /** Key of the pieces that the record before names. */
  piecesBefore: string | undefined;
}

const writeCall = (items: readonly ToAppend[], generation: number, countKeys: readonly string[]) => {
  const keys = [...countKeys];
  for (const { logged } of items) {
    const { id } = logged.event;
    const { record, repeats } = eventKeys(id);
    const { log, bytes } = shardKeys(shardOf(id));
    keys.push(record, repeats, log, bytes, ...seenKeys(id, generation));
  }
  /** @returns which of KEYS it is, 0 for none */
  const declare = (key: string | undefined): number => (key === undefined ? 0 : keys.push(key));
  const args = items.flatMap(({ logged, record, pieces, piecesBefore }) => {
    const { id } = logged.event;
    const { callbacks, repeats, ownRepeats } = logged.counted ?? NOTHING_ELSE;
    const ofPieces = declare(pieces && piecesKey(id, pieces[0]));
    const counted = `${callbacks} ${repeats} ${ownRepeats}`;
    return [id, record, ofPieces, declare(piecesBefore), pieces?.[2] ?? 0, counted];
  });
  return { keys, args };
};

const NOTHING_ELSE: CountedWith = { callbacks: 0, repeats: 0, ownRepeats: 0 };

/** The indexes of the events of each call: on a Cluster a call may use one tag only. */
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
