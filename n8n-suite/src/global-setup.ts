import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { packPackage } from './install-package.ts';
import { killNoted, PIDS_VARIABLE } from './pids.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The packed n8n package. */
    tarball: string;
  }
}

/** Packs the package once for all files, and stops at the end whatever a file that died has left running. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'clickrelay-n8n-suite-'));
  const pids = join(folder, 'pids');
  process.env[PIDS_VARIABLE] = pids;
  project.provide('tarball', await packPackage(folder));
  return async () => {
    const killed = killNoted(pids);
    if (killed.length > 0) console.error(`stopped what tests had left running: pid ${killed.join(', ')}`);
    await rm(folder, { recursive: true });
  };
}
