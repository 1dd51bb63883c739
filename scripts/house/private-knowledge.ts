import { type Node, nodesOf, type Source } from './sources.ts';

/* Finds what only one room of packages/queue may know: the keys of BullMQ, and the positions of fields in a record. */

type Break = readonly [key: string, text: string];

/** What follows the name of a queue in the keys of BullMQ. */
const BULLMQ_KEY =
  /:(wait|active|paused|prioritized|delayed|failed|completed|waiting-children|marker|limiter|meta|pc|stalled|stalled-check|lock|repeat)\b/;

/** Keys of ours that end like a key of BullMQ. */
const OURS = /:replay:|:ledger-check/;

const keyIn = (text: string): string | undefined => (OURS.test(text) ? undefined : BULLMQ_KEY.exec(text)?.[0]);

const KEY_ADVICE = 'make the key in jobs/, or let jobs/ do what you need it for';

export const bullmqKeysInSource = ({ path, program, lineOf }: Source): Break[] => {
  const breaks: Break[] = [];
  for (const [node] of nodesOf(program)) {
    const key = keyIn(textOf(node) ?? '');
    if (key !== undefined) breaks.push([`${path} ${key}`, `line ${lineOf(node.start)}; ${KEY_ADVICE}`]);
  }
  return breaks;
};

/** The text of a string, or of a template with its holes left open. */
const textOf = (node: Node): string | undefined => {
  if (node.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  if (node.type !== 'TemplateLiteral') return undefined;
  return (node['quasis'] as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('…');
};

const withoutComments = (script: string): string => script.replaceAll(/--[^\n]*/g, '');

export const bullmqKeysInLua = (path: string, script: string): Break[] =>
  [...withoutComments(script).matchAll(/(['"])([^'"\n]*)\1/g)].flatMap(([, , text = '']) => {
    const key = keyIn(text);
    return key === undefined ? [] : [[`${path} ${key}`, KEY_ADVICE] as const];
  });

const POSITION_ADVICE = 'read the field by its name: log/ knows where it stands';

/** Positions from 3 on. The first three are too common: they also index pairs and short replies. */
const isPosition = (number: unknown): number is number => typeof number === 'number' && number >= 3;

export const positionsInSource = ({ path, program, lineOf }: Source): Break[] => {
  const breaks: Break[] = [];
  for (const [node] of nodesOf(program)) {
    const position = positionOf(node);
    if (position !== undefined)
      breaks.push([`${path} [${position}]`, `line ${lineOf(node.start)}; ${POSITION_ADVICE}`]);
    // It may be a short script for Redis.
    else if (textOf(node)?.includes('redis.call')) breaks.push(...positionsInLua(path, textOf(node) as string));
  }
  return breaks;
};

/** The position in `line[8]` or `line.at(8)`. */
const positionOf = (node: Node): number | undefined => {
  if (node.type === 'MemberExpression' && node['computed'] === true) {
    const { value } = node['property'] as { value?: unknown };
    return isPosition(value) ? value : undefined;
  }
  if (node.type !== 'CallExpression') return undefined;
  const { property } = node['callee'] as { property?: { name?: string } };
  const [position] = node['arguments'] as { value?: unknown }[];
  return property?.name === 'at' && isPosition(position?.value) ? position.value : undefined;
};

export const positionsInLua = (path: string, script: string): Break[] =>
  [...withoutComments(script).matchAll(/(\w+)\[(\d+)\]/g)].flatMap(([, name = '', number]) =>
    isPosition(Number(number)) && !['KEYS', 'ARGV'].includes(name)
      ? [[`${path} ${name}[${number}]`, POSITION_ADVICE] as const]
      : [],
  );
