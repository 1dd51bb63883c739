import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Takes a folder for this process alone. Node has no locks of its own; SQLite has, and it asks the kernel for them. So the
 * lock ends with its process however that ended, knows no pids that might be taken for others, and holds between
 * containers that share a volume.
 * @returns how to let go, or undefined when another process holds it
 */
export const lockDirectory = (dir: string): (() => void) | undefined => {
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
