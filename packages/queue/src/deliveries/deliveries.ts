import type { DeadLetterKind } from '../jobs/outcome.ts';
import { STATE_LETTERS } from '../log/delivery-states.ts';
import { destinationQueue, eventKeys } from '../redis/names.ts';
import { sendAll } from '../redis/send-all.ts';
import { addJobs, type Store } from '../redis/store.ts';

/*
 * What is owed and what was done is written beside the event, in the hash `cr:{eNN}:<event id>:d`:
 *
 *   <destination id>                    state of the delivery
 *   <destination id>#<started at, ms>   one attempt
 *
 * A job in the destination's queue exists only while there is work left: waiting, delayed, active, or failed (a dead
 * letter). Its id is the event id, so the same delivery can never be queued twice.
 */

/** What a delivery job carries beyond its id. Empty for most: every byte is paid for each waiting delivery. */
export interface DeliveryJob {
  /** Attempts made before the job was. */
  readonly a?: number;
  /** The last of those ended the delivery: the reason. */
  readonly x?: string;
  /** Why it ended, when that is not that it was refused. */
  readonly k?: DeadLetterKind;
  /** Asked for by a person: sent although it was delivered before. The replay of many, `rpl_…`, or 1 for it alone. */
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
  /** Others of its queue go first, also those that come later. */
  readonly isSecond?: boolean;
}

/** Puts deliveries into their destination's queue. Those that are there already stay as they are. */
export const enqueueDeliveries = async (
  store: Store,
  destinationId: string,
  deliveries: readonly DeliveryToQueue[],
): Promise<void> => {
  if (deliveries.length === 0) return;
  // Marked as owed before there is a job, so that the log is never trimmed under one.
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
