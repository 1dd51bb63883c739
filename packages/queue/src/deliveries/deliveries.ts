import type { DeadLetterKind } from '../jobs/outcome.ts';
import { STATE_LETTERS } from '../log/delivery-states.ts';
import { destinationQueue, eventKeys } from '../redis/names.ts';
import { sendAll } from '../redis/send-all.ts';
import { addJobs, type Store } from '../redis/store.ts';

/*
 * The deliveries of an event and their attempts are written beside it, in the hash `cr:{eNN}:<event id>:d`:
 *
 *   <destination id>                    state of the delivery
 *   <destination id>#<started at, ms>   one attempt
 *
 * A job in the destination's queue exists only while there is work left: waiting, delayed, active, or failed (a dead
 * letter). Its id is the event id, so the same delivery can never be queued twice.
 */

/** What a delivery job carries beyond its id. Most carry nothing: each byte counts for every waiting delivery. */
export interface DeliveryJob {
  /** Attempts that were made before the job. */
  readonly a?: number;
  /** The last of those ended the delivery, for this reason. */
  readonly x?: string;
  /** The kind of dead letter, unless it is `refused`. */
  readonly k?: DeadLetterKind;
  /** A person asked for it, so it is sent although it was delivered before: the replay of many, `rpl_…`, or 1. */
  readonly r?: 1 | string;
  /** W3C `traceparent` that its attempts are part of. */
  readonly t?: string;
}

/** The replay of many that a delivery is part of. */
export const replayOf = ({ r }: DeliveryJob): string | undefined => (typeof r === 'string' ? r : undefined);

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
  // Marked as pending before there is a job, so that retention never removes the event of a job.
  await sendAll(
    store,
    deliveries.map(({ eventId, job }) => {
      const state = job?.x === undefined ? STATE_LETTERS.pending : STATE_LETTERS.dead_letter;
      return ['hset', eventKeys(eventId).deliveries, destinationId, state];
    }),
  );
  await addJobs(
    store,
    destinationQueue(destinationId),
    deliveries.map(({ eventId, job, delayMs, isSecond }) => ({
      data: job ?? {},
      options: { jobId: eventId, ...(delayMs && { delay: delayMs }), ...(isSecond && { priority: 1 }) },
    })),
  );
};
