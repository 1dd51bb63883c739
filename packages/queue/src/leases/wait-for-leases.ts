import { QueueUnavailableError } from '@clickrelay/core';
import { TooManyLeasesError } from './errors.ts';
import type { PullOutlet } from './pull-outlet.ts';
import { endWaiting, type Lease, type LeaseOptions, newWaiter, type Waiter } from './waiter.ts';

/** A look that got no answer from Redis in this time never will. */
const LOOK_MS = 3_000;

export interface WaitOptions {
  readonly request: LeaseOptions;
  readonly mostLeasesOut: number;
  readonly hasRoom: () => boolean;
  /** Looks into the outlet's queue now. */
  readonly look: () => void;
  /** Gives back what never reaches its consumer. */
  readonly giveBack: (leases: readonly Lease[]) => void;
}

/** Puts a consumer into the line of an outlet. Resolves with its leases, and with none when it goes away. */
export const waitForLeases = (outlet: PullOutlet, options: WaitOptions): Promise<Lease[]> =>
  new Promise<Lease[]>((resolve, reject) => {
    const { request, mostLeasesOut, hasRoom, look, giveBack } = options;
    const { signal, waitMs } = request;
    const leave = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      outlet.waiters.delete(waiter);
    };
    const waiter = newWaiter(request, {
      end: (leases) => {
        leave();
        resolve(leases);
      },
      refuse: (error, leases) => {
        leave();
        reject(error);
        giveBack(leases);
      },
    });
    const abort = (): void => {
      // Deliveries that are being prepared find the waiter gone, and are returned.
      leave();
      resolve([]);
      giveBack(waiter.leases);
    };
    const timer = setTimeout(() => endInTime(outlet, waiter, mostLeasesOut), waitMs || LOOK_MS);
    signal.addEventListener('abort', abort);
    outlet.waiters.add(waiter);
    // Nothing is looked for where there is no room.
    if (hasRoom()) look();
    else if (waitMs === 0) {
      if (outlet.destination.paused !== null) waiter.end();
      else waiter.refuse(tooMany(outlet, mostLeasesOut));
    }
  });

/** Its time is over. */
const endInTime = (outlet: PullOutlet, waiter: Waiter, mostLeasesOut: number): void => {
  if (waiter.leases.length + waiter.preparing > 0) endWaiting(waiter);
  else if (outlet.destination.paused !== null) waiter.end();
  else if (outlet.out >= mostLeasesOut) waiter.refuse(tooMany(outlet, mostLeasesOut));
  else if (waiter.hasLooked) waiter.end();
  else waiter.refuse(new QueueUnavailableError('Redis does not answer; nothing was taken, ask again later'));
};

const tooMany = ({ destination: { id } }: PullOutlet, most: number): TooManyLeasesError =>
  new TooManyLeasesError(
    `${most} deliveries of ${id} are out, and no more are handed out; ack, nack, or let some leases end`,
  );
