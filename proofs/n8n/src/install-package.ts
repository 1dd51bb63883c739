import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The folder of the package in this checkout. */
export const PACKAGE_FOLDER = join(import.meta.dirname, '../../../packages/n8n-nodes-clickatell');

/** Packs our n8n package as it would be published, and returns the path of the tarball in `folder`. */
export const packPackage = async (folder: string): Promise<string> => {
  await run('pnpm', ['pack', '--pack-destination', folder], { cwd: PACKAGE_FOLDER });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`pnpm pack of ${PACKAGE_FOLDER} left no tarball in ${folder}`);
  return join(folder, tarball);
};

/**
 * Puts a packed community package where n8n looks for it, the way n8n's own installer does: unpacked into
 * `.n8n/nodes/node_modules/<name>`, and noted in the `package.json` there.
 * @param userFolder N8N_USER_FOLDER
 * @throws {Error} when it lacks a file that the `n8n` block of its package.json lists, or has dependencies
 */
export const installPackage = async (tarball: string, userFolder: string): Promise<void> => {
  const unpacked = await mkdtemp(join(tmpdir(), 'clickrelay-n8n-package-'));
  try {
    await run('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1']);
    const manifest = JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8')) as {
      name: string;
      version: string;
      dependencies?: Record<string, string>;
      n8n: { nodes: string[]; credentials: string[] };
    };
    for (const file of [...manifest.n8n.nodes, ...manifest.n8n.credentials]) await stat(join(unpacked, file));
    const dependencies = Object.keys(manifest.dependencies ?? {});
    if (dependencies.length > 0) throw new Error(`a verified n8n package has no dependencies; got ${dependencies}`);

    const nodes = join(userFolder, '.n8n', 'nodes');
    await mkdir(join(nodes, 'node_modules'), { recursive: true });
    await cp(unpacked, join(nodes, 'node_modules', manifest.name), { recursive: true });
    const installed = { private: true, dependencies: { [manifest.name]: manifest.version } };
    await writeFile(join(nodes, 'package.json'), JSON.stringify(installed));
  } finally {
    await rm(unpacked, { recursive: true });
  }
};
