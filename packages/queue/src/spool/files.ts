import { dirname, join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Disk, DiskFile } from './disk.ts';
import { encodeFooter } from './record.ts';

/*
 * The files in the folder of a spool:
 *
 *   <number>.spool      a segment: callbacks in the order in which they came. The number is the time it was begun
 *   <number>.position   how far that segment is drained, with a check sum
 *   set-aside/          what a person has to look at
 *   lock                held by the process that the folder belongs to
 */

/** Where the files are. */
export interface Folder {
  readonly disk: Disk;
  readonly dir: string;
}

const SEGMENT_NAME = /^\d{15}\.spool$/;

export const segmentName = (number: number): string => `${String(number).padStart(15, '0')}.spool`;
export const segmentNumber = (segment: string): number => Number.parseInt(segment, 10);
export const isSegment = (file: string): boolean => SEGMENT_NAME.test(file);
export const positionFile = (segment: string): string => segment.replace('.spool', '.position');

export const removeSegment = async ({ disk, dir }: Folder, segment: string): Promise<void> => {
  await disk.remove(join(dir, segment));
  // The next start removes a position without a segment.
  await disk.remove(join(dir, positionFile(segment))).catch(() => {});
};

/**
 * Writes the footer. It only saves the next start the reading.
 * @returns whether it is there
 */
export const finishSegment = async (
  { disk, dir }: Folder,
  segment: string,
  end: number,
  records: number,
): Promise<boolean> => {
  const file = await disk.open(join(dir, segment), 'r+').catch(() => undefined);
  try {
    if (file === undefined) return false;
    await writeFully(file, encodeFooter(records), end);
    await file.datasync();
    return true;
  } catch {
    await file?.truncate(end).catch(() => {});
    return false;
  } finally {
    await file?.close().catch(() => {});
  }
};

/** How far a segment is drained. */
export interface Position {
  readonly at: number;
  /** How many entries stood before that place. */
  readonly drained: number;
}

export const readPosition = async ({ disk, dir }: Folder, segment: string): Promise<Position> => {
  const text = await readText(disk, join(dir, positionFile(segment))).catch(() => '');
  const [, counts = '', at, drained, sum] = /^((\d+) (\d+)) (\d+)\n$/.exec(text) ?? [];
  // A wrong one that hits the beginning of a record would skip those before it.
  return Number(sum) === crc32(counts) ? { at: Number(at), drained: Number(drained) } : { at: 0, drained: 0 };
};

/** Not synced, and lost without harm: an entry that is drained twice has the same ids. */
export const writePosition = async (
  { disk, dir }: Folder,
  segment: string,
  { at, drained }: Position,
): Promise<void> => {
  const counts = `${at} ${drained}`;
  const line = Buffer.from(`${counts} ${crc32(counts)}\n`);
  await writeFile(disk, join(dir, positionFile(segment)), [line]).catch(() => {});
};

const readText = async (disk: Disk, path: string): Promise<string> => {
  const file = await disk.open(path, 'r');
  try {
    const bytes = Buffer.alloc((await file.stat()).size);
    return bytes.toString('utf8', 0, await readFully(file, bytes, 0));
  } finally {
    await file.close();
  }
};

/** Writes a file anew. */
export const writeFile = async (
  disk: Disk,
  path: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { flush = false } = {},
): Promise<void> => {
  const file = await disk.open(path, 'w');
  try {
    let at = 0;
    for await (const bytes of content) {
      await writeFully(file, bytes, at);
      at += bytes.length;
    }
    if (flush) await file.sync();
  } finally {
    await file.close();
  }
};

/** A file is there for certain only when its folder is synced too. */
export const syncDirectory = async (disk: Disk, dir: string): Promise<void> => {
  const handle = await disk.open(dir, 'r');
  await handle.sync().finally(() => handle.close());
};

/** Makes a folder, and those above it that are missing. All of them are there for certain. */
export const makeFolder = async (disk: Disk, path: string): Promise<void> => {
  const first = resolve((await disk.makeFolder(path)) ?? path);
  // The one above is synced even when the folder was there: its process may have died before it could do so.
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    await syncDirectory(disk, dirname(folder)).catch(ignoreUnreadable);
    if (folder === first || folder === dirname(folder)) return;
  }
};

/** A folder may be made where none may be listed, nor synced. */
const ignoreUnreadable = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EACCES' && error.code !== 'EPERM') throw error;
};

/** A write may take less than it was given, on a disk that is about to be full. */
export const writeFully = async (file: DiskFile, bytes: Uint8Array, at: number): Promise<void> => {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
};

/** @returns how many bytes there were */
export const readFully = async (file: DiskFile, into: Buffer, at: number): Promise<number> => {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
};
