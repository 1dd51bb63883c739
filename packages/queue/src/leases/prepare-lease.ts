import { DeliveryError, deliveryId } from '@clickrelay/core';
import { type OpenDelivery, openDelivery } from '../deliveries/open-delivery.ts';
import { deadLetterKind } from '../jobs/outcome.ts';
import type { Settlement } from '../jobs/settle.ts';
import type { TakenJob } from '../jobs/source.ts';
import type { Store } from '../redis/store.ts';
import { holdLease, type LeaseRecord, leaseStartedAtMs } from './lease-record.ts';
import type { PullOutlet } from './pull-outlet.ts';
import type { RecordEnd } from './settle-lease.ts';
import type { Lease } from './waiter.ts';

/** A delivery whose leases ended unanswered this many times seems to crash its consumers: it becomes a dead letter. */
export const MOST_UNANSWERED = 50;

/** How long a delivery sleeps that waits for the one before it in its conversation. */
const PUT_OFF = { shortestMs: 5_000, longestMs: 60_000 };

interface PrepareContext {
  readonly store: Store;
  readonly recordEnd: RecordEnd;
}

/** Makes a lease of a taken job, or says what becomes of the job instead. */
export const prepareLease = async (
  context: PrepareContext,
  { destination, ordering, queue }: PullOutlet,
  job: TakenJob,
  leaseMs: number,
): Promise<{ lease: Lease } | { settlement: Settlement }> => {
  const { store } = context;
  const opening = openDelivery({ store, destinationId: destination.id, ordering, putOff: PUT_OFF }, job);
  if (ordering !== undefined) {
    // Before it is held: a lease that nobody got must not be written down as one that ended in silence.
    const opened = await opening;
    if ('settlement' in opened) return opened;
  }
  const startedAtMs = leaseStartedAtMs(job.token) ?? store.clock.now();
  const endsAtMs = store.clock.now() + leaseMs;
  const [opened, held] = await Promise.all([
    opening,
    holdLease(store, queue, job.id, job.token, {
      startedAtMs,
      endsAtMs,
      expiredBefore: job.stalledCount,
      forMs: leaseMs,
    }),
  ]);
  // It took us so long that another process has it: `leased` leaves the job alone.
  if (held === undefined) return { settlement: { kind: 'leased' } };
  if ('settlement' in opened) return opened;
  // Leases are told apart by when they began: this one would count as answered when the one before it was.
  if (held.before?.startedAtMs === startedAtMs) return { settlement: { kind: 'return' } };

  const ended = await recordUnanswered(context, job, { destinationId: destination.id, opened, before: held.before });
  if (ended !== undefined) {
    await ordering?.leave(opened.logged.event);
    return { settlement: ended };
  }
  return {
    lease: {
      deliveryId: deliveryId(job.id, destination.id),
      token: job.token,
      attempt: opened.attemptsBefore + job.attemptsMade + job.stalledCount + 1,
      endsAt: new Date(endsAtMs).toISOString(),
      event: opened.logged,
    },
  };
};

/**
 * Writes the lease before this one down as an attempt, when it ended unanswered.
 * @returns what becomes of the job when that was once too often, or when it was answered after all
 */
const recordUnanswered = async (
  { recordEnd }: PrepareContext,
  job: TakenJob,
  { destinationId, opened, before }: { destinationId: string; opened: OpenDelivery; before: LeaseRecord | undefined },
): Promise<Settlement | undefined> => {
  if (before === undefined || before.expiredBefore >= job.stalledCount) return undefined;
  const isPoison = job.stalledCount >= MOST_UNANSWERED;
  const error = isPoison
    ? new DeliveryError(
        'crashes_consumer',
        `${MOST_UNANSWERED} leases of it ended without an answer; it seems to crash its consumers`,
        { retryable: false },
      )
    : new DeliveryError('lease_expired', 'the lease ended before the consumer answered', { retryable: true });
  const end = await recordEnd({
    eventId: job.id,
    destinationId,
    startedAtMs: before.startedAtMs,
    durationMs: before.endsAtMs - before.startedAtMs,
    outcome: isPoison ? { kind: 'dead_letter' } : { kind: 'retry', delayMs: 0 },
    status: null,
    error,
    response: '',
    replayId: opened.replayId,
  });
  // It may have been answered in the moment of its end: then that holds.
  if (end.outcome === 'delivered') return { kind: 'done' };
  if (end.outcome === 'retry') return undefined;
  return { kind: 'dead_letter', reason: end.error?.message ?? '', because: deadLetterKind(end.error ?? undefined) };
};
