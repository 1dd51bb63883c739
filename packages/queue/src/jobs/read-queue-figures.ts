import type { QueueName } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';
import { activeKey, delayedKey, failedKey, JOB_FIELD_LUA, jobKey, prioritizedKey, waitKey } from './keys.ts';
import figuresLua from './read-queue-figures.lua';

export interface QueueFigures {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
  readonly deadLetters: number;
  /** When the oldest of the first three was queued, in ms since 1970; null when there is none. */
  readonly oldestAt: number | null;
}

const READ_FIGURES: Script = { name: 'readQueueFigures', lua: JOB_FIELD_LUA + figuresLua };

/** At either end of what is delayed. */
const LOOKED_AT = 50;

/** How many jobs a queue has, and since when the oldest waits. */
export const readQueueFigures = async (store: Store, queue: QueueName): Promise<QueueFigures> => {
  const [waiting, delayed, active, deadLetters, oldest] = await runScript<
    [number, number, number, number, string | null]
  >(
    store.redis,
    READ_FIGURES,
    [waitKey(queue), prioritizedKey(queue), delayedKey(queue), activeKey(queue), failedKey(queue)],
    [jobKey(queue, ''), LOOKED_AT],
  );
  return { waiting, delayed, active, deadLetters, oldestAt: oldest === null ? null : Number(oldest) };
};
