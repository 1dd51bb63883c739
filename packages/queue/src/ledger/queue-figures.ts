import type { Result } from 'ioredis';
import { listDestinations } from '../destinations/destinations.ts';
import { listHolds } from '../destinations/holds.ts';
import { activeKey, prioritizedKey, waitKey } from '../jobs/keys.ts';
import { destinationQueue, LANES, type QueueName, queueKey } from '../redis/names.ts';
import { ingestQueues, type Store } from '../redis/store.ts';

export interface QueueFigures {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
  readonly deadLetters: number;
  /** When the oldest of the first three was queued, in ms since 1970; null when there is none. */
  readonly oldestAt: number | null;
}

export interface DestinationFigures extends QueueFigures {
  readonly id: string;
  readonly type: string;
  readonly state: 'sending' | 'paused' | 'throttled' | 'failing';
}

export interface Figures {
  readonly ingest: Readonly<Record<'messages' | 'statuses', QueueFigures>>;
  readonly destinations: readonly DestinationFigures[];
}

/** Delayed jobs are sorted by when they are due, not by age: of so many at either end the age is looked at. */
const LOOKED_AT = 50;

/*
 * KEYS: waiting, prioritized, delayed, active, failed. ARGV: key prefix of jobs, how many to look at.
 * What waits longest is at the right of a list; what is retried longest is due last, as waits grow.
 */
const FIGURES_SCRIPT = `
local oldest = false
local function look(ids)
  for _, id in ipairs(ids) do
    local at = tonumber(redis.call('HGET', ARGV[1] .. id, 'timestamp') or '')
    if at and (not oldest or at < oldest) then oldest = at end
  end
end
local most = tonumber(ARGV[2])
look(redis.call('LRANGE', KEYS[1], -1, -1))
look(redis.call('ZRANGE', KEYS[2], 0, 0))
look(redis.call('ZRANGE', KEYS[3], 0, most - 1))
look(redis.call('ZRANGE', KEYS[3], -most, -1))
look(redis.call('LRANGE', KEYS[4], -most, -1))
return {redis.call('LLEN', KEYS[1]) + redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[3]),
  redis.call('LLEN', KEYS[4]), redis.call('ZCARD', KEYS[5]), oldest and tostring(oldest) or false}`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    readQueueFigures(...args: (string | number)[]): Result<[number, number, number, number, string | null], Context>;
  }
}

const readQueue = async (store: Store, name: QueueName): Promise<QueueFigures> => {
  const key = queueKey(name);
  const [waiting, delayed, active, deadLetters, oldest] = await store.redis.readQueueFigures(
    waitKey(name),
    prioritizedKey(name),
    `${key}:delayed`,
    activeKey(name),
    `${key}:failed`,
    `${key}:`,
    LOOKED_AT,
  );
  return { waiting, delayed, active, deadLetters, oldestAt: oldest === null ? null : Number(oldest) };
};

const NOTHING: QueueFigures = { waiting: 0, delayed: 0, active: 0, deadLetters: 0, oldestAt: null };

const add = (a: QueueFigures, b: QueueFigures): QueueFigures => {
  const oldest = [a.oldestAt, b.oldestAt].filter((at) => at !== null);
  return {
    waiting: a.waiting + b.waiting,
    delayed: a.delayed + b.delayed,
    active: a.active + b.active,
    deadLetters: a.deadLetters + b.deadLetters,
    oldestAt: oldest.length === 0 ? null : Math.min(...oldest),
  };
};

/** How much waits where, and for how long. A short script for each queue. */
export const readFigures = async (store: Store): Promise<Figures> => {
  store.redis.defineCommand('readQueueFigures', { numberOfKeys: 5, lua: FIGURES_SCRIPT });
  const now = Date.now();
  const [destinations, holds, [messages = NOTHING, statuses = NOTHING]] = await Promise.all([
    listDestinations(store),
    listHolds(store, now),
    Promise.all(
      LANES.map(async (lane) => {
        const queues = await Promise.all(ingestQueues(store, lane).map((name) => readQueue(store, name)));
        return queues.reduce(add, NOTHING);
      }),
    ),
  ]);
  return {
    ingest: { messages, statuses },
    destinations: await Promise.all(
      destinations.map(async ({ id, type, paused }) => ({
        id,
        type,
        state: paused === null ? (holds.get(id)?.reason ?? ('sending' as const)) : ('paused' as const),
        ...(await readQueue(store, destinationQueue(id))),
      })),
    ),
  };
};
