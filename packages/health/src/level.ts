/*
 * The hysteresis of one severity of one condition: true for so long before it is raised, false for so long before it
 * ends, and what comes and goes stays raised until it has been quiet for long.
 */

/** What is remembered of a level between two judgements; kept in Redis. */
export interface LevelMemory {
  /** Since when it has been true, in ms since 1970; null while it is false and not raised. */
  readonly trueSince: number | null;
  /** While it is raised: since when it has been seen to be false; null while it is true, or nobody can tell. */
  readonly falseSince: number | null;
  readonly isRaised: boolean;
  /** When it was raised, or came back while it was kept raised, within the last hour, in ms since 1970. */
  readonly raisedAt: readonly number[];
  /** When it last ended, within the last hour, in ms since 1970. */
  readonly endedAt: number | null;
  /** It stays raised until it has been quiet for `QUIET_MS`. */
  readonly comesAndGoes: boolean;
}

export const NEVER: LevelMemory = {
  trueSince: null,
  falseSince: null,
  isRaised: false,
  raisedAt: [],
  endedAt: null,
  comesAndGoes: false,
};

export interface LevelInput {
  /** Whether the threshold for raising is reached. */
  readonly raises: boolean;
  /** Whether the threshold for ending is not passed yet. */
  readonly holds: boolean;
  readonly sinceMs: number | undefined;
  readonly forMs: number;
  readonly keepMs: number;
}

/** How long a level remembers that it was raised and ended; no `forMs` may be longer. */
export const MEMORY_MS = 3_600_000;
/** Raised this often within an hour, it comes and goes. */
const FLAPPING = 4;
/** What comes and goes ends when it has been false for this long, in ms. */
export const QUIET_MS = 1_800_000;

/** Pure: what a level is from now on. */
export const stepLevel = (stored: LevelMemory, input: LevelInput, nowMs: number): LevelMemory => {
  const before = notAfter(stored, nowMs);
  return before.isRaised ? stepRaised(before, input, nowMs) : stepQuiet(before, input, nowMs);
};

const stepQuiet = (before: LevelMemory, { raises, sinceMs, forMs }: LevelInput, nowMs: number): LevelMemory => {
  const { raisedAt, endedAt } = before;
  if (!raises) return { ...NEVER, raisedAt, endedAt };
  const told = Math.min(before.trueSince ?? nowMs, sinceMs ?? nowMs);
  // Whatever the facts tell, it was not true when it was last seen to end.
  const trueSince = Math.max(told, endedAt ?? told);
  if (nowMs - trueSince < forMs) return { ...NEVER, trueSince, raisedAt, endedAt };
  const times = [...raisedAt, nowMs];
  return { ...NEVER, trueSince, isRaised: true, raisedAt: times, endedAt, comesAndGoes: times.length >= FLAPPING };
};

const stepRaised = (before: LevelMemory, { holds, keepMs }: LevelInput, nowMs: number): LevelMemory => {
  // True for a whole hour, it does not come and go any more.
  const comesAndGoes = before.comesAndGoes && before.raisedAt.length > 0;
  const falseSince = before.falseSince ?? nowMs;
  if (holds) {
    const isBack = comesAndGoes && nowMs - falseSince >= Math.max(keepMs, 1);
    const raisedAt = isBack ? [...before.raisedAt, nowMs] : before.raisedAt;
    return { ...before, falseSince: null, raisedAt, comesAndGoes };
  }
  const quietMs = comesAndGoes ? Math.max(QUIET_MS, keepMs) : keepMs;
  if (nowMs - falseSince < quietMs) return { ...before, falseSince, comesAndGoes };
  return { ...NEVER, raisedAt: comesAndGoes ? [] : before.raisedAt, endedAt: nowMs };
};

/** Forgets what is older than an hour. A clock that was put back makes nothing wait for what it showed before. */
const notAfter = (stored: LevelMemory, nowMs: number): LevelMemory => {
  const clamp = (at: number | null): number | null => (at === null ? null : Math.min(at, nowMs));
  const isLate = (at: number): boolean => at > nowMs - MEMORY_MS;
  const endedAt = clamp(stored.endedAt);
  return {
    ...stored,
    trueSince: clamp(stored.trueSince),
    falseSince: clamp(stored.falseSince),
    raisedAt: stored.raisedAt.filter(isLate).map((at) => Math.min(at, nowMs)),
    endedAt: endedAt !== null && isLate(endedAt) ? endedAt : null,
  };
};
