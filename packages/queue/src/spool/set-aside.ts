import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from './files.ts';
import { encodeEntry, encodeFooter, type SpoolEntry } from './record.ts';
import type { SegmentReader } from './segment.ts';
import type { SpoolBatch, SpoolState } from './state.ts';

const FOLDER = 'set-aside';

export const countSetAside = async (dir: string): Promise<number> =>
  (await readdir(join(dir, FOLDER)).catch(() => [])).length;

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
  const folder = join(state.dir, FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  const isNew = await stat(path).then(
    () => false,
    () => true,
  );
  await writeFile(path, content, { mode: 0o600, flush: true });
  await syncDirectory(folder);
  if (isNew) state.setAside++;
  return path;
};
