import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { nearMiss } from '@clickrelay/core';
import type jsonata from 'jsonata';
import { fileBeside } from './file-beside.ts';
import { builtInNames, findUndefinedName, type UndefinedName } from './transform-names.ts';

/** The longest transform, in characters. */
const MAX_TRANSFORM_LENGTH = 10_000;

const require = createRequire(import.meta.url);

/** Loads JSONata, which takes longer than everything else in this package, when there is a transform to check. */
const parser = (): typeof jsonata => require(fileURLToPath(fileBeside('transform-parser'))).default;

/**
 * Says why a text is not a JSONata expression, and where, or undefined when it is one. Parses it, but never evaluates
 * it.
 * @see https://docs.jsonata.org
 */
export const checkTransform = (text: string): string | undefined => {
  if (text.length > MAX_TRANSFORM_LENGTH) {
    return `transform must have at most ${MAX_TRANSFORM_LENGTH} characters, got ${text.length}`;
  }
  const parse = parser();
  try {
    const ast = parse(text).ast();
    const missing = findUndefinedName(ast);
    return missing === undefined ? undefined : undefinedIn(text, missing);
  } catch (error) {
    const { message, position, token } = error as Partial<jsonata.JsonataError>;
    // An error of the regular expression engine has no position, and quotes the whole expression.
    if (position === undefined) return 'transform must be a JSONata expression: a regular expression in it is none';
    return `transform must be a JSONata expression: ${message}, ${placeOf(text, position, token)}`;
  }
};

const undefinedIn = (text: string, { name, position }: UndefinedName): string => {
  const near = nearMiss(name, builtInNames(), { shortest: 3 });
  const hint = near === undefined ? ',' : `; did you mean $${near}?`;
  return `transform calls or reads $${name}, which nobody defines${hint} ${placeOf(text, position, `$${name}`)}`;
};

/**
 * Words for people where an expression is wrong; columns and lines count from 1.
 * @param position as JSONata reports it: after the token, if there is one
 */
export const placeOf = (text: string, position: number, token?: string): string => {
  const isBehind = token !== undefined && text.slice(position - token.length, position) === token;
  const before = text.slice(0, isBehind ? position - token.length : position).split('\n');
  const column = `column ${(before.at(-1)?.length ?? 0) + 1}`;
  return text.includes('\n') ? `at line ${before.length}, ${column}` : `at ${column}`;
};
