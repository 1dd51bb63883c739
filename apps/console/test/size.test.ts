import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

/* What a browser fetches, from the built files, in kB after gzip. */

const DIST = join(import.meta.dirname, '../dist');
const ASSETS = join(DIST, 'assets');

const names = readdirSync(ASSETS);
const kB = (files: readonly string[]): number =>
  files.reduce((sum, name) => sum + gzipSync(readFileSync(join(ASSETS, name))).length, 0) / 1_000;
const ending = (end: string): string[] => names.filter((name) => name.endsWith(end));

/** A script, and what it imports before it runs; a page of its own is imported later. */
const withImports = (name: string, known = new Set<string>()): Set<string> => {
  if (known.has(name)) return known;
  known.add(name);
  const text = readFileSync(join(ASSETS, name), 'utf8');
  for (const [, other = ''] of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g)) withImports(other, known);
  return known;
};

const entry = /assets\/(index-[\w-]+\.js)/.exec(readFileSync(join(DIST, 'index.html'), 'utf8'))?.[1] ?? '';
const overview = names.find((name) => /^overview-.*\.js$/.test(name)) ?? '';

it('the first page is at most 40 kB of script', () => {
  expect(kB([...withImports(entry, withImports(overview))])).toBeLessThanOrEqual(40);
});

it('all pages are at most 110 kB of script, and 12 kB of style', () => {
  expect(kB(ending('.js'))).toBeLessThanOrEqual(110);
  expect(kB(ending('.css'))).toBeLessThanOrEqual(12);
});
