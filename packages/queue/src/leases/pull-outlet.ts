import { type Pacing, readPacing } from '@clickrelay/core';
import { createOrdering, type Ordering } from '../deliveries/ordering.ts';
import type { Destination } from '../destinations/destinations.ts';
import { destinationQueue, type QueueName } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { type Waiter, wantedBy } from './waiter.ts';

/**
 * A pull destination as this process sees it: what waits in its queue is handed out to the consumers that wait here.
 */
export interface PullOutlet {
  destination: Destination;
  /** Of a destination that wants the events of a conversation one after the other. */
  ordering: Ordering | undefined;
  readonly queue: QueueName;
  /** Longest waiting first. */
  readonly waiters: Set<Waiter>;
  /** Leases out, by all processes: corrected by each check for stalled jobs, counted here in between. */
  out: number;
}

export const newOutlet = (store: Store, destination: Destination): PullOutlet => ({
  destination,
  ordering: orderingOf(store, destination),
  queue: destinationQueue(destination.id),
  waiters: new Set(),
  out: 0,
});

/** The registry has the destination otherwise now. @returns whether its rate is another one. */
export const updateOutlet = (store: Store, outlet: PullOutlet, destination: Destination): boolean => {
  const hasOtherRate = pacingOf(outlet.destination).rate !== pacingOf(destination).rate;
  outlet.destination = destination;
  outlet.ordering = orderingOf(store, destination);
  return hasOtherRate;
};

export const pacingOf = ({ config }: Pick<Destination, 'config'>): Pacing => readPacing(config);

const orderingOf = (store: Store, destination: Destination): Ordering | undefined =>
  pacingOf(destination).ordering === 'conversation' ? createOrdering(store, destination.id) : undefined;

/** How many more deliveries may be taken: as many as are wanted here, and may be out. */
export const roomOf = (
  { destination, waiters, out }: Pick<PullOutlet, 'destination' | 'waiters' | 'out'>,
  mostLeasesOut: number,
): number => {
  if (destination.paused !== null || waiters.size === 0) return 0;
  let wanted = 0;
  let preparing = 0;
  for (const waiter of waiters) {
    wanted += wantedBy(waiter);
    preparing += waiter.preparing;
  }
  return Math.min(wanted, mostLeasesOut - out - preparing);
};
