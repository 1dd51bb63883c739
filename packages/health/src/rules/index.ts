import type { Rule } from '../rule.ts';

/** Every condition that there is, in the order of docs/conditions.md. */
export const RULES: readonly Rule[] = [];
