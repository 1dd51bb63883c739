import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpoolError } from './errors.ts';

/**
 * Takes the folder for this process alone.
 * @param patienceMs how long it may still belong to a receiver that is ending
 * @returns how to let go
 * @throws {SpoolError} `spool_in_use`; any other error says that the folder cannot be used
 */
export const takeFolder = async (dir: string, patienceMs: number): Promise<() => void> => {
  for (const deadline = performance.now() + patienceMs; ; await sleep(100)) {
    const unlock = lockFolder(dir);
    if (unlock !== undefined) return unlock;
    if (performance.now() > deadline) break;
  }
  throw new SpoolError(
    'spool_in_use',
    `SPOOL_DIR ${dir} belongs to another receiver that runs; give each receiver a folder of its own`,
  );
};

/**
 * Node has no file locks of its own; SQLite has, and asks the kernel for them. So the lock ends with its process
 * however that ends, no pid can be mistaken for another, and it holds between containers that share a volume.
 * @returns how to let go; undefined when another process holds it
 */
const lockFolder = (dir: string): (() => void) | undefined => {
  const database = new DatabaseSync(join(dir, 'lock'), { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return () => database.close();
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
};

const SQLITE_BUSY = 5;
