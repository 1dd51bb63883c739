import type { Facts } from '../../src/facts.ts';
import { isUnknown } from '../../src/known.ts';
import type { Rule } from '../../src/rule.ts';

/** For each condition: facts on both sides of each threshold, by what they are. */
export type Cases = Readonly<Record<string, Readonly<Record<string, Facts>>>>;

/** What nobody can tell. */
export const WHY = { unknown: 'this Redis refuses INFO' };

/**
 * What a rule tells, in a line each: the severity that it raises (in brackets one that it only holds), the subject, the
 * sentence, and what to type.
 */
export const tell = ({ kind, look }: Pick<Rule, 'kind' | 'look'>, facts: Facts, nowMs: number): string[] => {
  const seen = look(facts, nowMs);
  if (isUnknown(seen)) return [`unknown: ${seen.unknown}`];
  return seen.map((one) => {
    const subject = `${one.kind ?? kind}${one.id === null ? '' : ` ${one.id}`}`;
    if (isUnknown(one)) return `unknown, ${subject}: ${one.unknown}`;
    const { raises, holds, sentence, mend } = one;
    const reached = raises === holds ? raises : raises === null ? `(${holds})` : `${raises} (${holds})`;
    return `${reached}, ${subject}: ${sentence} -> ${mend.text}${mend.command ? ` $ ${mend.command}` : ''}`;
  });
};
