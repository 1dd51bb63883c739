/*
 * The hysteresis of one severity of one condition: true for so long before it is raised, false for so long before it
 * ends, and what comes and goes stays raised until it has been quiet for long.
 */

/** What is remembered of a level between two judgements; kept in Redis. */
export interface LevelMemory {
  /** Since when it has been true, in ms since 1970; null while it is false and not raised. */
  readonly trueSince: number | null;
  /** While it is raised: since when it has been false; null while it is true. */
  readonly falseSince: number | null;
  readonly isRaised: boolean;
  /** When it was raised, within the last hour, in ms since 1970. */
  readonly raisedAt: readonly number[];
}

export const NEVER: LevelMemory = { trueSince: null, falseSince: null, isRaised: false, raisedAt: [] };

export interface LevelInput {
  /** Whether the threshold for raising is reached. */
  readonly raises: boolean;
  /** Whether the threshold for ending is not passed yet. */
  readonly holds: boolean;
  readonly sinceMs: number | undefined;
  readonly forMs: number;
  readonly keepMs: number;
}

const HOUR_MS = 3_600_000;
/** Raised this often within an hour, it comes and goes. */
export const FLAPPING = 4;
/** What comes and goes ends when it has been false for this long, in ms. */
export const QUIET_MS = 1_800_000;

export const isFlapping = ({ raisedAt }: LevelMemory): boolean => raisedAt.length >= FLAPPING;

/** Pure: what a level is from now on. */
export const stepLevel = (
  before: LevelMemory,
  { raises, holds, sinceMs, forMs, keepMs }: LevelInput,
  nowMs: number,
): LevelMemory => {
  const lately = before.raisedAt.filter((at) => at > nowMs - HOUR_MS);
  if (!before.isRaised) {
    if (!raises) return { ...NEVER, raisedAt: lately };
    const trueSince = Math.min(before.trueSince ?? nowMs, sinceMs ?? nowMs, nowMs);
    const isRaised = nowMs - trueSince >= forMs;
    return { trueSince, falseSince: null, isRaised, raisedAt: isRaised ? [...lately, nowMs] : lately };
  }
  if (holds) return { ...before, falseSince: null, raisedAt: keptWhileFlapping(before, lately) };
  const falseSince = before.falseSince ?? nowMs;
  const quietMs = isFlapping(before) ? Math.max(QUIET_MS, keepMs) : keepMs;
  if (nowMs - falseSince >= quietMs) return { ...NEVER, raisedAt: isFlapping(before) ? [] : lately };
  return { ...before, falseSince, raisedAt: keptWhileFlapping(before, lately) };
};

/** What comes and goes is not forgotten before it has been quiet, even when that takes longer than an hour. */
const keptWhileFlapping = (before: LevelMemory, lately: readonly number[]): readonly number[] =>
  isFlapping(before) ? before.raisedAt : lately;
