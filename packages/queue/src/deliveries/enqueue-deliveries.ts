import { addJobs } from '../jobs/add-jobs.ts';
import { STATE_LETTERS } from '../log/delivery-states.ts';
import { destinationQueue, eventKeys, queueKey } from '../redis/names.ts';
import { sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { useShard } from '../redis/use-shard.ts';
import type { DeliveryJob } from './delivery-job.ts';

/*
 * The deliveries of an event and their attempts are written beside it, in the hash `cr:{eNN}:<event id>:d`:
 *
 *   <destination id>                    state of the delivery
 *   <destination id>#<started at, ms>   one attempt
 *   #<replay>#<destination id>          how far a replay of many is with it (replay-outcomes.ts)
 *
 * A job in the destination's queue exists only while there is work left: waiting, delayed, active, or failed (a dead
 * letter). Its id is the event id, so the same delivery can never be queued twice.
 */

export interface DeliveryToQueue {
  readonly eventId: string;
  readonly job?: DeliveryJob;
  readonly delayMs?: number;
  /** The other deliveries of its queue go first, also those that come later. */
  readonly isSecond?: boolean;
}

/** Puts deliveries into their destination's queue. A delivery that is there already stays as it is. */
export const enqueueDeliveries = async (
  store: Store,
  destinationId: string,
  deliveries: readonly DeliveryToQueue[],
): Promise<void> => {
  if (deliveries.length === 0) return;
  // Marked as pending before there is a job, so that retention never removes the event of a job. Never again: a group
  // that comes back may find its delivery delivered since it looked, and whoever takes the job must see that.
  await sendAll(
    store,
    deliveries.map(({ eventId, job }) => {
      const { deliveries: key } = eventKeys(eventId);
      if (job?.x !== undefined) return ['hset', key, destinationId, STATE_LETTERS.dead_letter];
      return ['hsetnx', key, destinationId, STATE_LETTERS.pending];
    }),
  );
  const queue = destinationQueue(destinationId);
  const jobs = deliveries.map(({ eventId, job, delayMs, isSecond }) => ({
    data: job ?? {},
    options: {
      jobId: eventId,
      ...(delayMs && { delay: delayMs, timestamp: store.clock.now() }),
      ...(isSecond && { priority: 1 }),
    },
  }));
  await useShard(store, queueKey(queue), () => addJobs(store, queue, jobs));
};
