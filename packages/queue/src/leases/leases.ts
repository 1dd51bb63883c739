import { parseRetrySchedule, type RetrySchedule } from '@clickrelay/core';
import { createHourCounts } from '../counts/hour-figures.ts';
import type { AttemptRecord } from '../deliveries/attempt.ts';
import { recordFirst } from '../deliveries/record-first.ts';
import type { Destination } from '../destinations/destinations.ts';
import { createDestinationNotes } from '../destinations/notes.ts';
import { createDispatcher } from '../jobs/dispatcher.ts';
import type { ClockHealed } from '../jobs/heal-clock.ts';
import type { Store } from '../redis/store.ts';
import { giveBackLeases } from './give-back.ts';
import { handOut } from './hand-out.ts';
import { prepareLease } from './prepare-lease.ts';
import { type PullOutlet, pacingOf, roomOf } from './pull-outlet.ts';
import { openPullOutlets } from './pull-outlets.ts';
import {
  type Acked,
  ackLease,
  extendLease,
  type LeaseDesk,
  type LeaseRef,
  type Nacked,
  nackLease,
  type RecordEnd,
} from './settle-lease.ts';
import { waitForLeases } from './wait-for-leases.ts';
import { endWaiting, type Lease, type LeaseOptions } from './waiter.ts';

/*
 * Leases of pull destinations. Consumers wait here, in memory, and a dispatcher, as in the worker, takes for them: any
 * number of consumers costs one blocking connection.
 *
 * A lease that ends unanswered comes back by the dispatcher's check for stalled jobs. Every process that hands out
 * leases runs it, over all pull destinations; BullMQ sees to it that they do not all check at once. So one that dies
 * does no harm, and while all are dead nobody could lease what came back anyway.
 *
 *   pull-outlets      what is known of each pull destination (pull-outlet), and has its queue taken from
 *   wait-for-leases   a consumer comes, and waits in line (waiter)
 *   hand-out          gives it a taken delivery (prepare-lease, lease-record)
 *   settle-lease      it acks, nacks or extends (give-back: it never got it)
 */

export interface Leases {
  /**
   * Hands out what waits, the oldest first. Empty when the wait passed, and while the destination is paused.
   * @throws {DestinationNotFoundError} also when it is removed meanwhile
   * @throws {NotAPullDestinationError}
   * @throws {TooManyLeasesError} when nothing came, and nothing can, because of what is out
   */
  lease(destinationId: string, options: LeaseOptions): Promise<Lease[]>;
  /** @throws {LeaseLostError} @throws {DeliveryNotFoundError} */
  ack(destinationId: string, lease: LeaseRef): Promise<Acked>;
  /** @throws {LeaseLostError} @throws {DeliveryNotFoundError} */
  nack(destinationId: string, lease: LeaseRef, failure: { error: string; retry: boolean }): Promise<Nacked>;
  /** @returns when the lease ends now. @throws {LeaseLostError} @throws {DeliveryNotFoundError} */
  extend(destinationId: string, lease: LeaseRef, leaseMs: number): Promise<string>;
  /** What never reached its consumer goes back to the front, and counts as no attempt. */
  giveBack(destinationId: string, leases: readonly Lease[]): Promise<void>;
  /** @throws {DestinationNotFoundError} @throws {NotAPullDestinationError} */
  destination(id: string): Promise<Destination>;
  /** Consumers that wait get what they have; nothing more is handed out. */
  close(): Promise<void>;
}

/** BullMQ looks through what is out for each answer: with more, answers grow slow. */
const MOST_LEASES_OUT = 1_000;
/**
 * A lease comes back at the second check after it began, and not before it ended: at most this, or twice this, late.
 */
const STALLED_SWEEP_MS = 1_000;
const CLOSE_GRACE_MS = 1_000;

export interface LeasesOptions {
  readonly schedule: RetrySchedule;
  readonly onError: (error: unknown) => void;
  /** Called with how each lease ended: answered, or unanswered. */
  readonly onAttempt?: (attempt: AttemptRecord) => void;
  /** Called when the clock of Redis was put back, and what waits is mended. */
  readonly onPutBack?: (healed: ClockHealed) => void;
  /** @default 1000 */
  readonly mostLeasesOut?: number;
}

export const createLeases = (store: Store, options: LeasesOptions): Leases => {
  const { schedule, onError, onAttempt, onPutBack, mostLeasesOut = MOST_LEASES_OUT } = options;
  const hours = createHourCounts(store, { onError });
  const notes = createDestinationNotes(store, { onError });
  const recordEnd: RecordEnd = async (attempt) => {
    const { attempt: end, isNew } = await recordFirst(store, attempt);
    if (isNew) {
      hours.add(attempt);
      onAttempt?.(attempt);
    }
    return end;
  };
  const dispatcher = createDispatcher(store, {
    onError,
    stalledSweepMs: STALLED_SWEEP_MS,
    ...(onPutBack && { onPutBack }),
  });
  let isClosing = false;
  const outlets = openPullOutlets({
    store,
    dispatcher,
    mostLeasesOut,
    onError,
    run: (outlet, taken) =>
      handOut(outlet, taken, (job, leaseMs) => prepareLease({ store, recordEnd }, outlet, job, leaseMs)),
  });

  const deskOf = ({ destination: { id }, ordering }: PullOutlet): LeaseDesk => ({
    store,
    recordEnd,
    destinationId: id,
    ordering,
  });

  /** One lease less is out. */
  const makeRoom = (outlet: PullOutlet): void => {
    outlet.out--;
    dispatcher.poke(outlet.queue);
  };

  const giveBack = (outlet: PullOutlet, leases: readonly Lease[]): Promise<void> =>
    giveBackLeases(outlet, leases, { store, onError, isClosing: () => isClosing });

  return {
    lease: async (id, request) => {
      const outlet = await outlets.find(id);
      notes.asked(id);
      if (request.signal.aborted || isClosing) return [];
      return waitForLeases(outlet, {
        request,
        mostLeasesOut,
        hasRoom: () => roomOf(outlet, mostLeasesOut) > 0,
        look: () => dispatcher.look(outlet.queue),
        giveBack: (leases) => {
          giveBack(outlet, leases).catch(onError);
        },
      });
    },
    ack: async (id, lease) => {
      const outlet = await outlets.find(id);
      const acked = await ackLease(deskOf(outlet), lease);
      makeRoom(outlet);
      return acked;
    },
    nack: async (id, lease, failure) => {
      const outlet = await outlets.find(id);
      const own = parseRetrySchedule(pacingOf(outlet.destination).retrySchedule ?? '');
      const nacked = await nackLease(deskOf(outlet), lease, { ...failure, schedule: own ?? schedule });
      makeRoom(outlet);
      return nacked;
    },
    extend: async (id, lease, leaseMs) => {
      await outlets.find(id);
      return extendLease(store, id, lease, leaseMs);
    },
    giveBack: async (id, leases) => giveBack(await outlets.find(id), leases),
    destination: async (id) => (await outlets.find(id)).destination,
    close: async () => {
      isClosing = true;
      outlets.beginClosing();
      for (const { waiters } of outlets.all()) {
        for (const waiter of [...waiters]) endWaiting(waiter);
      }
      await outlets.stop();
      await dispatcher.close(CLOSE_GRACE_MS);
      await Promise.all([hours.stop(), notes.stop()]);
    },
  };
};
