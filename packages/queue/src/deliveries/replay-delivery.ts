import { parseDeliveryId } from '@clickrelay/core';
import { readDestination } from '../destinations/destinations.ts';
import { addJobs } from '../jobs/add-jobs.ts';
import { isJobElsewhere, isJobGone } from '../jobs/bullmq-codes.ts';
import { forgetStalls } from '../jobs/read-jobs.ts';
import { STATE_LETTERS } from '../log/delivery-states.ts';
import { readRoutes } from '../log/read-event.ts';
import { destinationQueue, eventKeys } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { type DeliveryJob, parseDeliveryJob, replayOf } from './delivery-job.ts';
import { readDelivery } from './read-deliveries.ts';
import { markReplayed, unmarkReplayed } from './replay-outcomes.ts';

export type ReplayAnswer = 'replayed' | 'not_found' | 'already_pending';

/**
 * Sends a delivery again, whether it is a dead letter or was delivered: from the first attempt on, with the same event
 * id. A delivery that waits for its next attempt is attempted now, unless a replay of many asks: then it counts as on
 * its way already.
 * @param replayId The replay of many that asks, whose counts follow the delivery.
 */
export const replayDelivery = async (store: Store, id: string, replayId?: string): Promise<ReplayAnswer> => {
  const parsed = parseDeliveryId(id);
  if (parsed === undefined) return 'not_found';
  const { eventId, destinationId } = parsed;
  const [delivery, destination] = await Promise.all([readDelivery(store, id), readDestination(store, destinationId)]);
  // No worker would ever take a job of a destination that was removed.
  if (destination === undefined) return 'not_found';
  // A delivery that was routed and never queued is missing in the ledger: send it like any other.
  if (delivery === undefined && !(await readRoutes(store, eventId)).includes(destinationId)) return 'not_found';
  const name = destinationQueue(destinationId);
  const job = await store.queue(name).getJob(eventId);
  const asked: Asked = { eventId, destinationId, replayId };
  if (job === undefined) {
    // Delivered, or its job was lost.
    await makeJob(store, asked);
    return 'replayed';
  }
  // The worker that sent it died before it could write how far the replay was.
  if (replayId !== undefined && replayOf(parseDeliveryJob(job.data)) === replayId && !(await job.isFailed()))
    return 'replayed';
  try {
    if (replayId === undefined && (await job.isDelayed())) await job.promote();
    else if (await job.isFailed()) {
      await owe(store, asked);
      await job.updateData(jobOf(asked));
      // BullMQ would count on: a delivery that crashed its consumers would be a dead letter again at once.
      await forgetStalls(store, name, eventId);
      await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
    } else return 'already_pending';
  } catch (error) {
    if (isJobElsewhere(error)) {
      if (replayId !== undefined) await unmarkReplayed(store, { eventId, destinationId, replayId });
      return 'already_pending';
    }
    if (!isJobGone(error)) throw error;
    await makeJob(store, asked);
  }
  return 'replayed';
};

/** The delivery to send again, and the replay of many that asks for it, if one does. */
interface Asked {
  readonly eventId: string;
  readonly destinationId: string;
  readonly replayId: string | undefined;
}

const jobOf = ({ replayId }: Asked): DeliveryJob => ({ r: replayId ?? 1 });

/** Written before there is a job, as for any pending delivery. */
const owe = async (store: Store, { eventId, destinationId, replayId }: Asked): Promise<void> => {
  if (replayId === undefined)
    await store.redis.hset(eventKeys(eventId).deliveries, destinationId, STATE_LETTERS.pending);
  else await markReplayed(store, { eventId, destinationId, replayId }, 'sent', [destinationId, STATE_LETTERS.pending]);
};

const makeJob = async (store: Store, asked: Asked): Promise<void> => {
  await owe(store, asked);
  await addJobs(store, destinationQueue(asked.destinationId), [
    { data: jobOf(asked), options: { jobId: asked.eventId } },
  ]);
};
