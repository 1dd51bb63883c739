import { DAY_MS, type Event } from '@clickrelay/core';
import { jobKey } from '../jobs/keys.ts';
import { wakeJob } from '../jobs/settle.ts';
import { stateOf } from '../log/delivery-states.ts';
import { isBeingRouted } from '../log/read-event.ts';
import { conversationKey, destinationQueue, eventKeys } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import { sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';

/*
 * Keeps deliveries of one conversation in order, for destinations that ask for it. Each pair of parties with deliveries
 * under way has a sorted set of them, by the time they came. The first may be attempted or leased; the jobs of the
 * others are put off until it has ended. A delivery whose turn has begun gets the score 0 and stays first until it
 * ends: one that came before it, and is queued after it, must not pass. A delivery that is in no set (a replay, a
 * destination that asked for order later) waits for nobody.
 */

/** Longer than any delivery lives. The sets of a destination that was removed expire. */
const FORGOTTEN_AFTER_S = (14 * DAY_MS) / 1_000;

/*
 * Deliveries of one millisecond stay in the order in which they join. The score is formatted here, as Lua would round
 * it to 14 digits.
 *
 * KEYS: conversation. ARGV: ttl, then time in ms and event id of each.
 */
const JOIN: Script = {
  name: 'joinConversation',
  lua: `
for at = 2, #ARGV, 2 do
  local ms = tonumber(ARGV[at])
  local behind = '(' .. string.format('%.0f', ms + 1)
  local last = redis.call('ZREVRANGEBYSCORE', KEYS[1], behind, ARGV[at], 'WITHSCORES', 'LIMIT', 0, 1)
  local score = last[1] and math.min(tonumber(last[2]) + 0.001, ms + 0.999) or ms
  redis.call('ZADD', KEYS[1], 'NX', string.format('%.3f', score), ARGV[at + 1])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])`,
};

/*
 * KEYS: conversation. ARGV: event id, `1` when its turn begins. Returns the first one, while this one waits behind
 * it.
 */
const FIRST: Script = {
  name: 'firstOfConversation',
  lua: `
local rank = redis.call('ZRANK', KEYS[1], ARGV[1])
if not rank then return false end
if rank > 0 then return redis.call('ZRANGE', KEYS[1], 0, 0)[1] end
if ARGV[2] == '1' then redis.call('ZADD', KEYS[1], 'XX', 0, ARGV[1]) end
return false`,
};

/*
 * Gives up a place, and names the delivery to wake, also when this one had left before: the process that left may have
 * died before it could wake the next. A delivery whose turn has begun sleeps for a reason of its own.
 *
 * KEYS: conversation. ARGV: event id. Returns the first delivery, when its turn has not begun.
 */
const LEAVE: Script = {
  name: 'leaveConversation',
  lua: `
redis.call('ZREM', KEYS[1], ARGV[1])
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if not first[1] or tonumber(first[2]) == 0 then return false end
return first[1]`,
};

export interface Ordering {
  /** Takes a place behind those that are there. Call it before the delivery is queued. Does nothing when it has one. */
  join(events: readonly Pick<Event, 'id' | 'from' | 'to' | 'receivedAt'>[]): Promise<void>;
  /** Whether its turn has come. Changes nothing. */
  isNext(event: Pick<Event, 'id' | 'from' | 'to'>): Promise<boolean>;
  /** The same, and when its turn has come: it is its turn until it leaves. */
  takeTurn(event: Pick<Event, 'id' | 'from' | 'to'>): Promise<boolean>;
  /** Gives its place up, and wakes the next one. Call it when the delivery has ended, however it ended. */
  leave(event: Pick<Event, 'id' | 'from' | 'to'>): Promise<void>;
}

export const createOrdering = (store: Store, destinationId: string): Ordering => {
  const { redis, people } = store;
  /** Undefined for an event that names neither party. */
  const conversationOf = ({ from, to }: Pick<Event, 'from' | 'to'>): string | undefined =>
    from === null && to === null ? undefined : people.conversationOf(from ?? '', to ?? '');
  const queue = destinationQueue(destinationId);
  const keyOf = (conversation: string): string => conversationKey(queue, conversation);

  const look = async (eventId: string): Promise<{ hasEnded: boolean; hasJob: boolean }> => {
    const keys = eventKeys(eventId);
    const [letter, isLogged, hasJob] = await sendAll(store, [
      ['hget', keys.deliveries, destinationId],
      ['exists', keys.record],
      ['exists', jobKey(queue, eventId)],
    ]);
    const state = stateOf(letter as string | null);
    return { hasEnded: isLogged === 0 || (state !== 'pending' && state !== undefined), hasJob: hasJob === 1 };
  };

  /**
   * Whether the first of a conversation keeps its place for nothing. It has ended, or is gone from the log: its worker
   * died before it gave the place up. Or nobody will ever work on it: it was for an earlier destination of this name,
   * or is no longer wanted when its group is repeated after a crash.
   */
  const hasEnded = async (eventId: string): Promise<boolean> => {
    const found = await look(eventId);
    if (found.hasEnded || found.hasJob) return found.hasEnded;
    if (await isBeingRouted(store, eventId)) return false;
    // Its group is done: it has a job by now, or had one.
    return !(await look(eventId)).hasJob;
  };

  const isFirst = async (event: Pick<Event, 'id' | 'from' | 'to'>, begins: 0 | 1): Promise<boolean> => {
    const conversation = conversationOf(event);
    if (conversation === undefined) return true;
    const key = keyOf(conversation);
    for (;;) {
      const first = await runScript<string | null>(redis, FIRST, [key], [event.id, begins]);
      if (first === null) return true;
      if (!(await hasEnded(first))) return false;
      await redis.zrem(key, first);
    }
  };

  return {
    join: async (events) => {
      const places = new Map<string, (string | number)[]>();
      for (const event of events) {
        const conversation = conversationOf(event);
        if (conversation === undefined) continue;
        const place = places.get(conversation) ?? [];
        place.push(Date.parse(event.receivedAt), event.id);
        places.set(conversation, place);
      }
      await Promise.all(
        [...places].map(([conversation, place]) =>
          runScript(redis, JOIN, [keyOf(conversation)], [FORGOTTEN_AFTER_S, ...place]),
        ),
      );
    },
    isNext: (event) => isFirst(event, 0),
    takeTurn: (event) => isFirst(event, 1),
    leave: async (event) => {
      const conversation = conversationOf(event);
      if (conversation === undefined) return;
      const next = await runScript<string | null>(redis, LEAVE, [keyOf(conversation)], [event.id]);
      if (next !== null) await wakeJob(store.taker(queue), next);
    },
  };
};
