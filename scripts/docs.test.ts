import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configurationDoc } from './configuration-doc.ts';

const root = resolve(fileURLToPath(new URL('..', import.meta.url)));

const filesBelow = async (folder: string, ending: string): Promise<string[]> => {
  const entries = await readdir(join(root, folder), { recursive: true });
  return entries
    .filter((entry) => entry.endsWith(ending) && !/(^|\/)(node_modules|dist)\//.test(entry))
    .map((entry) => join(folder, entry));
};
const sources = async (): Promise<string[]> =>
  (await Promise.all(['packages', 'apps'].map((folder) => filesBelow(folder, '.ts')))).flat();

describe('docs', () => {
  it('name every variable of the configuration as the code reads it', async () => {
    expect(await readFile(join(root, 'docs/configuration.md'), 'utf8')).toBe(configurationDoc());
  });

  it('explain every error code', async () => {
    const codes = new Set<string>();
    for (const file of await sources()) {
      if (file.endsWith('.test.ts') || file.startsWith('packages/testkit')) continue;
      const text = await readFile(join(root, file), 'utf8');
      for (const [, code] of text.matchAll(/\bcode(?: =|:) '([a-z]+(?:_[a-z]+)+)'/g)) codes.add(code as string);
      for (const [, code] of text.matchAll(/new DeliveryError\(\s*'([a-z_]+)'/g)) codes.add(code as string);
    }
    const explained = [...(await readFile(join(root, 'docs/errors.md'), 'utf8')).matchAll(/^### `([a-z_]+)`/gm)].map(
      ([, code]) => code,
    );
    expect(explained.sort()).toEqual([...codes].sort());
  });

  it('link only to what exists', async () => {
    const pages = ['README.md', ...(await filesBelow('docs', '.md')), ...(await filesBelow('packages', 'README.md'))];
    const files = new Set([...(await sources()), ...pages]);
    const broken: string[] = [];
    for (const page of pages) {
      const text = await readFile(join(root, page), 'utf8');
      for (const [, link] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        if (/^[a-z]+:/.test(link as string)) continue;
        const target = join(dirname(page), link as string);
        const exists =
          files.has(target) ||
          (await readFile(join(root, target)).then(
            () => true,
            (error) => error.code === 'EISDIR',
          ));
        if (!exists) broken.push(`${page}: ${link}`);
      }
    }
    expect(broken).toEqual([]);
  });
});
