import { type ASTNode, parse } from '@marcbachmann/cel-js';
import { isNode } from './nodes.ts';

/** A field of the event that a filter reads. */
export interface ReadField {
  /** From the event on: `['data', 'text']`. Empty for the event as a whole; `*` for what only an event decides. */
  readonly path: readonly string[];
  /** Its column, from 1. */
  readonly column: number;
  /** Only whether it is there: `has(event.data.text)`. */
  readonly isOnlyTested: boolean;
}

/** A text that a filter compares a field with. */
interface ComparedText {
  readonly path: readonly string[];
  readonly text: string;
  readonly column: number;
}

export interface FilterReads {
  readonly fields: readonly ReadField[];
  readonly compared: readonly ComparedText[];
}

/**
 * Lists what a filter reads of an event.
 * @param text a filter that `compileFilter` takes
 */
export const readsOfFilter = (text: string): FilterReads => {
  const fields: ReadField[] = [];
  const compared: ComparedText[] = [];
  const visit = (value: unknown, isOnlyTested = false): void => {
    if (Array.isArray(value)) {
      for (const inner of value) visit(inner);
    } else if (isNode(value)) {
      visitNode(value as unknown as ASTNode, isOnlyTested);
    }
  };
  const visitNode = (node: ASTNode, isOnlyTested: boolean): void => {
    const path = pathOf(node);
    if (path !== undefined) {
      fields.push({ path, column: node.start + 1, isOnlyTested });
      visitIndexes(node, visit);
    } else if (node.op === 'call' && node.args[0] === 'has') {
      visit(node.args[1][0], true);
    } else {
      if (node.op === '==' || node.op === '!=' || node.op === 'in') compared.push(...textsBeside(node.args));
      visit(node.args);
    }
  };
  visit(parse(text).ast);
  return { fields, compared };
};

/** Undefined for a node that is no field of the event. */
const pathOf = (node: ASTNode): string[] | undefined => {
  if (node.op === 'id') return node.args === 'event' ? [] : undefined;
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const [object, name] = node.args;
  const path = pathOf(object);
  if (path === undefined) return undefined;
  if (typeof name === 'string') return [...path, name];
  return [...path, name.op === 'value' && typeof name.args === 'string' ? name.args : '*'];
};

/** An index may read the event too: `event.raw[event.type]`. */
const visitIndexes = (node: ASTNode, visit: (value: unknown) => void): void => {
  if (node.op !== '.' && node.op !== '[]') return;
  const [object, index] = node.args;
  if (typeof index !== 'string') visit(index);
  visitIndexes(object, visit);
};

const textsBeside = ([left, right]: readonly [ASTNode, ASTNode]): ComparedText[] =>
  [
    [left, right],
    [right, left],
  ].flatMap(([field, other]) => {
    const path = pathOf(field as ASTNode);
    if (path === undefined) return [];
    const values = other?.op === 'list' ? other.args : [other as ASTNode];
    return values.flatMap(({ op, args, start }) =>
      op === 'value' && typeof args === 'string' ? [{ path, text: args, column: start + 1 }] : [],
    );
  });
