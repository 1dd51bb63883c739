import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJson, writeJson } from './data-dir.ts';
import { CommandError } from './errors.ts';

/** How long a `doctor` may hold the lock, or a new holder may take to write its pid, in ms. */
const PATIENCE_MS = 1_000;
const SQLITE_BUSY = 5;

/**
 * Keeps a second `start` off the same DATA_DIR. Node has no file locks of its own; SQLite has, and asks the kernel for
 * them, as the spool does. So of those that come at the same moment one gets the lock, and it ends with its process
 * however that ends.
 * @returns a function that releases the lock, or undefined when another process holds it
 * @throws {CommandError} `data_dir` when there can be no lock there
 */
export const lockDataDir = async (dataDir: string): Promise<(() => void) | undefined> => {
  for (const deadline = performance.now() + PATIENCE_MS; ; await sleep(10)) {
    const unlock = take(dataDir);
    if (unlock !== undefined) {
      writeJson(holderFile(dataDir), { pid: process.pid });
      return unlock;
    }
    if (isAlive(lockHolder(dataDir)) || performance.now() > deadline) return undefined;
  }
};

/** Whether a `start` of this DATA_DIR is alive. */
export const isLocked = (dataDir: string): boolean => {
  if (!existsSync(lockFile(dataDir))) return false;
  const release = take(dataDir);
  release?.();
  return release === undefined;
};

/** The pid of the `start` that has locked DATA_DIR. */
export const lockHolder = (dataDir: string): number | undefined => readJson<{ pid: number }>(holderFile(dataDir))?.pid;

const lockFile = (dataDir: string): string => join(dataDir, 'start.lock');
const holderFile = (dataDir: string): string => join(dataDir, 'start.json');

const take = (dataDir: string): (() => void) | undefined => {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(lockFile(dataDir), { timeout: 0 });
    // Not EXCLUSIVE, which two that come at the same moment refuse each other.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE');
    const taken = database;
    return () => taken.close();
  } catch (error) {
    database?.close();
    const { errcode, message } = error as { errcode?: number; message: string };
    if (errcode === SQLITE_BUSY) return undefined;
    throw new CommandError('data_dir', `DATA_DIR ${dataDir} cannot be locked: ${message}`, { cause: error });
  }
};

const isAlive = (pid: number | undefined): boolean => {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
};
