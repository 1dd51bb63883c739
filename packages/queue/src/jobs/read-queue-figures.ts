import type { QueueName } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import { type RedisCommand, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { activeKey, delayedKey, failedKey, JOB_FIELD, jobKey, prioritizedKey, waitKey } from './keys.ts';
import figuresLua from './read-queue-figures.lua';

export interface QueueFigures {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
  readonly deadLetters: number;
  /** When the oldest of the first three was queued, in ms since 1970; null when there is none. */
  readonly oldestAt: number | null;
}

const READ_FIGURES: Script = { name: 'readQueueFigures', lua: figuresLua };

/** At either end of what is delayed. */
const LOOKED_AT = 50;

/** How many jobs a queue has, and since when the oldest waits. */
export const readQueueFigures = async (store: Store, queue: QueueName): Promise<QueueFigures> => {
  const [waiting, delayed, active, deadLetters, ids] = await runScript<[number, number, number, number, string[]]>(
    store.redis,
    READ_FIGURES,
    [waitKey(queue), prioritizedKey(queue), delayedKey(queue), activeKey(queue), failedKey(queue)],
    [LOOKED_AT],
  );
  return { waiting, delayed, active, deadLetters, oldestAt: await readOldest(store, queue, [...new Set(ids)]) };
};

/** When the first of these jobs was added. One that is gone by now has ended. */
const readOldest = async (store: Store, queue: QueueName, ids: readonly string[]): Promise<number | null> => {
  const times = await sendAll(
    store,
    ids.map((id): RedisCommand => ['hget', jobKey(queue, id), JOB_FIELD.addedAt]),
  );
  const known = times.filter((at) => at !== null).map(Number);
  return known.length === 0 ? null : Math.min(...known);
};

export interface DeadLetterTimes {
  /** How many became dead letters at this time or later. */
  readonly since: number;
  /** When the newest did, in ms since 1970; null when there is none. */
  readonly newestAt: number | null;
}

/** When the dead letters of each queue came, in this order. */
export const readDeadLetterTimes = async (
  store: Store,
  queues: readonly QueueName[],
  sinceMs: number,
): Promise<DeadLetterTimes[]> => {
  const commands = queues.flatMap((queue): RedisCommand[] => [
    ['zcount', failedKey(queue), sinceMs, '+inf'],
    ['zrange', failedKey(queue), -1, -1, 'WITHSCORES'],
  ]);
  const replies = await sendAll(store, commands);
  return queues.map((_, index) => {
    const [, newest] = replies[2 * index + 1] as string[];
    return { since: Number(replies[2 * index]), newestAt: newest === undefined ? null : Number(newest) };
  });
};
