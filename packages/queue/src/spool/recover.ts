import { join } from 'node:path';
import type { Disk } from './disk.ts';
import {
  finishSegment,
  isSegment,
  positionFile,
  readPosition,
  removeSegment,
  segmentNumber,
  syncDirectory,
} from './files.ts';
import { openSegment } from './segment.ts';
import { listSetAside } from './set-aside.ts';
import type { SpoolState } from './state.ts';
import { PROBE } from './watch-disk.ts';

/**
 * Takes over what an earlier process left in the folder. Reads unfinished files only, of which there is one at most
 * unless the disk was full, however many callbacks wait in finished ones.
 */
export const recover = async (state: SpoolState): Promise<void> => {
  const { disk, dir } = state;
  await disk.remove(join(dir, PROBE));
  const files = await disk.list(dir);
  const segments = files.filter(isSegment).sort();
  const positions = new Set(segments.map(positionFile));
  for (const file of files) {
    if (file.endsWith('.position') && !positions.has(file)) await disk.remove(join(dir, file));
  }
  for (const segment of segments) await takeOver(state, segment);
  for (const file of await listSetAside(state)) state.setAside.add(file);
  // Also when the clock was put back: a file of the same name in set-aside would be written over.
  state.lastNumber = Math.max(0, ...[...segments, ...state.setAside].map((file) => segmentNumber(file) || 0));
  await syncDirectory(disk, dir);
  state.oldestAt = await readOldest(state);
};

const takeOver = async (state: SpoolState, segment: string): Promise<void> => {
  const path = join(state.dir, segment);
  const reader = await openSegment(state.disk, path);
  await reader.close();
  let count = reader.records;
  let recordsEnd: number | undefined;
  if (count === undefined) {
    const { records, end } = await mendEnd(state, segment);
    if (end === 0) return removeSegment(state, segment);
    count = records;
    if (!(await finishSegment(state, segment, end, records))) recordsEnd = end;
  }
  const size = await sizeOf(state.disk, path);
  const { drained } = await readPosition(state, segment);
  state.finished.push({ name: segment, bytes: size, ...(recordsEnd !== undefined && { end: recordsEnd }) });
  state.bytes += size;
  state.records += Math.max(count - drained, 0);
};

/** Counts the records of an unfinished segment, and cuts off its torn end. */
const mendEnd = async (state: SpoolState, segment: string): Promise<{ records: number; end: number }> => {
  const path = join(state.dir, segment);
  const reader = await openSegment(state.disk, path);
  let records = 0;
  let end = 0;
  let tornBytes = 0;
  try {
    for (let found = await reader.find(0); found.kind !== 'end'; found = await reader.find(found.to)) {
      if (found.kind === 'entry') records++;
      if (found.kind === 'torn') tornBytes = found.to - found.from;
      else end = found.to;
    }
  } finally {
    await reader.close();
  }
  if (tornBytes > 0) {
    await cut(state.disk, path, end);
    state.notice({ kind: 'torn', segment, bytes: tornBytes });
  }
  return { records, end };
};

/** When the oldest callback came; of a damaged one, when its segment was begun. */
const readOldest = async (state: SpoolState): Promise<string | null> => {
  const {
    disk,
    dir,
    finished: [first],
  } = state;
  if (first === undefined) return null;
  const reader = await openSegment(disk, join(dir, first.name), first.end);
  try {
    const found = await reader.find(await reader.startFrom((await readPosition(state, first.name)).at));
    return found.kind === 'entry' ? found.entry.receivedAt : new Date(segmentNumber(first.name)).toISOString();
  } finally {
    await reader.close();
  }
};

const sizeOf = async (disk: Disk, path: string): Promise<number> => {
  const file = await disk.open(path, 'r');
  const { size } = await file.stat().finally(() => file.close());
  return size;
};

const cut = async (disk: Disk, path: string, end: number): Promise<void> => {
  const file = await disk.open(path, 'r+');
  await file.truncate(end).finally(() => file.close());
};
