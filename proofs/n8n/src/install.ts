import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * The n8n version to test the package in. Not simply the newest: n8n is published in several steps, and a version
 * cannot be installed before all its own packages are there.
 */
export const N8N_VERSION = process.env['N8N_VERSION'] ?? '2.41.1';

/** Outside the checkout, so that the next run and the next checkout find it; 3 GB. */
export const installFolder = join(
  process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
  'clickrelay',
  `n8n-${N8N_VERSION}`,
);

/** The script of the `n8n` command. */
export const n8nProgram = join(installFolder, 'node_modules', 'n8n', 'bin', 'n8n');

/**
 * Installs n8n unless it is installed already.
 * @throws {Error} when npm fails, or the installed n8n does not load
 */
export const install = async (say: (line: string) => void): Promise<void> => {
  if (existsSync(n8nProgram)) return;
  say(`installing n8n ${N8N_VERSION} into ${installFolder}: about 5 minutes and 3 GB, once`);
  await mkdir(dirname(installFolder), { recursive: true });
  await removeLeftovers();
  // Installed beside it and moved at the end, so that a partial installation is never taken for a complete one.
  const building = `${installFolder}.${process.pid}.partial`;
  await mkdir(building);
  await writeFile(join(building, 'package.json'), '{"private":true}\n');

  // Without install scripts: the one of Kafka's client compiles a library that needs system headers, and n8n starts
  // without it. The libraries that n8n does need are built below, or come prebuilt in their packages.
  npm(
    [
      'install',
      `n8n@${N8N_VERSION}`,
      '--save-exact',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
    ],
    building,
  );
  say('building sqlite3; it needs python3, make and a C++ compiler');
  npm(['rebuild', 'sqlite3'], building, { npm_config_build_from_source: 'true', ...headersOfThisNode() });

  const requireFromN8n = createRequire(join(building, 'node_modules', 'n8n', 'package.json'));
  for (const native of ['sqlite3', 'isolated-vm']) requireFromN8n(native);
  await rename(building, installFolder);
  say(`n8n ${N8N_VERSION} is installed`);
};

const npm = (args: string[], cwd: string, env: Record<string, string> = {}): void => {
  const options: SpawnSyncOptions = { cwd, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } };
  const { status, error } = spawnSync('npm', [...args, '--loglevel=error'], options);
  if (status !== 0) {
    throw new Error(`npm ${args[0]} of n8n ${N8N_VERSION} ended with ${error?.message ?? `status ${status}`}`);
  }
};

/** Prefers the headers that came with Node, which need no download and have the right version. */
const headersOfThisNode = (): Record<string, string> => {
  const root = dirname(dirname(process.execPath));
  return existsSync(join(root, 'include', 'node', 'node.h')) ? { npm_config_nodedir: root } : {};
};

/** Removes interrupted installations. */
const removeLeftovers = async (): Promise<void> => {
  const parent = dirname(installFolder);
  for (const name of await readdir(parent)) {
    const pid = Number(/\.(\d+)\.partial$/.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) await rm(join(parent, name), { recursive: true });
  }
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

if (import.meta.main) await install((line) => console.error(`> ${line}`));
