import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from '../redis/store.ts';
import type { PullOutlet } from './pull-outlet.ts';
import { returnLease } from './settle-lease.ts';
import type { Lease } from './waiter.ts';

/** Before a give-back that failed is tried again. */
const RETRY_MS = 500;

interface GiveBackOptions {
  readonly store: Store;
  readonly onError: (error: unknown) => void;
  /** Ends the retries; leases that are left then end by themselves. */
  readonly isClosing: () => boolean;
}

/**
 * Puts leases that never reached their consumer back to the front of their queue. A failure keeps none of the others out:
 * without the retry, a delivery would be held for as long as its consumer asked for, with nobody to answer it.
 */
export const giveBackLeases = async (
  outlet: PullOutlet,
  leases: readonly Lease[],
  { store, onError, isClosing }: GiveBackOptions,
): Promise<void> => {
  // Each goes to the front: the oldest last. All are sent at once, and one connection keeps their order.
  let left = [...leases].reverse();
  for (;;) {
    const returned = await Promise.allSettled(left.map((lease) => returnLease(store, outlet.destination.id, lease)));
    const failed = left.filter((_, index) => returned[index]?.status === 'rejected');
    outlet.out -= returned.filter((one) => one.status === 'fulfilled' && one.value).length;
    const error = returned.find((one) => one.status === 'rejected');
    if (error !== undefined) onError(error.reason);
    left = failed.filter(({ endsAt }) => Date.parse(endsAt) > store.clock.now());
    if (left.length === 0 || isClosing()) return;
    await pause(RETRY_MS);
  }
};
