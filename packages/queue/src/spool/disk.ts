import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { takeFolder } from './lock.ts';

/** An open file, or a folder that is opened to be synced. Each call is one of `FileHandle`. */
export interface DiskFile {
  read(into: Buffer, offset: number, length: number, at: number): Promise<{ readonly bytesRead: number }>;
  /** May take less than it was given, on a disk that is about to be full. */
  write(bytes: Uint8Array, offset: number, length: number, at: number): Promise<{ readonly bytesWritten: number }>;
  stat(): Promise<{ readonly size: number }>;
  truncate(size: number): Promise<void>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** All that the spool asks of a disk. Tests give it one that breaks: test/simulated-disk.ts. */
export interface Disk {
  /** Makes a folder, and those above it that are missing. Resolves to the first one made, if any. */
  makeFolder(path: string): Promise<string | undefined>;
  /** Takes a folder for this process alone. Resolves to how to let go. */
  lock(dir: string, patienceMs: number): Promise<() => void>;
  list(path: string): Promise<string[]>;
  open(path: string, flags: 'r' | 'r+' | 'w' | 'wx'): Promise<DiskFile>;
  /** Removes a file, if it is there. */
  remove(path: string): Promise<void>;
}

export const realDisk: Disk = {
  makeFolder: (path) => mkdir(path, { recursive: true, mode: 0o700 }),
  lock: takeFolder,
  list: (path) => readdir(path),
  open: (path, flags) => open(path, flags, 0o600),
  remove: (path) => rm(path, { force: true }),
};
