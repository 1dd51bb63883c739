import type { QueueName } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { activeKey, delayedKey, prioritizedKey, waitKey } from './keys.ts';

/** Where the jobs of a queue are: under way, waiting, waiting behind all of those, and put off. */
export type JobPlace = 'active' | 'waiting' | 'second' | 'delayed';

/** Ids of the jobs in one place, the next one first. */
export const listJobs = async (
  { redis }: Store,
  queue: QueueName,
  place: JobPlace,
  { from, count }: { from: number; count: number },
): Promise<string[]> => {
  // BullMQ takes from the right end of its lists.
  const readList = async (key: string) => (await redis.lrange(key, -from - count, -from - 1)).reverse();
  const readSet = (key: string) => redis.zrange(key, String(from), String(from + count - 1));
  switch (place) {
    case 'active':
      return readList(activeKey(queue));
    case 'waiting':
      return readList(waitKey(queue));
    case 'second':
      return readSet(prioritizedKey(queue));
    case 'delayed':
      return readSet(delayedKey(queue));
  }
};
