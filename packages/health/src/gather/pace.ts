import { isUnknown, type Known } from '../known.ts';

/** Facts that cost more are read this seldom, in ms. */
export const SLOW_MS = 60_000;

/** Reads at most once in `everyMs`, and gives what was read last in between. What is unknown is asked again at once. */
export const atPace = <T>(
  everyMs: number,
  read: (nowMs: number) => Promise<Known<T>>,
): ((nowMs: number) => Promise<Known<T>>) => {
  let last: { readonly at: number; readonly found: Known<T> } | undefined;
  return async (nowMs) => {
    const now = performance.now();
    if (last !== undefined && now - last.at < everyMs && !isUnknown(last.found)) return last.found;
    const found = await read(nowMs);
    last = { at: now, found };
    return found;
  };
};
