import { DeliveryError, parseDeliveryId, type RetrySchedule, toIso } from '@clickrelay/core';
import { Job } from 'bullmq';
import type { AttemptLog } from '../deliveries/attempt-log.ts';
import { parseDeliveryJob, replayOf } from '../deliveries/delivery-job.ts';
import { DeliveryNotFoundError } from '../deliveries/errors.ts';
import type { Ordering } from '../deliveries/ordering.ts';
import { readAttempt, readForDelivery } from '../deliveries/read-deliveries.ts';
import { isLockLost } from '../jobs/bullmq-codes.ts';
import { lockKey } from '../jobs/keys.ts';
import { outcomeOf } from '../jobs/outcome.ts';
import { settle } from '../jobs/settle.ts';
import { readEvent } from '../log/read-event.ts';
import { destinationQueue } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { LeaseLostError } from './errors.ts';
import { holdLease, leaseStartedAtMs } from './lease-record.ts';

/*
 * The holder of a lease acks, nacks, extends or returns it. Any process can do it: the delivery's id and the token are
 * enough.
 */

/** Names a lease. */
export interface LeaseRef {
  readonly deliveryId: string;
  readonly token: string;
}

/** What settling the leases of a destination takes. */
export interface LeaseDesk {
  readonly store: Store;
  readonly attempts: AttemptLog;
  readonly destinationId: string;
  /** Of a destination that wants the events of a conversation one after the other. */
  readonly ordering: Ordering | undefined;
}

export interface Acked {
  readonly state: 'delivered';
}

export type Nacked = { readonly state: 'retrying'; readonly nextAttemptAt: string } | { readonly state: 'dead_letter' };

/** The job that a lease holds; undefined when it holds none, or no longer does. */
const readHeld = async (store: Store, eventId: string, destinationId: string, token: string) => {
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
  const { store, attempts, destinationId } = desk;
  const eventId = eventIdOf(destinationId, lease);
  const held = await readHeld(store, eventId, destinationId, lease.token);
  if (held === undefined) {
    const answered = await readAnswered(store, eventId, destinationId, lease.token);
    if (answered?.outcome === 'delivered') return { state: 'delivered' };
    throw await refusal(store, eventId, destinationId, lease);
  }
  const { queue, job, startedAtMs } = held;
  const data = parseDeliveryJob(job.data);
  // Written down first: if this process dies in between, the job that is left is seen to be delivered.
  await attempts.record({
    eventId,
    destinationId,
    startedAtMs,
    durationMs: Date.now() - startedAtMs,
    outcome: { kind: 'delivered' },
    status: null,
    error: undefined,
    response: '',
    replayId: replayOf(data),
    isFirst: !data.a && data.r === undefined && job.attemptsMade + job.stalledCounter === 0,
  });
  await leaveOrder(desk, eventId);
  try {
    await settle(store.taker(queue), job, lease.token, { kind: 'done' });
  } catch (error) {
    // The lease ended in this very moment: the work is done all the same, and the next taker of the job sees it.
    if (!isLockLost(error)) throw error;
  }
  return { state: 'delivered' };
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
  const { store, attempts, destinationId } = desk;
  const eventId = eventIdOf(destinationId, lease);
  const held = await readHeld(store, eventId, destinationId, lease.token);
  if (held === undefined) {
    const answered = await readAnswered(store, eventId, destinationId, lease.token);
    if (answered?.error?.code !== 'nacked') throw await refusal(store, eventId, destinationId, lease);
    if (answered.outcome === 'dead_letter') return { state: 'dead_letter' };
    return retrying(answered.nextAtMs ?? Date.now());
  }
  const { queue, job, startedAtMs } = held;
  const data = parseDeliveryJob(job.data);
  const { a: attemptsBefore = 0 } = data;
  const error = new DeliveryError('nacked', text, { retryable: retry });
  // Only nacks use up the schedule (docs/leases.md): leases that ended unanswered are not counted here.
  const outcome = outcomeOf(error, attemptsBefore + job.attemptsMade + 1, schedule, Math.random());
  const nowMs = Date.now();
  await attempts.record({
    eventId,
    destinationId,
    startedAtMs,
    durationMs: nowMs - startedAtMs,
    outcome,
    status: null,
    error,
    response: '',
    replayId: replayOf(data),
  });
  if (outcome.kind === 'dead_letter') await leaveOrder(desk, eventId);
  try {
    const reason = error.message;
    await settle(
      store.taker(queue),
      job,
      lease.token,
      outcome.kind === 'retry' ? { kind: 'retry', delayMs: outcome.delayMs, reason } : { kind: 'dead_letter', reason },
    );
  } catch (lost) {
    if (isLockLost(lost)) throw await refusal(store, eventId, destinationId, lease);
    throw lost;
  }
  return outcome.kind === 'retry' ? retrying(nowMs + outcome.delayMs) : { state: 'dead_letter' };
};

const retrying = (atMs: number): Nacked => ({ state: 'retrying', nextAttemptAt: toIso(atMs) });

/** @param leaseMs from now on @returns when the lease ends */
export const extendLease = async (
  store: Store,
  destinationId: string,
  lease: LeaseRef,
  leaseMs: number,
): Promise<string> => {
  const eventId = eventIdOf(destinationId, lease);
  const held = await readHeld(store, eventId, destinationId, lease.token);
  const endsAtMs = Date.now() + leaseMs;
  const isExtended =
    held !== undefined &&
    (await holdLease(store, held.queue, eventId, lease.token, {
      startedAtMs: held.startedAtMs,
      endsAtMs,
      expiredBefore: held.job.stalledCounter,
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
