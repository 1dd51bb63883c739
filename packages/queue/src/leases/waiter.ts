import type { LoggedEvent } from '@clickrelay/core';
import { MAX_PAGE_LENGTH } from '../redis/size-limits.ts';

/* Consumers that wait for deliveries of a destination, in memory. */

export interface Lease {
  readonly deliveryId: string;
  readonly token: string;
  /** From 1; how many times the delivery was handed out, and nacked or not answered, before this time. */
  readonly attempt: number;
  readonly endsAt: string;
  readonly event: LoggedEvent;
}

export interface LeaseOptions {
  /** How many at most. */
  readonly max: number;
  /** How long to wait for the first, in ms; 0 looks once. */
  readonly waitMs: number;
  /** How long they are held unless they are extended, in ms. */
  readonly leaseMs: number;
  /** Aborted when the consumer is gone: nothing more is taken for it, and what was is given back. */
  readonly signal: AbortSignal;
}

/** A consumer that waits. */
export interface Waiter extends Pick<LeaseOptions, 'max' | 'waitMs' | 'leaseMs'> {
  /** When it came, by `performance.now()`. */
  readonly since: number;
  readonly leases: Lease[];
  /** Deliveries taken for it and not handed out yet. */
  preparing: number;
  /** A look into the queue that began after it came has ended. */
  hasLooked: boolean;
  /** Gets no more: it ends when nothing is being prepared. */
  isEnding: boolean;
  /** The queue has nothing more: it ends with what is being prepared, unless nothing comes of that. */
  isLast: boolean;
  /** Answers the consumer with its leases. */
  end(): void;
  refuse(error: Error): void;
}

export const newWaiter = (
  { max, waitMs, leaseMs }: Pick<LeaseOptions, 'max' | 'waitMs' | 'leaseMs'>,
  { end, refuse }: { end: (leases: Lease[]) => void; refuse: (error: Error, leases: Lease[]) => void },
): Waiter => {
  const leases: Lease[] = [];
  return {
    max,
    waitMs,
    leaseMs,
    since: performance.now(),
    leases,
    preparing: 0,
    hasLooked: false,
    isEnding: false,
    isLast: false,
    end: () => end(leases),
    refuse: (error) => refuse(error, leases),
  };
};

/** How many more deliveries may be taken for it. */
export const wantedBy = ({ isEnding, max, leases, preparing }: Waiter): number =>
  isEnding ? 0 : max - leases.length - preparing;

/** It ends with what it has, as soon as nothing is being prepared for it. */
export const endWaiting = (waiter: Waiter): void => {
  waiter.isEnding = true;
  endIfReady(waiter);
};

/** To be called whenever nothing more may come, or what was being prepared is there. */
export const endIfReady = (waiter: Waiter): void => {
  const { leases, max, isEnding, isLast, preparing } = waiter;
  if (preparing > 0) return;
  if (isEnding || leases.length >= max || (isLast && leases.length > 0)) waiter.end();
  else waiter.isLast = false;
};

/**
 * A look into the queue found it empty, or its rate used up for the moment: a consumer that has something gets it now,
 * and one that only wanted to look has looked. The look says nothing to those who came after it began.
 * @param since When it began, by `performance.now()`.
 */
export const endAfterLook = (waiters: Iterable<Waiter>, since: number): void => {
  for (const waiter of [...waiters]) {
    if (waiter.since > since) continue;
    waiter.hasLooked = true;
    if (waiter.waitMs === 0) endWaiting(waiter);
    else {
      waiter.isLast = true;
      endIfReady(waiter);
    }
  }
};

/** Whether one answer holds this lease as well. The first always fits. */
export const fits = ({ leases }: Waiter, lease: Lease): boolean => {
  const characters = leases.reduce((sum, { event }) => sum + event.source.length, lease.event.source.length);
  return leases.length === 0 || characters <= MAX_PAGE_LENGTH;
};
