import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const HERE = join(import.meta.dirname, '..');
const { NODE_ENV: _, ...env } = process.env;

const scan = async (...args: string[]): Promise<unknown> => {
  const { stdout } = await run(process.execPath, [join(HERE, 'test/scan.mjs'), ...args], { cwd: HERE, env });
  return JSON.parse(stdout);
};

// The package as users get it: packed, unpacked, and looked at by n8n's own tools.
describe('the packed package', () => {
  let folder: string;
  let unpacked: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clickrelay-n8n-'));
    await run('pnpm', ['pack', '--pack-destination', folder], { cwd: HERE });
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
    await run('tar', ['-xzf', join(folder, String(tarball)), '-C', folder]);
    unpacked = join(folder, 'package');
  });
  afterAll(async () => await rm(folder, { recursive: true, force: true }));

  it('passes the scan that n8n makes before it verifies a package', async () => {
    expect(await scan(unpacked)).toEqual({ passed: true });
  });

  it('passes that scan with its sources', async () => {
    expect(await scan(HERE, 'source')).toEqual({ passed: true });
  });

  it('passes n8n-node lint', async () => {
    const { stdout } = await run('pnpm', ['exec', 'n8n-node', 'lint'], { cwd: HERE, env });
    expect(stdout).not.toMatch(/error|warning/i);
  });

  it('takes less than 500 kB and has no dependency', async () => {
    const names = await readdir(unpacked, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile());
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(500_000);
    const { dependencies, peerDependencies } = JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8'));
    expect({ dependencies, peerDependencies }).toEqual({
      dependencies: undefined,
      peerDependencies: { 'n8n-workflow': '*' },
    });
  });

  it('holds every node and credential that it lists, with its icons, under the name of its file', async () => {
    const { n8n } = JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8'));
    // n8n-workflow is n8n's to provide: found from here, not from the unpacked folder.
    const load = createRequire(join(HERE, 'package.json'));
    for (const path of [...n8n.nodes, ...n8n.credentials] as string[]) {
      const file = join(unpacked, path);
      const className = String(path.split('/').pop()).split('.')[0] as string;
      const { [className]: Listed } = load(join(HERE, path));
      const made = new Listed();
      const { light, dark } = made.icon ?? made.description.icon;
      for (const icon of [light, dark]) await stat(join(file, '..', String(icon).replace('file:', '')));
      if (path.endsWith('.node.js')) await stat(file.replace('.node.js', '.node.json'));
    }
  });
});
