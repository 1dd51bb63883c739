/*
 * What one evaluation of a filter may cost. It is counted in steps, not in time: one filter costs the same for one
 * event on a busy machine as on a quiet one. An evaluation never waits, so one counter serves all.
 */

/** A step takes about as long as one comparison, 40 ns. */
export const MAX_STEPS = 50_000;

/** An evaluation has used up its steps. */
export class OutOfStepsError extends Error {
  override readonly name = 'OutOfStepsError';
  /** Where in the filter it was, from 0. */
  readonly at: number;

  constructor(at: number) {
    super(`it takes more than ${MAX_STEPS} steps`);
    this.at = at;
  }
}

let left = 0;

export const startCounting = (): void => {
  left = MAX_STEPS;
};

/** Since `startCounting`. */
export const stepsTaken = (): number => MAX_STEPS - left;

/**
 * Takes steps from the budget. Call it before the work, so that what does not fit is not begun.
 * @param at where in the filter, from 0
 * @throws {OutOfStepsError}
 */
export const take = (steps: number, at: number): void => {
  left -= steps;
  if (left < 0) throw new OutOfStepsError(at);
};
