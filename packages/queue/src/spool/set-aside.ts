import { join } from 'node:path';
import { type Folder, makeFolder, syncDirectory, writeFile } from './files.ts';
import { encodeEntry, encodeFooter, type SpoolEntry } from './record.ts';
import type { SegmentReader } from './segment.ts';
import type { SpoolBatch, SpoolState } from './state.ts';

const FOLDER = 'set-aside';

export const listSetAside = ({ disk, dir }: Folder): Promise<string[]> =>
  disk.list(join(dir, FOLDER)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });

/** Keeps bytes of a segment that cannot be read as records. */
export const keepDamaged = async (
  state: SpoolState,
  segment: string,
  { from, to }: { from: number; to: number },
  reader: SegmentReader,
): Promise<void> => {
  const keptIn = await keep(state, `${baseOf(segment)}-${from}.damaged`, reader.copy(from, to));
  state.notice({ kind: 'damaged', segment, bytes: to - from, keptIn });
};

/** Keeps an entry that Redis refuses, as a segment of its own: back in the folder it is spooled again. */
export const keepRefused = async (
  state: SpoolState,
  { segment, entries, places }: SpoolBatch,
  index: number,
  reason: string,
): Promise<void> => {
  const content = [encodeEntry(entries[index] as SpoolEntry), encodeFooter(1)];
  const keptIn = await keep(state, `${baseOf(segment)}-${places[index]}.refused`, content);
  state.notice({ kind: 'refused', segment, reason, keptIn });
};

const baseOf = (segment: string): string => segment.replace('.spool', '');

/** @returns the path of the file */
const keep = async (
  state: SpoolState,
  name: string,
  content: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<string> => {
  const { disk } = state;
  const folder = join(state.dir, FOLDER);
  await makeFolder(disk, folder);
  const path = join(folder, name);
  await writeFile(disk, path, content, { flush: true });
  await syncDirectory(disk, folder);
  state.setAside.add(name);
  return path;
};
