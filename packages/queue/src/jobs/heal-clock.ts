import { setTimeout as pause } from 'node:timers/promises';
import { CLOCK_LOOK_MS } from '../redis/clock.ts';
import { type Shortened, shortenWaits } from './shorten-waits.ts';
import type { Dispatch } from './source.ts';

/** What would have lasted too long, and no longer does. */
export interface ClockHealed extends Shortened {
  /** By how many ms the clock of Redis was put back; null when this process did not see it happen. */
  readonly byMs: number | null;
}

/**
 * Ends in time what the queues of a dispatcher wait for, after the clock of Redis was put back.
 * @param byMs null for a look that nothing has led to
 */
export const healClock = async ({ store, sources }: Dispatch, byMs: number | null): Promise<ClockHealed> => {
  if (byMs === null) await store.clock.look();
  // Until the others have noticed too: for them everything that is shortened would be due at once.
  else await pause(CLOCK_LOOK_MS);
  const healed = { byMs, locks: 0, delays: 0 };
  const failures: unknown[] = [];
  for (const source of [...sources.values()]) {
    // It may have been told of a rate that is used up for an hour.
    source.limitedUntil = 0;
    try {
      const { locks, delays } = await shortenWaits(store, source.consumer);
      healed.locks += locks;
      healed.delays += delays;
    } catch (error) {
      // The others are healed all the same.
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return healed;
};
