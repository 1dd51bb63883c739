/** Random numbers that are the same for the same seed. */
export interface Random {
  /** From 0 to below 1. */
  next(): number;
  /** An integer from `min` to `max`, inclusive. */
  whole(min: number, max: number): number;
  pick<T>(items: readonly T[]): T;
  chance(share: number): boolean;
  /** A string of hexadecimal digits. */
  hex(digits: number): string;
}

/** mulberry32: small, and random enough to decide when something breaks. */
export const createRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    whole,
    pick: <T>(items: readonly T[]): T => {
      if (items.length === 0) throw new Error('nothing to pick from');
      return items[whole(0, items.length - 1)] as T;
    },
    chance: (share) => next() < share,
    hex: (digits) => Array.from({ length: digits }, () => whole(0, 15).toString(16)).join(''),
  };
};

/** The seed of one run of one row, whatever else runs. */
export const seedOf = (seed: number, rowId: string, run: number): number => {
  let mixed = (seed ^ 0x811c9dc5) >>> 0;
  for (const character of `${rowId}#${run}`)
    mixed = Math.imul(mixed ^ (character.codePointAt(0) as number), 0x01000193) >>> 0;
  return mixed;
};
