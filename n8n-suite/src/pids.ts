import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A folder with a file for each program that runs, named by its pid. Set by whoever makes sure that they all end. */
export const PIDS_VARIABLE = 'N8N_SUITE_PIDS';

/** Notes a program, so that it is stopped even when the process that started it is killed. Returns what un-notes it. */
export function notePid(pid: number): () => void {
  const folder = process.env[PIDS_VARIABLE];
  if (folder === undefined) return () => {};
  mkdirSync(folder, { recursive: true });
  const file = join(folder, String(pid));
  writeFileSync(file, '');
  return () => rmSync(file, { force: true });
}

/** Kills what is still noted in a folder, and gives the pids of what was still there. */
export function killNoted(folder: string): number[] {
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder)
    .map(Number)
    .filter((pid) => {
      try {
        return process.kill(pid, 'SIGKILL');
      } catch {
        return false;
      }
    });
}
