import type { Event } from '@clickrelay/core';
import type { Result } from 'ioredis';
import { destinationQueue, eventKeys } from './names.ts';
import type { Store } from './store.ts';

/*
 * Order inside a conversation, for destinations that ask for it: one sorted set for each pair of parties with
 * deliveries under way, by the time they came. The first may be attempted; the others' jobs are put off until it has
 * ended. A delivery that is in no set (a replay, a destination that asked for order later) waits for nobody.
 */

/** Longer than any delivery lives: what is left behind by a destination that was removed goes by itself. */
const FORGOTTEN_AFTER_S = 14 * 24 * 3600;

/* KEYS: conversation. ARGV: ttl, then score and event id of each. */
const JOIN_SCRIPT = `
for at = 2, #ARGV, 2 do redis.call('ZADD', KEYS[1], 'NX', ARGV[at], ARGV[at + 1]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])`;

/* KEYS: conversation. ARGV: event id. Who is first, when this one waits and is not. */
const FIRST_SCRIPT = `
local rank = redis.call('ZRANK', KEYS[1], ARGV[1])
if not rank or rank == 0 then return false end
return redis.call('ZRANGE', KEYS[1], 0, 0)[1]`;

/* KEYS: conversation. ARGV: event id. Who is first now. */
const LEAVE_SCRIPT = `
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return false end
return redis.call('ZRANGE', KEYS[1], 0, 0)[1] or false`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    joinConversation(key: string, ttl: number, ...scoresAndIds: (string | number)[]): Result<null, Context>;
    firstOfConversation(key: string, eventId: string): Result<string | null, Context>;
    leaveConversation(key: string, eventId: string): Result<string | null, Context>;
  }
}

export interface Ordering {
  /** Takes a place behind those that are there; before the delivery is queued. Does nothing when it has one. */
  join(events: readonly Pick<Event, 'id' | 'from' | 'to' | 'receivedAt'>[]): Promise<void>;
  /** Whether its turn has come. */
  isNext(event: Pick<Event, 'id' | 'from' | 'to'>): Promise<boolean>;
  /** Gives its place up, and wakes the next one. Call it when the delivery has ended, however it ended. */
  leave(event: Pick<Event, 'id' | 'from' | 'to'>): Promise<void>;
}

/** The two parties, whoever wrote; undefined for an event that names neither. */
const conversationOf = ({ from, to }: Pick<Event, 'from' | 'to'>): string | undefined =>
  from === null && to === null ? undefined : JSON.stringify([from ?? '', to ?? ''].sort());

export const createOrdering = (store: Store, destinationId: string): Ordering => {
  const { redis } = store;
  redis.defineCommand('joinConversation', { numberOfKeys: 1, lua: JOIN_SCRIPT });
  redis.defineCommand('firstOfConversation', { numberOfKeys: 1, lua: FIRST_SCRIPT });
  redis.defineCommand('leaveConversation', { numberOfKeys: 1, lua: LEAVE_SCRIPT });
  const queue = destinationQueue(destinationId);
  const keyOf = (conversation: string): string => `${queue.prefix}:${queue.name}:order:${conversation}`;

  /** Ended, or gone from the log: whoever worked on it died before it gave its place up. */
  const hasEnded = async (eventId: string): Promise<boolean> => {
    const keys = eventKeys(eventId);
    const [state, exists] = await Promise.all([redis.hget(keys.deliveries, destinationId), redis.exists(keys.record)]);
    return exists === 0 || (state !== 'q' && state !== null);
  };

  return {
    join: async (events) => {
      const places = new Map<string, (string | number)[]>();
      for (const event of events) {
        const conversation = conversationOf(event);
        if (conversation === undefined) continue;
        const place = places.get(conversation) ?? [];
        // Those of one callback have one time: their place in it decides.
        place.push(Date.parse(event.receivedAt) + place.length / 2_000, event.id);
        places.set(conversation, place);
      }
      await Promise.all(
        [...places].map(([conversation, place]) =>
          redis.joinConversation(keyOf(conversation), FORGOTTEN_AFTER_S, ...place),
        ),
      );
    },
    isNext: async (event) => {
      const conversation = conversationOf(event);
      if (conversation === undefined) return true;
      const key = keyOf(conversation);
      for (;;) {
        const first = await redis.firstOfConversation(key, event.id);
        if (first === null) return true;
        if (!(await hasEnded(first))) return false;
        await redis.leaveConversation(key, first);
      }
    },
    leave: async (event) => {
      const conversation = conversationOf(event);
      if (conversation === undefined) return;
      const next = await redis.leaveConversation(keyOf(conversation), event.id);
      if (next === null) return;
      try {
        await store.taker(queue).backend.promote(next);
      } catch {
        // It is not put off: it waits or runs already, or is not queued yet.
      }
    },
  };
};
