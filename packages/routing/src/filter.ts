import type { Event } from '@clickrelay/core';
import { type ASTNode, Environment, type ParseResult, serialize } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';

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
  /** Why the filter could not be decided, which counts as no: usually the event lacks a field. */
  readonly problem?: string;
}

export type Filter = (event: Event) => Verdict;

/**
 * Compiles a filter: an expression in the Common Expression Language over `event`, such as
 * `event.channel == 'whatsapp' && event.data.text.matches('(?i)^stop')`.
 *
 * `matches` is RE2, as the language demands: its time is linear in the text, whatever the pattern.
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
  const { ast } = refuseInvalid(() => environment.parse(text));
  const checked = environment.check(text);
  if (checked.error !== undefined) throw invalid(checked.error);
  if (checked.type !== 'bool' && checked.type !== 'dyn') {
    throw new InvalidFilterError(`a filter must be true or false, this one is a ${checked.type}`, 1);
  }
  replaceMatches(ast);
  const decide = refuseInvalid(() => environment.parse(serialize(ast)));
  return (event) => {
    try {
      const value: unknown = decide({ event });
      return typeof value === 'boolean' ? { matches: value } : { matches: false, problem: 'neither true nor false' };
    } catch (error) {
      return { matches: false, problem: summaryOf(error) };
    }
  };
};

const RE2_MATCHES = 'matches_re2';

/** The library's own `matches` uses JavaScript's engine: a pattern such as `(a+)+$` would block the whole worker. */
const environment = new Environment({ unlistedVariablesAreDyn: false })
  .registerVariable('event', 'dyn')
  .registerFunction(`string.${RE2_MATCHES}(string): bool`, (value: string, pattern: string) =>
    compilePattern(pattern).matcher(value).find(),
  );

/**
 * Compiling a pattern costs a hundred times a match. A filter has few patterns, but those made from event data are
 * many.
 */
const patterns = new Map<string, RE2JS>();
const MAX_PATTERNS = 1_000;

const compilePattern = (pattern: string): RE2JS => {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    compiled = RE2JS.compile(pattern);
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    patterns.set(pattern, compiled);
  }
  return compiled;
};

/** Also compiles literal patterns, so that an invalid one is refused when the filter is saved. */
const replaceMatches = (node: unknown): void => {
  if (Array.isArray(node)) {
    for (const inner of node) replaceMatches(inner);
    return;
  }
  if (!isNode(node)) return;
  if (node.op === 'rcall' && node.args[0] === 'matches') {
    const [pattern] = node.args[2];
    if (pattern?.op === 'value' && typeof pattern.args === 'string') {
      try {
        compilePattern(pattern.args);
      } catch {
        throw new InvalidFilterError('not a regular expression (RE2)', pattern.start + 1);
      }
    }
    node.args[0] = RE2_MATCHES;
  }
  replaceMatches(node.args);
};

const isNode = (value: unknown): value is ASTNode =>
  typeof value === 'object' && value !== null && 'op' in value && 'args' in value;

const refuseInvalid = (parse: () => ParseResult): ParseResult => {
  try {
    return parse();
  } catch (error) {
    throw invalid(error);
  }
};

const invalid = (error: unknown): InvalidFilterError => {
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
