/*
 * Finds names in a transform that stand for nothing. JSONata takes them for a value that is not there, and fails only
 * when it calls one, for each event again.
 */

/** What JSONata defines itself. `transform-names.test.ts` holds it against the library. */
const BUILT_IN: ReadonlySet<string> = new Set(
  (
    'abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl ' +
    'decodeUrlComponent distinct each encodeUrl encodeUrlComponent error eval exists filter floor formatBase ' +
    'formatInteger formatNumber fromMillis join keys length lookup lowercase map match max merge millis min not now ' +
    'number pad parseInteger power random reduce replace reverse round shuffle sift single sort split spread sqrt ' +
    'string substring substringAfter substringBefore sum toMillis trim type uppercase zip'
  ).split(' '),
);

/** A node of JSONata's syntax tree. Which members hold others depends on its type, so all are looked into. */
interface Node {
  readonly type?: string;
  readonly value?: unknown;
  readonly position?: number;
  /** Names that a step gives to what it finds: `orders@$order#$index`. */
  readonly focus?: string;
  readonly index?: string;
  readonly lhs?: { readonly value?: unknown };
  readonly arguments?: readonly { readonly value?: unknown }[];
}

export interface UndefinedName {
  readonly name: string;
  readonly position: number;
}

/** The first name that neither JSONata nor the transform defines. */
export const findUndefinedName = (ast: unknown): UndefinedName | undefined => {
  const defined = new Set(BUILT_IN);
  const used: UndefinedName[] = [];
  const define = (name: unknown): void => {
    if (typeof name === 'string') defined.add(name);
  };
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const node = value as Node;
    if (node.type === 'variable') used.push({ name: String(node.value), position: node.position ?? 0 });
    if (node.type === 'bind') define(node.lhs?.value);
    if (node.type === 'lambda') for (const argument of node.arguments ?? []) define(argument.value);
    define(node.focus);
    define(node.index);
    for (const member of Object.values(value)) visit(member);
  };
  visit(ast);
  // `$` is the context, and `$$` the event.
  return used.find(({ name }) => name !== '' && name !== '$' && !defined.has(name));
};

export const builtInNames = (): string[] => [...BUILT_IN];
