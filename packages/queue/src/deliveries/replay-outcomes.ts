import { deliveryId, parseDeliveryId, SHARDS, shardOf } from '@clickrelay/core';
import type { Page } from '../log/event-log.ts';
import { eventKeys, replayKeys, shardKeys } from '../redis/names.ts';
import { fieldsOf, type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';

/*
 * What became of the deliveries that a replay of many sent again. Of each of them one mark says how far it is: a field
 * `#<replay>#<destination>` in the hash of the event's deliveries, which goes when those go. Beside it, under the same
 * tag, stand the counts of the marks and the ids of those that failed. A mark is moved, and the counts with it, in one
 * step: whoever does a thing twice, because the one before it died, finds the mark where it is and counts nothing.
 *
 * A delivery that no replay of many sent has no mark, and costs nothing here.
 */

const LETTERS = { sent: 's', delivered: 'd', failed: 'x' } as const;
export type ReplayOutcome = keyof typeof LETTERS;
/** The mark of what was sent, and has not ended. */
export const SENT = LETTERS.sent;

/** Counts of a replay that nobody keeps any more go by themselves: as long after the last change as a replay is kept. */
export const REPLAY_KEPT_S = 365 * 24 * 3600;

/** The field of the mark. No destination has a `#` in its name, and no attempt begins with one. */
export const replayMark = (destinationId: string, replayId: string): string => `#${replayId}#${destinationId}`;

/*
 * Moves a mark. With nothing before it there is one only when it is sent: else the replay is forgotten.
 */
const MOVE_MARK = `
local function moveMark(deliveries, counts, failed, field, letter, id)
  local before = redis.call('HGET', deliveries, field)
  if before == letter or not (before or letter == '${LETTERS.sent}') then return end
  redis.call('HSET', deliveries, field, letter)
  if before then redis.call('HINCRBY', counts, before, -1) end
  redis.call('HINCRBY', counts, letter, 1)
  redis.call('EXPIRE', counts, ${REPLAY_KEPT_S})
  if letter == '${LETTERS.failed}' then
    redis.call('ZADD', failed, 0, id)
    redis.call('EXPIRE', failed, ${REPLAY_KEPT_S})
  elseif before == '${LETTERS.failed}' then redis.call('ZREM', failed, id) end
end`;

/* KEYS: deliveries, counts, failed. ARGV: mark, letter, delivery id, then fields and values to write beside it. */
const MARK_SCRIPT = `${MOVE_MARK}
moveMark(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3])
if #ARGV > 3 then redis.call('HSET', KEYS[1], unpack(ARGV, 4)) end`;

/* KEYS: deliveries, counts. ARGV: mark. */
const UNMARK_SCRIPT = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= '${LETTERS.sent}' then return end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HINCRBY', KEYS[2], '${LETTERS.sent}', -1)`;

interface Replayed {
  readonly eventId: string;
  readonly destinationId: string;
  readonly replayId: string;
}

/**
 * Writes down how far a delivery of a replay is.
 * @param beside Fields of the event's deliveries that are written in the same step.
 */
export const markReplayed = async (
  store: Store,
  { eventId, destinationId, replayId }: Replayed,
  outcome: ReplayOutcome,
  beside: readonly string[] = [],
): Promise<void> => {
  const { prefix, deliveries } = eventKeys(eventId);
  const { counts, failed } = replayKeys(prefix, replayId);
  const mark = replayMark(destinationId, replayId);
  const id = deliveryId(eventId, destinationId);
  await store.redis.eval(MARK_SCRIPT, 3, deliveries, counts, failed, mark, LETTERS[outcome], id, ...beside);
};

/** It was not sent after all: somebody else had done so in between. */
export const unmarkReplayed = async (store: Store, { eventId, destinationId, replayId }: Replayed): Promise<void> => {
  const { prefix, deliveries } = eventKeys(eventId);
  const { counts } = replayKeys(prefix, replayId);
  await store.redis.eval(UNMARK_SCRIPT, 2, deliveries, counts, replayMark(destinationId, replayId));
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
    sent += Number(fields[LETTERS.sent] ?? 0);
    delivered += Number(fields[LETTERS.delivered] ?? 0);
    failed += Number(fields[LETTERS.failed] ?? 0);
  }
  return { replayed: sent + delivered + failed, delivered, failed };
};

/** Those that became dead letters again, each once, in an order of their own. */
export const listFailedAgain = async (
  store: Store,
  replayId: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<string>> => {
  const after = parseDeliveryId(cursor ?? '');
  const first = after === undefined ? 0 : shardOf(after.eventId);
  const replies = await sendAll(
    store,
    keysOf(replayId)
      .slice(first)
      .map(({ failed }, index): RedisCommand => {
        const from = index === 0 && after !== undefined ? `(${cursor}` : '-';
        return ['zrangebylex', failed, from, '+', 'LIMIT', 0, limit + 1];
      }),
  );
  const ids = (replies as string[][]).flat();
  const items = ids.slice(0, limit);
  return { items, next: ids.length > limit ? (items.at(-1) ?? null) : null };
};

export const forgetReplayCounts = async (store: Store, replayId: string): Promise<void> => {
  await sendAll(
    store,
    keysOf(replayId).map(({ counts, failed }): RedisCommand => ['del', counts, failed]),
  );
};
