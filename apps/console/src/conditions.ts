import type { Condition } from '@clickrelay/client';

/** As the health model decides: raised, not explained by another, and worse than info. */
export const isForSomebody = ({ state, severity, inhibitedBy }: Condition): boolean =>
  (state === 'raised' || state === 'clearing') && severity !== 'info' && inhibitedBy === null;
