import type { ASTNode } from '@marcbachmann/cel-js';

/*
 * The nodes of a parsed filter, with what the library keeps at them beside what its types tell: a macro such as
 * `list.all(…)` has what it stands for in `alternate`, and `handle` computes a node from its operands. Its version is
 * fixed in the catalog, and `budget.test.ts` fails when another one works differently.
 */

export interface Node {
  readonly op: ASTNode['op'] | 'comprehension' | 'accuPush' | 'accuValue' | 'accuInc';
  readonly args: unknown;
  /** Where it stands in the filter, from 0. */
  readonly start: number;
  readonly meta: {
    readonly alternate?: Node;
    /** `has(…)` and `cel.bind(…)`. */
    readonly macro?: { readonly val?: Node; readonly exp?: Node };
  };
  /** The operands of `==` and the like. */
  readonly left?: Node;
  readonly right?: Node;
  /** The operands of a call that has a receiver. */
  readonly receiverWithArgs?: readonly Node[];
  /** Computes it from the values of its operands. */
  handle?: (...operands: unknown[]) => unknown;
  check(checker: unknown, node: Node, context: unknown): Type;
  evaluate(evaluator: Evaluator, node: Node, context: unknown): unknown;
}

export interface Type {
  readonly kind: string;
  readonly keyType?: Type;
}

export interface Evaluator {
  /** Evaluates, and returns an error instead of throwing it. */
  tryEval(node: Node, context: unknown): unknown;
}

export interface Comprehension {
  readonly iterable: Node;
  readonly init: Node;
  readonly step: Node;
}

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'op' in value && 'args' in value;

/** The nodes that are evaluated for this one. */
export const childrenOf = ({ op, args, meta: { alternate, macro } }: Node): Node[] => {
  if (alternate !== undefined) return [alternate];
  if (macro !== undefined) return [macro.val, macro.exp].filter(isNode);
  if (op === 'comprehension') {
    const { iterable, init, step } = args as Comprehension;
    return [iterable, init, step];
  }
  return [args].flat(3).filter(isNode);
};

/** Deeper, and evaluating it could overflow the stack. */
const MAX_DEPTH = 250;

/** All nodes that are evaluated; undefined when they nest too deep. */
export const nodesOf = (root: Node): Set<Node> | undefined => {
  const found = new Set<Node>();
  const open: [node: Node, depth: number][] = [[root, 1]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [node, depth] = next;
    if (depth > MAX_DEPTH) return undefined;
    if (found.has(node)) continue;
    found.add(node);
    for (const child of childrenOf(node)) open.push([child, depth + 1]);
  }
  return found;
};
