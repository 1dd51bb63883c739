import { MAX_STEPS, OutOfStepsError, take } from './budget.ts';
import { type Comprehension, childrenOf, type Evaluator, type Node } from './nodes.ts';
import { countOf, isContainer, lengthOf, sizeOf, typeStepsOf } from './size-of.ts';

/*
 * Makes the nodes of a filter pay before they work. What is not priced here takes a fixed time and is evaluated once,
 * or belongs to a loop, which pays for all its rounds when it begins.
 */

/** An error takes long to make: it draws the filter, and the engine writes down the stack. */
const ERROR_STEPS = 200;

/** `getHours('Africa/Johannesburg')` and the like: the library formats and parses a date. */
const TIME_ZONE_STEPS = 5_000;

/** Searching compares a part of the needle at each place, in the worst case most of it. */
const searchSteps = (text: unknown, needle: unknown): number =>
  typeof text === 'string' && typeof needle === 'string' ? (text.length * needle.length) / 128 : 0;

type Price = (receiver: unknown, argument: unknown) => number;

const throughOnce: Price = (receiver) => 4 * lengthOf(receiver);
const search: Price = (receiver, argument) => lengthOf(receiver) + searchSteps(receiver, argument);

const sizeOfList = (list: unknown): number => (isContainer(list) ? countOf(list) : 0);

/** Of functions, by name. The receiver is the first argument of those that have none. */
const PRICES: ReadonlyMap<string, Price> = new Map([
  ['size', (value) => 16 * lengthOf(value)],
  ['startsWith', (_, start) => lengthOf(start)],
  ['endsWith', (_, end) => lengthOf(end)],
  ['contains', search],
  ['indexOf', search],
  ['lastIndexOf', search],
  ['split', (text, by) => search(text, by) + textLength(text) / Math.max(textLength(by), 1)],
  ['join', (list, by) => sizeOf(list, MAX_STEPS) + sizeOfList(list) * (1 + lengthOf(by))],
  ['substring', () => 0],
  ['json', (bytes) => 32 * lengthOf(bytes)],
  // Its pattern goes back and forth over digits without a unit.
  ['duration', (text) => textLength(text) ** 3 / 10],
]);

const textLength = (text: unknown): number => (typeof text === 'string' ? text.length : 0);

/** Whether a pair with it is worth a look. Nearly all are numbers, or texts of less than a line. */
const isLarge = (value: unknown): boolean => (typeof value === 'string' ? value.length > 63 : isContainer(value));

const stepsOfPair = (op: Node['op'], left: unknown, right: unknown): number => {
  if (typeof left === 'string' && typeof right === 'string') {
    return op === '+' ? lengthOf(left) + lengthOf(right) : Math.min(lengthOf(left), lengthOf(right));
  }
  const hasLeft = isContainer(left);
  const hasRight = isContainer(right);
  if (!hasLeft && !hasRight) return 0;
  if (op === 'in' && !hasLeft) return typeStepsOf(right) + sizeOfList(right) * (1 + lengthOf(left));
  if (op === '+') return typeStepsOf(left) + typeStepsOf(right) + sizeOfList(left) + sizeOfList(right);
  if (!hasLeft || !hasRight) return typeStepsOf(left) + typeStepsOf(right);
  return sizeOf(left, MAX_STEPS) + sizeOf(right, MAX_STEPS);
};

/** Of a loop: the nodes that each round evaluates. A loop within pays for itself. */
const weightOf = (node: Node): number => {
  const within = node.op === 'comprehension' ? [(node.args as Comprehension).iterable] : childrenOf(node);
  return within.reduce((sum, child) => sum + weightOf(child), 1);
};

/** Deeper bytes make types of types of types, which the library keeps for ever. */
const MAX_JSON_DEPTH = 64;

const nestsTooDeep = (bytes: unknown): boolean => {
  if (!(bytes instanceof Uint8Array)) return false;
  let depth = 0;
  for (const byte of bytes) {
    if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) depth--;
    if (depth > MAX_JSON_DEPTH) return true;
  }
  return false;
};

type Evaluate = Node['evaluate'];

// What follows replaces how the library evaluates these nodes, which is as short: a comparison takes 50 ns, and one
// more call for each would be felt.

const evaluatePair: Evaluate = (evaluator, node, context) => {
  const { left, right } = node as Required<Node>;
  const leftValue = left.evaluate(evaluator, left, context);
  const rightValue = right.evaluate(evaluator, right, context);
  if (isLarge(leftValue) || isLarge(rightValue)) take(stepsOfPair(node.op, leftValue, rightValue), node.start);
  return (node as Required<Node>).handle(leftValue, rightValue, node, evaluator);
};

const evaluateLoop = (each: number): Evaluate => {
  return (evaluator, node, context) => {
    const args = node.args as Comprehension;
    const items = args.iterable.evaluate(evaluator, args.iterable, context);
    if (isContainer(items)) take(countOf(items) * each, node.start);
    return (node as Required<Node>).handle(items, args, evaluator, context);
  };
};

/** @returns the values of what the function is called with, which are paid for */
const evaluateOperands = (name: string): ((...all: Parameters<Evaluate>) => unknown[]) => {
  const priceOf = PRICES.get(name) ?? throughOnce;
  const inTimeZone = name.startsWith('get') ? TIME_ZONE_STEPS : 0;
  return (evaluator, node, context) => {
    const operands = node.receiverWithArgs ?? (node.args as [string, Node[]])[1];
    const values = new Array<unknown>(operands.length);
    let steps = operands.length > 1 ? inTimeZone : 0;
    for (let at = 0; at < operands.length; at++) {
      const operand = operands[at] as Node;
      values[at] = operand.evaluate(evaluator, operand, context);
      steps += typeStepsOf(values[at]);
    }
    take(steps + priceOf(values[0], values[1]), node.start);
    if (name === 'json' && nestsTooDeep(values[0])) throw new RangeError('json nests too deep');
    return values;
  };
};

const evaluateCall = (name: string): Evaluate => {
  const operandsOf = evaluateOperands(name);
  return (evaluator, node, context) =>
    (node as Required<Node>).handle(operandsOf(evaluator, node, context), node, evaluator);
};

const evaluateMethod = (name: string): Evaluate => {
  const operandsOf = evaluateOperands(name);
  return (evaluator, node, context) =>
    (node as Required<Node>).handle(operandsOf(evaluator, node, context), evaluator, node);
};

const PAIRS: ReadonlySet<string> = new Set(['==', '!=', 'in', '+', '<', '<=', '>', '>=']);

/** @param node of a filter whose types are checked */
export const priceNode = (node: Node): void => {
  const { op, args, meta } = node;
  // It stands for another node, which is priced itself.
  if (meta.alternate !== undefined || meta.macro !== undefined) return;
  if (PAIRS.has(op)) node.evaluate = evaluatePair;
  else if (op === 'comprehension') node.evaluate = evaluateLoop(weightOf((args as Comprehension).step));
  else if (op === 'call') node.evaluate = evaluateCall((args as [string])[0]);
  else if (op === 'rcall') node.evaluate = evaluateMethod((args as [string])[0]);
};

/**
 * `||`, `&&`, `all` and `exists` go on after an error, as CEL says: errors must be paid for, and nothing may go on after
 * the last step.
 */
export const priceErrors = (evaluator: Evaluator): void => {
  evaluator.tryEval = (node, context) => {
    try {
      return node.evaluate(evaluator, node, context);
    } catch (error) {
      if (error instanceof OutOfStepsError) throw error;
      take(ERROR_STEPS, node.start);
      return error;
    }
  };
};
