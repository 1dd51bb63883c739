import type { Event } from '@clickrelay/core';
import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import { OutOfStepsError, startCounting } from './budget.ts';
import { type Evaluator, type Node, nodesOf, type Type } from './nodes.ts';
import { InvalidPatternError, openPatterns, type Patterns, type Search } from './pattern.ts';
import { priceErrors, priceNode } from './price-nodes.ts';

/** The longest filter, in characters; `destinationBase` says the same. */
export const MAX_FILTER_LENGTH = 2_000;

/** The filter is invalid. The message says what is wrong, and at which column. */
export class InvalidFilterError extends Error {
  override readonly name = 'InvalidFilterError';
  /** The column of the error, from 1. */
  readonly column: number;

  constructor(reason: string, column: number) {
    super(`${reason}, at column ${column}`);
    this.column = column;
  }
}

export interface Verdict {
  readonly matches: boolean;
  /** Why the filter could not be decided, which counts as no: usually the event lacks a field. Quotes no value. */
  readonly problem?: string;
  /** Where, from 1, it was given up because it took too long. */
  readonly gaveUpAt?: number;
}

export type Filter = (event: Event) => Verdict;

/**
 * Compiles a filter: an expression in the Common Expression Language over `event`, such as
 * `event.channel == 'whatsapp' && event.data.text.matches('(?i)^stop')`.
 *
 * An evaluation ends within a few milliseconds, whatever the filter and the event: it has a budget of steps.
 * `matches` is RE2, as the language demands.
 *
 * @throws {InvalidFilterError} when it does not parse, names anything but `event`, or cannot be true or false
 * @see https://github.com/google/cel-spec/blob/master/doc/langdef.md
 */
export const compileFilter = (text: string): Filter => {
  if (text.length > MAX_FILTER_LENGTH) {
    throw new InvalidFilterError(
      `a filter has at most ${MAX_FILTER_LENGTH} characters, got ${text.length}`,
      MAX_FILTER_LENGTH + 1,
    );
  }
  // Of its own: an environment keeps every type that it ever saw.
  const environment = new Environment({ unlistedVariablesAreDyn: false }).registerVariable('event', 'dyn');
  priceErrors(evaluatorOf(environment));
  const decide = refuseInvalid(() => environment.parse(text));
  const nodes = nodesOf(decide.ast as unknown as Node);
  if (nodes === undefined) throw new InvalidFilterError('nests too deep', 1);
  for (const node of nodes) if (node.op === 'map') refuseOddKeys(node);
  const checked = decide.check();
  if (checked.error !== undefined) throw invalid(checked.error);
  if (checked.type !== 'bool' && checked.type !== 'dyn') {
    throw new InvalidFilterError(`a filter must be true or false, this one is a ${checked.type}`, 1);
  }
  const patterns = openPatterns();
  for (const node of nodes) {
    if (node.op === 'rcall' && (node.args as [string])[0] === 'matches') matchWithRe2(node, patterns);
    else priceNode(node);
  }
  return (event) => {
    startCounting();
    try {
      const value: unknown = decide({ event });
      return typeof value === 'boolean' ? { matches: value } : { matches: false, problem: 'neither true nor false' };
    } catch (error) {
      if (error instanceof OutOfStepsError) {
        return { matches: false, problem: `${error.message}, at column ${error.at + 1}`, gaveUpAt: error.at + 1 };
      }
      return { matches: false, problem: problemOf(error) };
    }
  };
};

/** The library gives it to nodes only. */
const evaluatorOf = (environment: Environment): Evaluator => {
  let found: Evaluator | undefined;
  const probe = environment.parse('true');
  (probe.ast as unknown as Node).evaluate = (evaluator) => {
    found = evaluator;
    return true;
  };
  probe();
  return found as Evaluator;
};

/** The library's own `matches` uses JavaScript's engine: a pattern such as `(a+)+$` would block the whole worker. */
const matchWithRe2 = (node: Node, patterns: Patterns): void => {
  const [, , [pattern]] = node.args as [string, Node, Node[]];
  const refuse = (node as Required<Node>).handle;
  let spelledOut: Search | undefined;
  if (pattern?.op === 'value' && typeof pattern.args === 'string') {
    try {
      spelledOut = patterns.compile(pattern.args);
    } catch (error) {
      throw new InvalidFilterError((error as Error).message, pattern.start + 1);
    }
  }
  node.handle = (operands, ...rest) => {
    const [value, given] = operands as unknown[];
    // For anything but texts the library says which types do not fit.
    if (typeof value !== 'string' || typeof given !== 'string') return refuse(operands, ...rest);
    return (spelledOut ?? patterns.compileNow(given, node.start))(value, node.start);
  };
};

const KEY_KINDS = ['primitive', 'dyn', 'param'];

/** With maps as keys of maps, the name of a type could double with each map: gigabytes after a few. */
const refuseOddKeys = (node: Node): void => {
  const { check } = node;
  node.check = (checker, self, context): Type => {
    const type = check.call(node, checker, self, context);
    if (KEY_KINDS.includes(type.keyType?.kind ?? 'dyn')) return type;
    throw new InvalidFilterError('a key of a map must be a text, a number or a bool', node.start + 1);
  };
};

const refuseInvalid = (parse: () => ParseResult): ParseResult => {
  try {
    return parse();
  } catch (error) {
    throw invalid(error);
  }
};

const invalid = (error: unknown): InvalidFilterError => {
  if (error instanceof InvalidFilterError) return error;
  const { range } = error as { range?: { start: number } };
  const summary = summaryOf(error);
  const hint = summary.startsWith('Unknown variable') ? ' (the event is `event`: write event.type)' : '';
  return new InvalidFilterError(summary + hint, (range?.start ?? 0) + 1);
};

/** The first line, without the drawing of the expression. */
const summaryOf = (error: unknown): string => {
  const { summary, message } = error as { summary?: string; message?: string };
  return (summary ?? message ?? 'cannot be decided').split('\n')[0] as string;
};

/** Errors whose words name fields of the filter and types, and never a value of the event. */
const TOLD_CODES = [
  'no_such_overload',
  'no_matching_overload',
  'invalid_logical_operand',
  'invalid_condition_type',
  'invalid_comprehension_range',
  'index_out_of_bounds',
  'division_by_zero',
  'modulo_by_zero',
];

const problemOf = (error: unknown): string => {
  if (error instanceof InvalidPatternError) return error.message;
  const { code, node } = error as { code?: string; node?: { op: string } };
  if (code === undefined) return 'cannot be decided';
  const isNamed = code === 'no_such_key' && node?.op === '.';
  return isNamed || TOLD_CODES.includes(code) ? summaryOf(error) : code.replaceAll('_', ' ');
};
