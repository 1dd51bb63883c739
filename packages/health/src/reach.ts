import type { Severity } from './condition.ts';
import type { Sighting } from './rule.ts';

/** Where a number raises a severity, and where it ends it again. */
export interface Threshold {
  readonly severity: Severity;
  readonly raise: number;
  readonly clear: number;
}

/** What a number reaches; undefined when it is past every threshold for ending. */
export type Reach = Pick<Sighting, 'raises' | 'holds'>;

/** @param thresholds from the least severe to the worst; raised from `raise` upwards, ended from `clear` downwards */
export const above = (value: number, thresholds: readonly Threshold[]): Reach | undefined =>
  reach(
    thresholds,
    (limit) => value >= limit.raise,
    (limit) => value > limit.clear,
  );

/** The same for what must not become too small: raised from `raise` downwards, ended from `clear` upwards. */
export const below = (value: number, thresholds: readonly Threshold[]): Reach | undefined =>
  reach(
    thresholds,
    (limit) => value <= limit.raise,
    (limit) => value < limit.clear,
  );

/** What is true or not, without a number. */
export const fully = (severity: Severity): Reach => ({ raises: severity, holds: severity });

/** What holds a severity that was raised, but does not raise it. */
export const barely = (severity: Severity): Reach => ({ raises: null, holds: severity });

const reach = (
  thresholds: readonly Threshold[],
  isRaised: (limit: Threshold) => boolean,
  isHeld: (limit: Threshold) => boolean,
): Reach | undefined => {
  const holds = thresholds.findLast((limit) => isHeld(limit) || isRaised(limit));
  return holds && { raises: thresholds.findLast(isRaised)?.severity ?? null, holds: holds.severity };
};
