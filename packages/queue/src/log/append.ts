import { type LoggedEvent, shardOf } from '@clickrelay/core';
import { COUNT_INTAKE, countIntakeAlone } from '../counts/intake-counts.ts';
import { addressesOf } from '../redis/message-address.ts';
import { eventKeys, laneOfClaim, shardKeys } from '../redis/names.ts';
import { luaTable, runScript, type Script } from '../redis/script.ts';
import { LARGE_TEXT_LENGTH } from '../redis/size-limits.ts';
import type { Store } from '../redis/store.ts';
import appendLua from './append.lua';
import { FIND_SEEN, generationsOf } from './dedupe.ts';
import { encodeRecord, type Origin, type Pieces, RECORD_LUA } from './event-record.ts';
import { storePieces } from './pieces.ts';

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
  /** Counts, once for this claim, what has no event to be counted with. */
  countAlone(claim: string, counted: Pick<CountedWith, 'callbacks' | 'repeats'>): Promise<void>;
}

/** @param dedupeTtlMs Repeats are recognised for at least this long, and at most a third longer. */
export const createEventLog = (store: Store, { dedupeTtlMs }: { dedupeTtlMs: number }): EventLog => {
  const { generationMs, expireSeconds } = generationsOf(dedupeTtlMs);

  const appendSome = async (claim: string, events: readonly EventToLog[], generation: number): Promise<Logged[]> => {
    const args: (string | number)[] = [];
    for (const logged of events) {
      const pieces = logged.source.length > LARGE_TEXT_LENGTH ? await storePieces(store, logged) : undefined;
      const { callbacks, repeats, ownRepeats } = logged.counted ?? NOTHING_ELSE;
      args.push(
        logged.event.id,
        recordOf(claim, logged, pieces),
        pieces?.[0] ?? '',
        pieces?.[2] ?? 0,
        `${callbacks} ${repeats} ${ownRepeats}`,
      );
    }
    return runScript(
      store.redis,
      APPEND,
      events.map(({ event }) => eventKeys(event.id).record),
      // On a Cluster a script may use one tag only; a single server keeps all counts in one place.
      [claim, generation, expireSeconds, laneOfClaim(claim), store.isCluster ? '' : shardKeys(0).intake, ...args],
    );
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
