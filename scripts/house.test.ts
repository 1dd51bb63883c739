import { describe, expect, it } from 'vitest';
import { findCircles } from './house/circles.ts';
import { measureFunctions, needlessDeclarations } from './house/functions.ts';
import { bullmqKeysInLua, bullmqKeysInSource, positionsInLua, positionsInSource } from './house/private-knowledge.ts';
import { linesIn, listFiles, packageOf, readSources, readText } from './house/sources.ts';

/* Checks the rules of CONTRIBUTING.md over the whole repository. */

/** Written by a program: `node scripts/interface-docs.ts`. */
const GENERATED = ['packages/client/src/operations.ts'];

const MAX_FILE_LINES = 350;
const MAX_FUNCTION_LINES = 120;
const MAX_COMPLEXITY = 20;
const MAX_MEDIAN_LINES = 90;
/** Health, alerts and metrics read what only this package knows: nobody else names Redis. */
const MAX_QUEUE_EXPORTS = 210;

const QUEUE = 'packages/queue/src/';

const files = listFiles();
const sources = readSources();
const ours = sources.filter(({ isTest }) => !isTest);
const luaFiles = files.filter((path) => path.endsWith('.lua'));

/** Breaks of a rule as lines to read: where each is, and what to do. */
const told = (breaks: readonly (readonly [place: string, advice: string])[]): string[] =>
  breaks.map(([place, advice]) => `${place}: ${advice}`);

describe('packages/queue/src', () => {
  // From the top floor down, as docs/concepts.md lists them.
  const rooms = [...readText('docs/concepts.md').matchAll(/^\| `([a-z]+)\/` \|/gm)].map(([, room]) => room as string);
  const roomOf = (path: string): string | undefined => new RegExp(`^${QUEUE}([a-z-]+)/`).exec(path)?.[1];

  it('has the rooms that docs/concepts.md lists, and no other', () => {
    const present = new Set(files.flatMap((path) => roomOf(path) ?? []));
    expect([...present].sort(), 'give each room a row in the table of docs/concepts.md').toEqual([...rooms].sort());
  });

  it('has rooms that import from those below them only', () => {
    const breaks = ours.flatMap(({ path, imports }) => {
      const from = roomOf(path);
      if (from === undefined) return [];
      return imports.flatMap((target) => {
        const to = roomOf(target);
        const isUp = to === undefined ? target === `${QUEUE}index.ts` : rooms.indexOf(to) < rooms.indexOf(from);
        return isUp ? [[`${path} -> ${target}`, 'move the code down, or hand it in as an argument'] as const] : [];
      });
    });
    expect(told(breaks), 'a room imports from above').toEqual([]);
  });

  it(`exports at most ${MAX_QUEUE_EXPORTS} names`, () => {
    const { length } = sources.find(({ path }) => path === `${QUEUE}index.ts`)?.exportedNames ?? [];
    const breaks = length > MAX_QUEUE_EXPORTS ? [[`${QUEUE}index.ts`, `${length} names`] as const] : [];
    expect(told(breaks), 'remove exports that nobody outside uses').toEqual([]);
  });

  it('knows the keys of BullMQ in jobs/ only', () => {
    const isElsewhere = (path: string): boolean => !path.startsWith(`${QUEUE}jobs/`);
    const breaks = [
      ...ours.filter(({ path }) => isElsewhere(path)).flatMap(bullmqKeysInSource),
      ...luaFiles.filter(isElsewhere).flatMap((path) => bullmqKeysInLua(path, readText(path))),
    ];
    expect(told(breaks), 'a key of BullMQ outside jobs/').toEqual([]);
  });

  it('knows the positions in the record of an event in log/ only', () => {
    const isElsewhere = (path: string): boolean => path.startsWith(QUEUE) && !path.startsWith(`${QUEUE}log/`);
    const breaks = [
      ...ours.filter(({ path }) => isElsewhere(path)).flatMap(positionsInSource),
      ...luaFiles.filter(isElsewhere).flatMap((path) => positionsInLua(path, readText(path))),
    ];
    expect(told(breaks), 'a numeric position outside log/').toEqual([]);
  });
});

describe('imports', () => {
  it('make no circle, types included', () => {
    const graph = new Map(
      sources.map(({ path, imports }) => [path, imports.filter((name) => /\.(m?ts|tsx)$/.test(name))]),
    );
    const breaks = findCircles(graph).map(
      (circle) => [circle.join(' '), 'move what they share into a file that both import'] as const,
    );
    expect(told(breaks), 'files import each other in a circle').toEqual([]);
  });

  it('of an app never lead to another app, and of a package never to an app', () => {
    const apps = new Set(files.filter((path) => path.startsWith('apps/')).map(packageOf));
    const names = [...apps].map((app) => app.replace('apps/', '@clickrelay/'));
    const appOf = (target: string): string | undefined =>
      target.startsWith('apps/')
        ? packageOf(target)
        : names.find((name) => target === name || target.startsWith(`${name}/`))?.replace('@clickrelay/', 'apps/');
    const breaks = ours
      .filter(({ path }) => /^(apps|packages)\//.test(path))
      .flatMap(({ path, package: own, imports }) =>
        imports
          .filter((target) => appOf(target) !== undefined && appOf(target) !== own)
          .map((target) => [`${path} -> ${target}`, 'move what both need into a package'] as const),
      );
    expect(told(breaks), 'an app is imported').toEqual([]);
  });

  it.each([
    [/^(bullmq|ioredis)$/, ['packages/queue', 'proofs/bench'], 'ask packages/queue for what you need'],
    [/^(koa|koa-body|@koa\/router)$/, ['apps/api', 'apps/receiver', 'proofs/bench'], 'only the HTTP apps know Koa'],
    [/^n8n-workflow$/, ['packages/n8n-nodes-clickatell'], 'only the n8n package knows n8n'],
  ])('name %s only in %j', (library, allowed, advice) => {
    const breaks = ours
      .filter(({ package: own }) => !allowed.includes(own))
      .flatMap(({ path, imports }) =>
        imports.filter((name) => library.test(name)).map((name) => [`${path} -> ${name}`, advice] as const),
      );
    expect(told(breaks), 'a library is named outside its home').toEqual([]);
  });
});

describe('a file', () => {
  it(`has at most ${MAX_FILE_LINES} lines`, () => {
    const breaks = files
      .filter((path) => /\.(m?ts|tsx|mjs|lua|vue|html|css)$/.test(path) && !GENERATED.includes(path))
      .map((path) => [path, linesIn(readText(path))] as const)
      .filter(([, lines]) => lines > MAX_FILE_LINES)
      .map(([path, lines]) => [path, `${lines} lines; split it by subject`] as const);
    expect(told(breaks), 'a file is too long').toEqual([]);
  });

  it(`without tests has fewer than ${MAX_MEDIAN_LINES} lines, as a median`, () => {
    const lengths = ours
      .filter(({ path }) => !GENERATED.includes(path))
      .map(({ text }) => linesIn(text))
      .sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)], 'files do too much: split them').toBeLessThan(MAX_MEDIAN_LINES);
  });
});

describe('a function', () => {
  const measured = sources
    .filter(({ path }) => !GENERATED.includes(path))
    .flatMap((source) => measureFunctions(source).map((one) => ({ path: source.path, ...one })));

  it(`has at most ${MAX_FUNCTION_LINES} lines`, () => {
    const breaks = measured
      .filter(({ lines, isDescribe }) => lines > MAX_FUNCTION_LINES && !isDescribe)
      .map(
        ({ path, name, line, lines }) => [`${path} ${name}`, `${lines} lines from ${line}; name its steps`] as const,
      );
    expect(told(breaks), 'a function is too long').toEqual([]);
  });

  it(`has a cyclomatic complexity of at most ${MAX_COMPLEXITY}`, () => {
    const breaks = measured
      .filter(({ complexity }) => complexity > MAX_COMPLEXITY)
      .map(
        ({ path, name, line, complexity }) =>
          [`${path} ${name}`, `${complexity} ways through it, line ${line}; take decisions out of it`] as const,
      );
    expect(told(breaks), 'a function decides too much').toEqual([]);
  });

  it('is an arrow, unless it is a generator, an assertion or overloaded', () => {
    const breaks = sources.flatMap((source) =>
      needlessDeclarations(source).map(
        ({ name, line }) => [`${source.path} ${name}`, `line ${line}; write const ${name} = (…) => …`] as const,
      ),
    );
    expect(told(breaks), 'a function is declared').toEqual([]);
  });
});
