import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { packPackage } from './install-package.ts';
import { FOLDER_VARIABLE, killNoted } from './pids.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The packed n8n package. */
    tarball: string;
  }
}

/** Packs the package once for all files, and stops at the end any program that a crashed file left running. */
const setup = async (project: TestProject): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'clickrelay-n8n-suite-'));
  process.env[FOLDER_VARIABLE] = folder;
  // Not a teardown, which Ctrl-C would skip.
  process.once('exit', () => {
    const killed = killNoted(folder);
    if (killed.length > 0) console.error(`stopped what tests had left running: pid ${killed.join(', ')}`);
    rmSync(folder, { recursive: true, maxRetries: 10, retryDelay: 100 });
  });
  project.provide('tarball', await packPackage(folder));
};

export default setup;
