import { every } from '../redis/every.ts';
import { LOCK_MS } from '../redis/store.ts';
import { type ClockHealed, healClock } from './heal-clock.ts';
import { renewLocks } from './renew-locks.ts';
import { returnStalled } from './return-stalled.ts';
import type { Dispatch } from './source.ts';

const RENEW_MS = LOCK_MS / 3;
const STALLED_SWEEP_MS = 2_000;
/** Soon after the start as well: a worker that crashes again and again may not live to see its first regular sweep. */
const FIRST_STALLED_SWEEP_MS = 300;
/** A forgotten marker, or a delayed job that nobody has a timer for, is found this late at most. */
const SWEEP_MS = 10_000;

export interface UpkeepOptions {
  /** How often taken jobs are checked for lost locks, in ms. @default 2000 */
  readonly stalledSweepMs?: number | undefined;
  /** Called when the clock of Redis was put back, and what waits is mended. */
  readonly onPutBack?: ((healed: ClockHealed) => void) | undefined;
  readonly takeFromAll: () => void;
}

/** What a dispatcher does every few seconds: renews locks, gives back what stalled, heals clocks, and looks everywhere. */
export const startUpkeep = (
  dispatch: Dispatch,
  { stalledSweepMs = STALLED_SWEEP_MS, onPutBack = () => {}, takeFromAll }: UpkeepOptions,
): (() => void) => {
  const { store, onError, working } = dispatch;
  const heal = async (byMs: number | null): Promise<void> => {
    const healed = await healClock(dispatch, byMs);
    if (byMs === null && healed.locks + healed.delays === 0) return;
    onPutBack(healed);
    takeFromAll();
  };
  const clockWatch = store.clock.watch((byMs) => {
    heal(byMs).catch(onError);
  });
  const sweepStalled = async (): Promise<void> => {
    const locks = await returnStalled(dispatch);
    if (locks > 0) onPutBack({ byMs: null, locks, delays: 0 });
  };
  const firstSweep = setTimeout(async () => {
    // A busy process may not be connected yet, which is no error; if it cannot be, others say so.
    const isReady = await store.ready().then(
      () => true,
      () => false,
    );
    if (!isReady || dispatch.isClosing) return;
    await heal(null).catch(onError);
    await sweepStalled().catch(onError);
  }, FIRST_STALLED_SWEEP_MS);
  const timers = [
    every(RENEW_MS, () => renewLocks(working, onError), onError),
    every(stalledSweepMs, sweepStalled, onError),
    every(SWEEP_MS, takeFromAll, onError),
  ];
  return () => {
    clearTimeout(firstSweep);
    for (const timer of timers) clearInterval(timer);
    clockWatch.stop();
  };
};
