import { type FileHandle, open, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeFooter } from './record.ts';

/*
 * The files in the folder of a spool:
 *
 *   <number>.spool      a segment: callbacks in the order in which they came. The number is the time it was begun
 *   <number>.position   how far that segment is drained
 *   set-aside/          what a person has to look at
 *   lock                held by the process that the folder belongs to
 */

const SEGMENT_NAME = /^\d{15}\.spool$/;

export const segmentName = (number: number): string => `${String(number).padStart(15, '0')}.spool`;
export const segmentNumber = (segment: string): number => Number.parseInt(segment, 10);
export const isSegment = (file: string): boolean => SEGMENT_NAME.test(file);
export const positionFile = (segment: string): string => segment.replace('.spool', '.position');

export const removeSegment = async (dir: string, segment: string): Promise<void> => {
  await unlink(join(dir, segment));
  await rm(join(dir, positionFile(segment)), { force: true });
};

/** Writes the footer. It only saves the next start the reading. */
export const finishSegment = async (dir: string, segment: string, end: number, records: number): Promise<void> => {
  const file = await open(join(dir, segment), 'r+');
  try {
    await writeFully(file, encodeFooter(records), end);
    await file.datasync();
  } catch (error) {
    await file.truncate(end).catch(() => {});
    throw error;
  } finally {
    await file.close();
  }
};

/** How far a segment is drained. */
export interface Position {
  readonly at: number;
  /** How many entries stood before that place. */
  readonly drained: number;
}

export const readPosition = async (dir: string, segment: string): Promise<Position> => {
  const text = await readFile(join(dir, positionFile(segment)), 'utf8').catch(() => '');
  const [, at = 0, drained = 0] = (/^(\d+) (\d+)\s*$/.exec(text) ?? []).map(Number);
  return { at, drained };
};

/** Not synced, and lost without harm: an entry that is drained twice has the same ids. */
export const writePosition = async (dir: string, segment: string, { at, drained }: Position): Promise<void> => {
  await writeFile(join(dir, positionFile(segment)), `${at} ${drained}\n`).catch(() => {});
};

/** A file is there for certain only when its folder is synced too. */
export const syncDirectory = async (dir: string): Promise<void> => {
  const handle = await open(dir, 'r');
  await handle.sync().finally(() => handle.close());
};

/** A write may take less than it was given, on a disk that is about to be full. */
export const writeFully = async (file: FileHandle, bytes: Uint8Array, at: number): Promise<void> => {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
};
