import { RE2JS } from 're2js';
import { take } from './budget.ts';

/*
 * The regular expressions of one filter. RE2 is linear in the text, but a step of its automaton goes through as many
 * instructions as the pattern has, and `{1000}` makes a thousand out of one.
 */

/** Of all patterns that a filter spells out, and as many again of those it makes from events. */
const MAX_SIZE = 3_000;

/** Compiling takes so many steps for each instruction. */
const COMPILE_STEPS = 100;

export class InvalidPatternError extends Error {
  override readonly name = 'InvalidPatternError';
}

/** Whether the pattern occurs in a text. @param at where in the filter, for the budget */
export type Search = (text: string, at: number) => boolean;

export interface Patterns {
  /**
   * Compiles a pattern that the filter spells out. An evaluation does not pay for it.
   * @throws {InvalidPatternError}
   */
  compile(pattern: string): Search;
  /**
   * Compiles a pattern that the filter makes from an event, and keeps it for a while: there may be very many.
   * @throws {InvalidPatternError}
   */
  compileNow(pattern: string, at: number): Search;
}

export const openPatterns = (): Patterns => {
  const kept = new Map<string, Search>();
  let spelledOut = 0;
  let made = 0;
  return {
    compile: (pattern) => {
      spelledOut += expectedSize(pattern);
      if (spelledOut > MAX_SIZE) throw new InvalidPatternError(TOO_LARGE);
      return openPattern(pattern);
    },
    compileNow: (pattern, at) => {
      const present = kept.get(pattern);
      if (present !== undefined) return present;
      const size = expectedSize(pattern);
      if (size > MAX_SIZE) throw new InvalidPatternError(TOO_LARGE);
      take(size * COMPILE_STEPS, at);
      if (made + size > MAX_SIZE) {
        kept.clear();
        made = 0;
      }
      made += size;
      const search = openPattern(pattern);
      kept.set(pattern, search);
      return search;
    },
  };
};

const TOO_LARGE = `the patterns of a filter have at most ${MAX_SIZE} characters and repetitions together; {1000} makes a thousand of one`;

/** What RE2JS keeps to itself. Its version is fixed in the catalog, and `budget.test.ts` fails with another. */
interface Automaton {
  /** Adds a transition to the automaton, which is made while it runs. */
  step(state: { readonly nfaStates: readonly number[] }, ...rest: unknown[]): unknown;
  /** Null when it would become too large; then the text is searched without it, which takes much longer. */
  match(input: { endPos(): number }, ...rest: unknown[]): boolean | null;
}

const openPattern = (pattern: string): Search => {
  const compiled = compileRe2(pattern);
  const size = compiled.programSize();
  const { dfa } = compiled.re2() as unknown as { dfa: Automaton };
  const { step, match } = dfa;
  let place = 0;
  dfa.step = (state, ...rest) => {
    take(1 + state.nfaStates.length, place);
    return step.call(dfa, state, ...rest);
  };
  dfa.match = (input, ...rest) => {
    const found = match.call(dfa, input, ...rest);
    if (found === null) take(input.endPos() * size, place);
    return found;
  };
  return (text, at) => {
    place = at;
    take(1 + text.length / 8, at);
    return compiled.test(text);
  };
};

const compileRe2 = (pattern: string): RE2JS => {
  try {
    return RE2JS.compile(pattern);
  } catch {
    throw new InvalidPatternError('not a regular expression (RE2)');
  }
};

const CLASS = /\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]/y;
const REPETITION = /\{(\d+)(?:,(\d*))?\}/y;

/**
 * About how many instructions a pattern has, and rather more. Told without compiling it, which takes seconds for a
 * large one.
 */
const expectedSize = (pattern: string): number => {
  const groups: number[] = [];
  let sum = 0;
  let last = 0;
  let at = 0;
  const skip = (part: RegExp): RegExpExecArray | null => {
    part.lastIndex = at;
    const found = part.exec(pattern);
    if (found !== null) at += found[0].length;
    return found;
  };
  while (at < pattern.length) {
    const character = pattern.charAt(at);
    const repeated = character === '{' ? skip(REPETITION) : null;
    if (repeated !== null) {
      const times = Math.max(Number(repeated[1]), Number(repeated[2] || 0), 1);
      sum += last * (times - 1);
      last *= times;
      continue;
    }
    if (character === '[' && skip(CLASS) !== null) last = 1;
    else if (character === ')') {
      last = sum + 2;
      sum = groups.pop() ?? 0;
      at++;
    } else {
      last = 1;
      at += character === '\\' ? 2 : 1;
    }
    if (character === '(') {
      groups.push(sum);
      sum = 0;
    } else sum += last;
  }
  return groups.reduce((all, outer) => all + outer, sum);
};
