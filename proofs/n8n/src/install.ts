import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * The n8n that the package is tried in. Not simply the newest: n8n is published in several steps, and a version whose
 * own packages are not all there yet cannot be installed.
 */
export const N8N_VERSION = process.env['N8N_VERSION'] ?? '2.41.1';

/** Outside the checkout, so that it is there for the next run and for the next checkout; 3 GB. */
export const installFolder = join(
  process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
  'clickrelay',
  `n8n-${N8N_VERSION}`,
);

/** The command, as Node runs it. */
export const n8nProgram = join(installFolder, 'node_modules', 'n8n', 'bin', 'n8n');

/**
 * Installs n8n unless it is there.
 * @throws {Error} when npm does not manage, or what was installed does not load
 */
export const install = async (say: (line: string) => void): Promise<void> => {
  if (existsSync(n8nProgram)) return;
  say(`installing n8n ${N8N_VERSION} into ${installFolder}: about 5 minutes and 3 GB, once`);
  await mkdir(dirname(installFolder), { recursive: true });
  await removeLeftovers();
  // Made beside it and moved at the end, so that a half installation is never taken for a whole one.
  const building = `${installFolder}.${process.pid}.partial`;
  await mkdir(building);
  await writeFile(join(building, 'package.json'), '{"private":true}\n');

  // Without install scripts: that of Kafka's client compiles a library that needs headers of the system, and n8n starts
  // without it. What n8n does need is built below, or comes built in its package.
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

/** Those that came with it, when they did: nothing is downloaded then, and they are of the right version. */
const headersOfThisNode = (): Record<string, string> => {
  const root = dirname(dirname(process.execPath));
  return existsSync(join(root, 'include', 'node', 'node.h')) ? { npm_config_nodedir: root } : {};
};

/** Of installations that were interrupted. */
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
