import { DAY_MS, deliveryId, parseDeliveryId, SHARDS, shardOf } from '@clickrelay/core';
import { eventKeys, replayKeys, shardKeys } from '../redis/names.ts';
import { defineCursor, type Page } from '../redis/page.ts';
import { luaTable, runScript, type Script } from '../redis/script.ts';
import { fieldsOf, type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import markReplayedLua from './mark-replayed.lua';
import moveMarkLua from './move-mark.part.lua';

/*
 * What became of the deliveries that a replay of many sent again. A mark says how far each of them is: a field
 * `#<replay>#<destination>` in the hash of the event's deliveries, which is removed with them. The counts of the marks
 * and the ids of the failed deliveries lie under the same tag, so one script moves a mark and the counts with it. A
 * worker that repeats the step of another, which died, finds the mark moved and counts nothing.
 *
 * A delivery that no replay of many sent has no mark, and costs nothing here.
 */

/** How far a delivery is: sent and not ended, or how it ended. The letters of marks, and the fields of the counts. */
const MARKS = { sent: 's', delivered: 'd', failed: 'x' } as const;
export type ReplayOutcome = keyof typeof MARKS;
const OUTCOMES = new Map(Object.entries(MARKS).map(([outcome, letter]) => [letter, outcome as ReplayOutcome]));

/** @returns undefined when there is no mark */
export const outcomeOfMark = (letter: string | null): ReplayOutcome | undefined =>
  OUTCOMES.get(letter as (typeof MARKS)[ReplayOutcome]);

/** How long a replay is kept after its last change. Its counts expire after the same time. */
export const REPLAY_KEPT_S = (365 * DAY_MS) / 1_000;

/** The field of the mark. No destination has a `#` in its name, and no attempt begins with one. */
export const replayMark = (destinationId: string, replayId: string): string => `#${replayId}#${destinationId}`;

const MARK_LUA = luaTable('MARK', MARKS);

/** For scripts: `moveMark`, and what it needs. */
export const MOVE_MARK_LUA = `${MARK_LUA}local KEPT_S = ${REPLAY_KEPT_S}\n${moveMarkLua}`;

const MARK_REPLAYED: Script = { name: 'markReplayed', lua: MOVE_MARK_LUA + markReplayedLua };

/* KEYS: deliveries, counts. ARGV: field of the mark. */
const UNMARK_REPLAYED: Script = {
  name: 'unmarkReplayed',
  lua: `${MARK_LUA}
if redis.call('HGET', KEYS[1], ARGV[1]) ~= MARK.sent then return end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HINCRBY', KEYS[2], MARK.sent, -1)`,
};

interface Replayed {
  readonly eventId: string;
  readonly destinationId: string;
  readonly replayId: string;
}

/**
 * Writes how far a delivery of a replay is.
 * @param beside Fields of the event's deliveries that are written in the same step.
 */
export const markReplayed = async (
  store: Store,
  { eventId, destinationId, replayId }: Replayed,
  outcome: ReplayOutcome,
  beside: readonly string[] = [],
): Promise<void> => {
  const { keys, args } = markOf({ eventId, destinationId, replayId }, outcome);
  await runScript(store.redis, MARK_REPLAYED, [eventKeys(eventId).deliveries, ...keys], [...args, ...beside]);
};

/** What `moveMark` takes, behind the deliveries of the event. */
export const markOf = (
  { eventId, destinationId, replayId }: Replayed,
  outcome: ReplayOutcome,
): { keys: readonly string[]; args: readonly string[] } => {
  const { counts, failed } = replayKeys(eventKeys(eventId).prefix, replayId);
  return {
    keys: [counts, failed],
    args: [replayMark(destinationId, replayId), MARKS[outcome], deliveryId(eventId, destinationId)],
  };
};

/** Takes a mark back: another worker, or a person, had sent the delivery in between. */
export const unmarkReplayed = async (store: Store, { eventId, destinationId, replayId }: Replayed): Promise<void> => {
  const { prefix, deliveries } = eventKeys(eventId);
  const { counts } = replayKeys(prefix, replayId);
  await runScript(store.redis, UNMARK_REPLAYED, [deliveries, counts], [replayMark(destinationId, replayId)]);
};

const keysOf = (replayId: string) =>
  Array.from({ length: SHARDS }, (_, shard) => replayKeys(shardKeys(shard).prefix, replayId));

export interface ReplayCounts {
  /** Sent again; those that have ended included. */
  readonly replayed: number;
  readonly delivered: number;
  /** Dead letters again. */
  readonly failed: number;
}

export const readReplayCounts = async (store: Store, replayId: string): Promise<ReplayCounts> => {
  const replies = await sendAll(
    store,
    keysOf(replayId).map(({ counts }): RedisCommand => ['hgetall', counts]),
  );
  let [sent, delivered, failed] = [0, 0, 0];
  for (const fields of replies.map(fieldsOf)) {
    sent += Number(fields[MARKS.sent] ?? 0);
    delivered += Number(fields[MARKS.delivered] ?? 0);
    failed += Number(fields[MARKS.failed] ?? 0);
  }
  return { replayed: sent + delivered + failed, delivered, failed };
};

/** The delivery id: the list goes by its shard, then by itself. */
const CURSOR = defineCursor({ id: /dlv_.+/ });

/** Ids of the deliveries that became dead letters again, each once, in no order that means anything. */
export const listFailedAgain = async (
  store: Store,
  replayId: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<string>> => {
  const { id: after = '' } = CURSOR.read(cursor) ?? {};
  const last = parseDeliveryId(after);
  const firstShard = last === undefined ? 0 : shardOf(last.eventId);
  const replies = await sendAll(
    store,
    keysOf(replayId)
      .slice(firstShard)
      .map(({ failed }, index): RedisCommand => {
        const from = index === 0 && last !== undefined ? `(${after}` : '-';
        return ['zrangebylex', failed, from, '+', 'LIMIT', 0, limit + 1];
      }),
  );
  const ids = (replies as string[][]).flat();
  const items = ids.slice(0, limit);
  const id = items.at(-1);
  return { items, next: ids.length > limit && id !== undefined ? CURSOR.write({ id }) : null };
};

export const forgetReplayCounts = async (store: Store, replayId: string): Promise<void> => {
  await sendAll(
    store,
    keysOf(replayId).map(({ counts, failed }): RedisCommand => ['del', counts, failed]),
  );
};
