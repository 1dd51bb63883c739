/** Rings once, at the earliest of the times it was set for. */
export interface Alarm {
  /** Sets it for so many ms from now. The earlier time wins: what follows from its ringing tells the next one. */
  setIn(ms: number): void;
  stop(): void;
}

/** setTimeout takes 24.8 days at most; the sweep finds what lies further ahead. */
const LONGEST_MS = 2 ** 31 - 1;

export const createAlarm = (ring: () => void): Alarm => {
  let timer: NodeJS.Timeout | undefined;
  let ringsAtMs = 0;
  return {
    setIn: (ms) => {
      // By a clock that nobody sets.
      const atMs = performance.now() + ms;
      if (timer !== undefined && ringsAtMs <= atMs) return;
      clearTimeout(timer);
      ringsAtMs = atMs;
      const ringNow = (): void => {
        timer = undefined;
        ring();
      };
      // Timers can fire up to a millisecond early.
      timer = setTimeout(ringNow, Math.min(Math.max(ms, 0) + 1, LONGEST_MS));
    },
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
};
