import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names the folder for all that a run of the tests makes. Whoever set it empties it, and ends what is noted in it. */
export const FOLDER_VARIABLE = 'N8N_SUITE_FOLDER';

/** A file for each program that runs, named by its pid. */
const noted = (folder: string): string => join(folder, 'pids');

/** Notes a program, so that it is stopped even when the process that started it is killed. Returns what un-notes it. */
export const notePid = (pid: number): (() => void) => {
  const folder = process.env[FOLDER_VARIABLE];
  if (folder === undefined) return () => {};
  mkdirSync(noted(folder), { recursive: true });
  const file = join(noted(folder), String(pid));
  writeFileSync(file, '');
  return () => rmSync(file, { force: true });
};

/** Kills what is still noted, and gives the pids of what was still there. */
export const killNoted = (folder: string): number[] => {
  mkdirSync(noted(folder), { recursive: true });
  return readdirSync(noted(folder))
    .map(Number)
    .filter((pid) => {
      try {
        return process.kill(pid, 'SIGKILL');
      } catch {
        return false;
      }
    });
};
