import { readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
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
import { countSetAside } from './set-aside.ts';
import type { SpoolState } from './state.ts';
import { PROBE } from './watch-disk.ts';

/**
 * Takes over what an earlier process left in the folder. Reads unfinished files only, of which there is one at most
 * unless the disk was full, however many callbacks wait in finished ones.
 */
export const recover = async (state: SpoolState): Promise<void> => {
  const { dir } = state;
  await rm(join(dir, PROBE), { force: true });
  const files = await readdir(dir);
  const segments = files.filter(isSegment).sort();
  const positions = new Set(segments.map(positionFile));
  for (const file of files) {
    if (file.endsWith('.position') && !positions.has(file)) await rm(join(dir, file), { force: true });
  }
  for (const segment of segments) await takeOver(state, segment);
  state.lastNumber = segmentNumber(segments.at(-1) ?? '0');
  state.setAside = await countSetAside(dir);
  await syncDirectory(dir);
  state.oldestAt = await readOldest(state);
};

const takeOver = async (state: SpoolState, segment: string): Promise<void> => {
  const path = join(state.dir, segment);
  const reader = await openSegment(path);
  await reader.close();
  let count = reader.records;
  if (count === undefined) {
    const { records, end } = await mendEnd(state, segment);
    if (end === 0) return removeSegment(state.dir, segment);
    count = records;
    await finishSegment(state.dir, segment, end, records).catch(() => {});
  }
  const { size } = await stat(path);
  const { drained } = await readPosition(state.dir, segment);
  state.finished.push({ name: segment, bytes: size });
  state.bytes += size;
  state.records += Math.max(count - drained, 0);
};

/** Counts the records of an unfinished segment, and cuts off its torn end. */
const mendEnd = async (state: SpoolState, segment: string): Promise<{ records: number; end: number }> => {
  const path = join(state.dir, segment);
  const reader = await openSegment(path);
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
    await truncate(path, end);
    state.notice({ kind: 'torn', segment, bytes: tornBytes });
  }
  return { records, end };
};

/** When the oldest callback came; of a damaged one, when its segment was begun. */
const readOldest = async ({ dir, finished: [first] }: SpoolState): Promise<string | null> => {
  if (first === undefined) return null;
  const reader = await openSegment(join(dir, first.name));
  try {
    const found = await reader.find(await reader.startFrom((await readPosition(dir, first.name)).at));
    return found.kind === 'entry' ? found.entry.receivedAt : new Date(segmentNumber(first.name)).toISOString();
  } finally {
    await reader.close();
  }
};
