import type { Condition } from '@clickrelay/client';

/** As the health model decides: raised, not explained by another, and worse than info. */
const isTold = ({ state, severity, inhibitedBy }: Condition): boolean =>
  (state === 'raised' || state === 'clearing') && severity !== 'info' && inhibitedBy === null;

/** Told, and nobody looks at it yet. */
export const isForSomebody = (condition: Condition): boolean => isTold(condition) && condition.acknowledged === null;

/** Told, and somebody looks at it. */
export const isKnown = (condition: Condition): boolean => isTold(condition) && condition.acknowledged !== null;
