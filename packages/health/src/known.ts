/** A fact that nobody can tell now, and why, for people: `this Redis refuses INFO`. Holds nothing personal. */
export interface Unknown {
  readonly unknown: string;
}

/** A fact, or why there is none. */
export type Known<T> = T | Unknown;

export const isUnknown = <T>(fact: Known<T>): fact is Unknown =>
  typeof fact === 'object' && fact !== null && 'unknown' in fact;

/** Goes on with facts that are known; with one that is not, it is not known either. */
export const whenKnown = <T, R>(fact: Known<T>, look: (value: T) => Known<R>): Known<R> =>
  isUnknown(fact) ? fact : look(fact);
