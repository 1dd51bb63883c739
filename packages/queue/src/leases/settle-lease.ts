import { DeliveryError, parseDeliveryId, type RetrySchedule, toIso } from '@clickrelay/core';
import { Job } from 'bullmq';
import type { AttemptRecord, DecodedAttempt } from '../deliveries/attempt.ts';
import { parseDeliveryJob, replayOf } from '../deliveries/delivery-job.ts';
import { DeliveryNotFoundError } from '../deliveries/errors.ts';
import type { Ordering } from '../deliveries/ordering.ts';
import { readAttempt, readForDelivery } from '../deliveries/read-deliveries.ts';
import { isLockLost } from '../jobs/bullmq-codes.ts';
import { lockKey } from '../jobs/keys.ts';
import { outcomeOf } from '../jobs/outcome.ts';
import { type Settlement, settle } from '../jobs/settle.ts';
import { readEvent } from '../log/read-event.ts';
import { destinationQueue, type QueueName } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { LeaseLostError } from './errors.ts';
import { holdLease, leaseStartedAtMs } from './lease-record.ts';

/*
 * The holder of a lease acks, nacks, extends or returns it. Any process can do it: the delivery's id and the token are
 * enough.
 *
 * A lease ends once: acked, nacked, or unanswered. The first end that is recorded holds. A later call finds that record
 * and follows it: the same answer again gets the same reply, a different one gets `lease_lost`. Only then is the job
 * settled. If the process dies in between, the next taker of the job finds how the lease ended. The job's lock cannot
 * decide instead: on a Cluster it lies on another server than the record, so a record could follow a lock that is lost.
 */

/** Names a lease. */
export interface LeaseRef {
  readonly deliveryId: string;
  readonly token: string;
}

/** Writes how a lease ended. Resolves with the end that holds, which an earlier answer may have written. */
export type RecordEnd = (attempt: AttemptRecord) => Promise<DecodedAttempt>;

/** What settling the leases of a destination takes. */
export interface LeaseDesk {
  readonly store: Store;
  readonly recordEnd: RecordEnd;
  readonly destinationId: string;
  /** Of a destination that wants the events of a conversation one after the other. */
  readonly ordering: Ordering | undefined;
}

export interface Acked {
  readonly state: 'delivered';
}

export type Nacked = { readonly state: 'retrying'; readonly nextAttemptAt: string } | { readonly state: 'dead_letter' };

/** The job that a lease holds. */
interface Held {
  readonly queue: QueueName;
  readonly job: Job;
  readonly startedAtMs: number;
}

/** @returns undefined when the lease holds no job, or no longer does */
const readHeld = async (
  store: Store,
  eventId: string,
  destinationId: string,
  token: string,
): Promise<Held | undefined> => {
  const queue = destinationQueue(destinationId);
  const [holder, job] = await Promise.all([
    store.redis.get(lockKey(queue, eventId)),
    Job.fromId(store.taker(queue), eventId),
  ]);
  const startedAtMs = leaseStartedAtMs(token);
  if (holder !== token || job === undefined || startedAtMs === undefined) return undefined;
  return { queue, job, startedAtMs };
};

const eventIdOf = (destinationId: string, { deliveryId }: LeaseRef): string => {
  const parsed = parseDeliveryId(deliveryId);
  if (parsed?.destinationId !== destinationId) throw noDelivery(deliveryId, destinationId);
  return parsed.eventId;
};

/** The consumer has done its work. Asked again with the same lease, answers the same. */
export const ackLease = async (desk: LeaseDesk, lease: LeaseRef): Promise<Acked> => {
  const { store, recordEnd, destinationId } = desk;
  const eventId = eventIdOf(destinationId, lease);
  const held = await readHeld(store, eventId, destinationId, lease.token);
  if (held === undefined) {
    const answered = await readAnswered(store, eventId, destinationId, lease.token);
    if (answered?.outcome === 'delivered') return { state: 'delivered' };
    throw await refusal(store, eventId, destinationId, lease);
  }
  const { job, startedAtMs } = held;
  const data = parseDeliveryJob(job.data);
  const end = await recordEnd({
    eventId,
    destinationId,
    startedAtMs,
    durationMs: Math.max(store.clock.now() - startedAtMs, 0),
    outcome: { kind: 'delivered' },
    status: null,
    error: undefined,
    response: '',
    replayId: replayOf(data),
    isFirst: !data.a && data.r === undefined && job.attemptsMade + job.stalledCounter === 0,
  });
  if (end.outcome !== 'delivered') throw await refusal(store, eventId, destinationId, lease);
  await leaveOrder(desk, eventId);
  await settleHeld(store, held, lease.token, { kind: 'done' });
  return { state: 'delivered' };
};

/** Settles the job by how the lease ended. When the job is elsewhere by now, its next taker does so. */
const settleHeld = async (store: Store, { queue, job }: Held, token: string, settlement: Settlement): Promise<void> => {
  try {
    await settle(store.taker(queue), job, token, settlement);
  } catch (error) {
    if (!isLockLost(error)) throw error;
  }
};

/**
 * Lets the next of the conversation be leased. Comes after the record of how this one ended, and before its job goes:
 * if this process dies in between, the next taker of the job sees that the delivery has ended, and comes here too.
 */
const leaveOrder = async ({ store, ordering }: LeaseDesk, eventId: string): Promise<void> => {
  const logged = ordering && (await readEvent(store, eventId));
  if (logged) await ordering.leave(logged.event);
};

/** The consumer could not do its work. Asked again with the same lease, answers the same. */
export const nackLease = async (
  desk: LeaseDesk,
  lease: LeaseRef,
  { error: text, retry, schedule }: { error: string; retry: boolean; schedule: RetrySchedule },
): Promise<Nacked> => {
  const { store, recordEnd, destinationId } = desk;
  const eventId = eventIdOf(destinationId, lease);
  const held = await readHeld(store, eventId, destinationId, lease.token);
  if (held === undefined) {
    const answered = await readAnswered(store, eventId, destinationId, lease.token);
    if (answered?.error?.code !== 'nacked') throw await refusal(store, eventId, destinationId, lease);
    return nackedBy(answered, store.clock.now());
  }
  const { job, startedAtMs } = held;
  const data = parseDeliveryJob(job.data);
  const { a: attemptsBefore = 0 } = data;
  const error = new DeliveryError('nacked', text, { retryable: retry });
  const end = await recordEnd({
    eventId,
    destinationId,
    startedAtMs,
    durationMs: Math.max(store.clock.now() - startedAtMs, 0),
    // Only nacks use up the schedule (docs/leases.md): leases that ended unanswered are not counted here.
    outcome: outcomeOf(error, attemptsBefore + job.attemptsMade + 1, schedule, Math.random()),
    status: null,
    error,
    response: '',
    replayId: replayOf(data),
  });
  if (end.error?.code !== 'nacked') throw await refusal(store, eventId, destinationId, lease);
  const reason = end.error.message;
  if (end.outcome === 'dead_letter') {
    await leaveOrder(desk, eventId);
    await settleHeld(store, held, lease.token, { kind: 'dead_letter', reason });
  } else {
    const endedAtMs = Date.parse(end.startedAt) + end.durationMs;
    const nextAtMs = end.nextAtMs ?? endedAtMs;
    // Never more than the whole wait, whatever became of the clock since the lease began.
    const delayMs = Math.min(Math.max(nextAtMs - store.clock.now(), 0), nextAtMs - endedAtMs);
    await settleHeld(store, held, lease.token, { kind: 'retry', delayMs, reason });
  }
  return nackedBy(end, store.clock.now());
};

const nackedBy = ({ outcome, nextAtMs }: DecodedAttempt, nowMs: number): Nacked =>
  outcome === 'dead_letter' ? { state: 'dead_letter' } : { state: 'retrying', nextAttemptAt: toIso(nextAtMs ?? nowMs) };

/** @param leaseMs from now on @returns when the lease ends */
export const extendLease = async (
  store: Store,
  destinationId: string,
  lease: LeaseRef,
  leaseMs: number,
): Promise<string> => {
  const eventId = eventIdOf(destinationId, lease);
  const held = await readHeld(store, eventId, destinationId, lease.token);
  const endsAtMs = store.clock.now() + leaseMs;
  const isExtended =
    held !== undefined &&
    (await holdLease(store, held.queue, eventId, lease.token, {
      startedAtMs: held.startedAtMs,
      endsAtMs,
      expiredBefore: held.job.stalledCounter,
      forMs: leaseMs,
    }));
  if (!isExtended) throw await refusal(store, eventId, destinationId, lease);
  return toIso(endsAtMs);
};

/**
 * Returns the delivery to the front of its queue, as if it had never been taken.
 * @returns false when it was not held
 */
export const returnLease = async (store: Store, destinationId: string, lease: LeaseRef): Promise<boolean> => {
  const eventId = eventIdOf(destinationId, lease);
  const held = await readHeld(store, eventId, destinationId, lease.token);
  if (held === undefined) return false;
  try {
    await settle(store.taker(held.queue), held.job, lease.token, { kind: 'return' });
    return true;
  } catch (error) {
    if (isLockLost(error)) return false;
    throw error;
  }
};

/** The attempt that this lease was answered with before, if it was. */
const readAnswered = async (store: Store, eventId: string, destinationId: string, token: string) => {
  const startedAtMs = leaseStartedAtMs(token);
  return startedAtMs === undefined ? undefined : readAttempt(store, eventId, destinationId, startedAtMs);
};

const noDelivery = (deliveryId: string, destinationId: string): DeliveryNotFoundError =>
  new DeliveryNotFoundError(`nothing is known of ${deliveryId.slice(0, 120)} at ${destinationId}`);

const refusal = async (store: Store, eventId: string, destinationId: string, lease: LeaseRef): Promise<Error> => {
  const { state } = await readForDelivery(store, eventId, destinationId);
  if (state === undefined) return noDelivery(lease.deliveryId, destinationId);
  return new LeaseLostError(
    `this lease of ${lease.deliveryId} does not hold it: it has ended, was answered, or is another one's; extend a lease in time, or ask for a longer one`,
  );
};
