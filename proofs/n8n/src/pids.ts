import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Names the folder for everything that a test run makes. Whoever sets it empties it, and stops the programs noted in
 * it.
 */
export const FOLDER_VARIABLE = 'N8N_SUITE_FOLDER';

/** Holds a file for each running program, named by its pid. */
const noted = (folder: string): string => join(folder, 'pids');

/**
 * Notes a program, so that it is stopped even if the process that started it is killed. Returns a function that removes
 * the note.
 */
export const notePid = (pid: number): (() => void) => {
  const folder = process.env[FOLDER_VARIABLE];
  if (folder === undefined) return () => {};
  mkdirSync(noted(folder), { recursive: true });
  const file = join(noted(folder), String(pid));
  writeFileSync(file, '');
  return () => rmSync(file, { force: true });
};

/** Kills the noted programs, and returns the pids of those that were still running. */
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
