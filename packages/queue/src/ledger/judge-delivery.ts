import type { Difference } from '@clickrelay/core';
import type { KeptState } from '../log/delivery-states.ts';

/** A delivery whose state alone does not say which column it belongs to. */
export interface UndecidedDelivery {
  readonly eventId: string;
  /** Names the group of callbacks that brought the event. */
  readonly claim: string;
  readonly destinationId: string;
  /** Undefined when it was never queued. */
  readonly state: KeptState | undefined;
  readonly wasTried: boolean;
  /** It was meant for an earlier destination of the same name. */
  readonly isOfEarlier: boolean;
}

/** The job of a delivery: `queued` is waiting, delayed or under way. */
export type FoundJob = 'none' | 'queued' | 'dead_letter';

/** What is known about a delivery besides its state. */
export interface KnownOfDelivery {
  readonly job: FoundJob;
  /** The group of callbacks that brought its event is still under way, and comes back until it is done. */
  readonly isGroupOpen: boolean;
  /** Its destination is parked: see `listParked`. */
  readonly isParked: boolean;
}

/** The columns of the ledger. A delivery is in exactly one. */
export type Column = 'delivered' | 'pending' | 'parked' | 'dead' | 'removed' | 'unaccounted';

/** The column of a delivery. `unaccounted` means that nobody will ever send it. */
export const judgeDelivery = (
  { state, isOfEarlier }: Pick<UndecidedDelivery, 'state' | 'isOfEarlier'>,
  { job, isGroupOpen, isParked }: KnownOfDelivery,
): Column => {
  if (job === 'dead_letter') return 'dead';
  // It has ended, and its worker has not put the job away yet.
  if (job === 'queued' && state === 'dead_letter') return 'dead';
  const underWay = isParked ? 'parked' : 'pending';
  if (job === 'queued') return underWay;
  if (state === 'delivered') return 'delivered';
  if (state === 'given_up') return 'removed';
  if (isGroupOpen) return underWay;
  return isOfEarlier ? 'removed' : 'unaccounted';
};

/** What is wrong with a delivery that is unaccounted for. */
export const problemOf = (state: KeptState | undefined): Difference['problem'] => {
  if (state === 'pending') return 'no_job';
  return state === 'dead_letter' ? 'no_dead_letter' : 'never_queued';
};
