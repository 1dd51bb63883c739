import { setTimeout as sleep } from 'node:timers/promises';
import { stateOf } from '../log/delivery-states.ts';
import { eventKeys } from '../redis/names.ts';
import { sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { findDeliveryJobs, findOpenGroups } from './find-delivery-jobs.ts';
import { judgeDelivery, type UndecidedDelivery } from './judge-delivery.ts';
import type { LedgerRows } from './ledger-rows.ts';

/* Asks Redis what there is to know of undecided deliveries, and counts each in the column that `judgeDelivery` says. */

interface Judging {
  /** Ids of the destinations that are parked. */
  readonly parked: ReadonlySet<string>;
  readonly rows: LedgerRows;
  /** How many are looked up together. */
  readonly atOnce: number;
}

/** A delivery that is marked as owed has its job within this time, in ms, unless its process died. */
const DOUBT_MS = 250;

/** @returns those that seem to be unaccounted for: they are not counted, as they may only have changed meanwhile */
export const judgeOnce = async (
  store: Store,
  deliveries: readonly UndecidedDelivery[],
  { parked, rows, atOnce }: Judging,
): Promise<UndecidedDelivery[]> => {
  const jobOf = await findDeliveryJobs(store, deliveries, atOnce);
  const isGroupOpen = await findOpenGroups(
    store,
    deliveries.filter((one) => jobOf(one) === 'none'),
  );
  const doubts: UndecidedDelivery[] = [];
  for (const one of deliveries) {
    const isParked = parked.has(one.destinationId);
    const column = judgeDelivery(one, { job: jobOf(one), isGroupOpen: isGroupOpen(one), isParked });
    if (column === 'unaccounted') doubts.push(one);
    else rows.add(one, column);
  }
  return doubts;
};

/** Looks at doubtful deliveries once more, after a while, and counts them. */
export const judgeAgain = async (
  store: Store,
  doubts: readonly UndecidedDelivery[],
  { parked, rows, atOnce }: Judging,
): Promise<void> => {
  if (doubts.length > 0) await sleep(DOUBT_MS);
  for (let at = 0; at < doubts.length; at += atOnce) {
    const some = doubts.slice(at, at + atOnce);
    // The group first: when it is done, each of its deliveries has a job or had one.
    const isGroupOpen = await findOpenGroups(store, some);
    // The job before the state: a delivery that ends between the two has said so when its state is read.
    const jobOf = await findDeliveryJobs(store, some, atOnce);
    const present = await readStates(store, some);
    // And once more, for a delivery that was sent again between the two.
    const jobNowOf = await findDeliveryJobs(store, present, atOnce);
    for (const [index, one] of some.entries()) {
      const now = present[index] as UndecidedDelivery;
      const job = jobOf(one) === 'none' ? jobNowOf(now) : jobOf(one);
      rows.add(
        now,
        judgeDelivery(now, { job, isGroupOpen: isGroupOpen(one), isParked: parked.has(now.destinationId) }),
      );
    }
  }
};

const readStates = async (store: Store, deliveries: readonly UndecidedDelivery[]): Promise<UndecidedDelivery[]> => {
  const letters = await sendAll(
    store,
    deliveries.map(({ eventId, destinationId }) => ['hget', eventKeys(eventId).deliveries, destinationId]),
  );
  return deliveries.map((one, index) => ({ ...one, state: stateOf(letters[index] as string | null) }));
};
