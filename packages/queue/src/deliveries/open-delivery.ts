import { deliveryId, type LoggedEvent } from '@clickrelay/core';
import { deadLetterKind } from '../jobs/outcome.ts';
import type { Settlement } from '../jobs/settle.ts';
import type { TakenJob } from '../jobs/source.ts';
import type { Store } from '../redis/store.ts';
import { parseDeliveryJob, replayOf } from './delivery-job.ts';
import type { Ordering } from './ordering.ts';
import { readDelivery, readForDelivery } from './read-deliveries.ts';
import { markReplayed } from './replay-outcomes.ts';

/** A delivery that is to be attempted now. */
export interface OpenDelivery {
  readonly logged: LoggedEvent;
  /** Attempts made before the job was. */
  readonly attemptsBefore: number;
  /** A person asked for it: it was delivered before, or given up. */
  readonly isReplay: boolean;
  /** The replay of many that it is part of. */
  readonly replayId: string | undefined;
  /** W3C `traceparent` that its attempts are part of. */
  readonly trace: string | undefined;
}

export interface OpenOptions {
  readonly store: Store;
  readonly destinationId: string;
  /** Of a destination that wants the events of a conversation one after the other. */
  readonly ordering: Ordering | undefined;
  /** How long a delivery sleeps that waits for the one before it, should nobody wake it. */
  readonly putOff: PutOff;
}

/**
 * Opens the job of a delivery: finds what is to be delivered, or what becomes of the job instead. A job can outlive its
 * delivery, when a process dies after it wrote down how the delivery ended and before it settled the job.
 * @throws {InvalidJobError}
 */
export const openDelivery = async (
  { store, destinationId, ordering, putOff }: OpenOptions,
  job: TakenJob,
): Promise<OpenDelivery | { readonly settlement: Settlement }> => {
  const data = parseDeliveryJob(job.data);
  const { a: attemptsBefore = 0, x: endedBecause, k: because, r, t: trace } = data;
  const replayId = replayOf(data);
  const isReplay = r !== undefined;
  if (endedBecause !== undefined) return { settlement: { kind: 'dead_letter', reason: endedBecause, because } };

  const { logged, state } = await readForDelivery(store, job.id, destinationId);
  if (logged === undefined) {
    if (replayId !== undefined) await markReplayed(store, { eventId: job.id, destinationId, replayId }, 'failed');
    return { settlement: { kind: 'dead_letter', reason: 'the event is no longer in the log', because: 'not_built' } };
  }
  if (state === 'delivered' && !isReplay) {
    await ordering?.leave(logged.event);
    return { settlement: { kind: 'done' } };
  }
  if (state === 'dead_letter') {
    // The next of its conversation may be under way by now.
    await ordering?.leave(logged.event);
    const delivery = await readDelivery(store, deliveryId(job.id, destinationId));
    const error = delivery?.attempts.at(-1)?.error ?? undefined;
    return { settlement: { kind: 'dead_letter', reason: error?.message ?? '', because: deadLetterKind(error) } };
  }
  if (ordering !== undefined && !(await ordering.takeTurn(logged.event))) {
    const hasCome = (): Promise<boolean> => ordering.isNext(logged.event);
    return { settlement: { kind: 'await_turn', delayMs: putOffMs(job, putOff), hasCome } };
  }
  return { logged, attemptsBefore, isReplay, replayId, trace };
};

export interface PutOff {
  readonly shortestMs: number;
  readonly longestMs: number;
}

/**
 * How long a delivery waits for its turn. The one before it in its conversation wakes it when it ends; this is for when
 * that process died before it could, and grows for those with a long wait before them.
 */
const putOffMs = (
  { timesTaken, attemptsMade }: Pick<TakenJob, 'timesTaken' | 'attemptsMade'>,
  { shortestMs, longestMs }: PutOff,
): number => Math.min(shortestMs * 2 ** Math.min(timesTaken - attemptsMade, 10), longestMs);
