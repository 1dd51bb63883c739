import { type Node, nodesOf, type Source } from './sources.ts';

export interface FunctionMeasure {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  /** One more than its branches, without those of functions inside it. */
  readonly complexity: number;
  /** Whether it is the callback of a `describe`: a list of tests. */
  readonly isDescribe: boolean;
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const BRANCHES = new Set([
  'IfStatement',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
  'CatchClause',
  'ConditionalExpression',
  // `&&`, `||` and `??`
  'LogicalExpression',
]);

const isBranch = (node: Node): boolean =>
  BRANCHES.has(node.type) || (node.type === 'SwitchCase' && node['test'] !== null);

export const measureFunctions = ({ program, lineOf }: Source): FunctionMeasure[] => {
  const complexity = new Map<Node, number>();
  const around = new Map<Node, readonly Node[]>();
  for (const [node, ancestors] of nodesOf(program)) {
    if (FUNCTIONS.has(node.type)) {
      complexity.set(node, 1);
      around.set(node, ancestors);
    } else if (isBranch(node)) {
      const owner = ancestors.findLast(({ type }) => FUNCTIONS.has(type));
      if (owner !== undefined) complexity.set(owner, (complexity.get(owner) ?? 1) + 1);
    }
  }
  return [...complexity].map(([node, branches]) => {
    const parent = around.get(node)?.at(-1);
    return {
      name: nameOf(node, parent),
      line: lineOf(node.start),
      lines: lineOf(node.end) - lineOf(node.start) + 1,
      complexity: branches,
      isDescribe: isDescribe(parent),
    };
  });
};

const nameOf = (node: Node, parent: Node | undefined): string => {
  const named = (node['id'] ?? parent?.['id'] ?? parent?.['key']) as { name?: string } | null | undefined;
  return named?.name ?? 'a function without a name';
};

/** `describe(…)`, `describe.each(…)(…)`, `describe.skipIf(…)(…)` */
const isDescribe = (parent: Node | undefined): boolean => {
  let callee = parent?.type === 'CallExpression' ? (parent['callee'] as Node) : undefined;
  while (callee !== undefined && callee.type !== 'Identifier') {
    callee = (callee['object'] ?? callee['callee'] ?? callee['tag']) as Node | undefined;
  }
  return callee?.['name'] === 'describe';
};

/** Finds declared functions that could be arrows: neither generators nor assertions nor overloaded. */
export const needlessDeclarations = ({ program, lineOf }: Source): { name: string; line: number }[] => {
  const overloaded = new Set<unknown>();
  const declared: { name: string; line: number }[] = [];
  for (const [node] of nodesOf(program)) {
    const name = (node['id'] as { name?: string } | null | undefined)?.name ?? 'default';
    if (node.type === 'TSDeclareFunction') overloaded.add(name);
    if (node.type !== 'FunctionDeclaration' || node['generator'] === true) continue;
    const returned = (node['returnType'] as { typeAnnotation?: { asserts?: boolean } } | null)?.typeAnnotation;
    if (returned?.asserts !== true) declared.push({ name, line: lineOf(node.start) });
  }
  return declared.filter(({ name }) => !overloaded.has(name));
};
