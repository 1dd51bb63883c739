import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

const root = resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** A node of a syntax tree (ESTree). */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Source {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
  /** `packages/queue`, or the first folder of the path. */
  readonly package: string;
  readonly isTest: boolean;
  /** Every module that it imports or re-exports, types too: names of packages, or paths from the root. */
  readonly imports: readonly string[];
  readonly exportedNames: readonly string[];
  readonly program: Node;
  lineOf(position: number): number;
}

/** The existing files that git tracks or would add. */
export const listFiles = (): string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(root, path)));

export const readText = (path: string): string => readFileSync(join(root, path), 'utf8');

export const linesIn = (text: string): number => text.replace(/\n$/, '').split('\n').length;

export const packageOf = (path: string): string => /^(?:packages|apps|proofs)\/[^/]+/.exec(path)?.[0] ?? dirname(path);

/** Whether a file is a test, or only tests use it. */
const isTestPath = (path: string): boolean =>
  /\.test\.m?ts$/.test(path) || /\/test\//.test(path) || path.startsWith('packages/testkit/');

export const readSources = (): Source[] =>
  listFiles()
    .filter((path) => /\.(m?ts|tsx)$/.test(path) && !path.endsWith('.d.ts'))
    .map(readSource);

const readSource = (path: string): Source => {
  const text = readText(path);
  const { module, program, errors } = parseSync(path, text, { lang: path.endsWith('.tsx') ? 'tsx' : 'ts' });
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const exported = module.staticExports.flatMap(({ entries }) => entries);
  const named = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...exported.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ...module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) => literalIn(text.slice(start, end))),
  ];
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  return {
    path,
    text,
    package: packageOf(path),
    isTest: isTestPath(path),
    imports: [...new Set(named.map((name) => (name.startsWith('.') ? join(dirname(path), name) : name)))],
    exportedNames: exported.flatMap(({ exportName }) => exportName.name ?? []),
    program: program as unknown as Node,
    lineOf: (position) => starts.findLastIndex((start) => start <= position) + 1,
  };
};

/** The module of a dynamic import, unless it is known only at run time. */
const literalIn = (text: string): string[] => /^(['"])(.*)\1$/.exec(text)?.slice(2) ?? [];

/** Every node, outer ones first, each with its ancestors. */
export function* nodesOf(node: Node, ancestors: readonly Node[] = []): Generator<[Node, readonly Node[]]> {
  yield [node, ancestors];
  const around = [...ancestors, node];
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === 'object' && child !== null && typeof child.type === 'string') yield* nodesOf(child, around);
    }
  }
}
