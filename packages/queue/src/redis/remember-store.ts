import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a process keeps the id of its store, for its next start. */
export interface StoreMemory {
  /** Undefined before the first store. */
  read(): string | undefined;
  write(id: string): void;
}

const storeFile = (dir: string): string => join(dir, 'store.json');

/**
 * Remembers in `store.json` of this folder, which several processes may share. Without a folder, in memory only.
 * @param onError it could not be written, or read: it is remembered in memory from then on
 */
export const rememberStore = (dir: string, onError: (error: unknown) => void): StoreMemory => {
  let known: string | undefined;
  const attempt = (step: () => void): void => {
    try {
      if (dir !== '') step();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onError(error);
    }
  };
  return {
    read: () => {
      attempt(() => {
        known = readStoreFile(dir) ?? known;
      });
      return known;
    },
    write: (id) => {
      known = id;
      attempt(() => {
        mkdirSync(dir, { recursive: true, mode: 0o700 });
        const draft = `${storeFile(dir)}.${process.pid}`;
        writeFileSync(draft, `${JSON.stringify({ id })}\n`, { mode: 0o600 });
        renameSync(draft, storeFile(dir));
      });
    },
  };
};

/** @throws when there is no such file, or it is damaged */
const readStoreFile = (dir: string): string | undefined =>
  (JSON.parse(readFileSync(storeFile(dir), 'utf8')) as { id?: string }).id;
