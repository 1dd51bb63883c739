import { join } from 'node:path';
import { MAX_GROUP_CALLBACKS, MAX_GROUP_LENGTH } from '../redis/size-limits.ts';
import { finishActive } from './append.ts';
import { readPosition, removeSegment, writePosition } from './files.ts';
import type { SpoolEntry } from './record.ts';
import { openSegment } from './segment.ts';
import { keepDamaged } from './set-aside.ts';
import { exclusively, type Reading, type SpoolBatch, type SpoolState } from './state.ts';

/**
 * Reads the next entries, and sets aside the damage between them. Returns undefined when nothing waits. The position
 * does not move before `finishBatch`: when this fails, the next call finds the same entries.
 */
export const readBatch = async (state: SpoolState): Promise<SpoolBatch | undefined> => {
  for (;;) {
    const reading = await openOldest(state);
    if (reading === undefined) {
      if (hasActiveRecords(state)) continue;
      // Everything that was counted and could not be read is set aside by now.
      Object.assign(state, { records: 0, bytes: 0, oldestAt: null });
      return undefined;
    }
    const batch = await readFrom(state, reading);
    if (batch.entries.length > 0) return batch;
    await removeOldest(state, reading);
  }
};

/** Moves the position past a batch: its entries are on stable storage elsewhere. */
export const finishBatch = async (state: SpoolState, { entries, segment, end }: SpoolBatch): Promise<void> => {
  state.records -= entries.length;
  state.oldestAt = state.records > 0 ? (entries.at(-1)?.receivedAt ?? state.oldestAt) : null;
  const { reading } = state;
  if (reading === undefined) return;
  reading.at = end;
  reading.drained += entries.length;
  await writePosition(state.dir, segment, reading);
};

const hasActiveRecords = ({ active }: SpoolState): boolean => active !== undefined && active.records > 0;

/** The oldest segment; finishes the active one when there is no other. */
const openOldest = async (state: SpoolState): Promise<Reading | undefined> => {
  if (state.reading !== undefined) return state.reading;
  if (state.finished.length === 0 && hasActiveRecords(state)) await exclusively(state, () => finishActive(state));
  const [segment] = state.finished;
  if (segment === undefined) return undefined;
  const { at, drained } = await readPosition(state.dir, segment.name);
  const reader = await openSegment(join(state.dir, segment.name), segment.end);
  try {
    state.reading = { segment, reader, at: await reader.startFrom(at), drained };
  } catch (error) {
    await reader.close();
    throw error;
  }
  return state.reading;
};

const readFrom = async (state: SpoolState, { segment, reader, at }: Reading): Promise<SpoolBatch> => {
  const entries: SpoolEntry[] = [];
  const places: number[] = [];
  let size = 0;
  let end = at;
  while (entries.length < MAX_GROUP_CALLBACKS && size < MAX_GROUP_LENGTH) {
    const found = await reader.find(end);
    if (found.kind === 'end') break;
    if (found.kind === 'entry') {
      entries.push(found.entry);
      places.push(found.from);
      size += found.to - found.from;
    } else await keepDamaged(state, segment.name, found, reader);
    end = found.to;
  }
  return { entries, segment: segment.name, places, end };
};

/** Removes the oldest segment, which holds nothing more. */
const removeOldest = async (state: SpoolState, { segment, reader }: Reading): Promise<void> => {
  await reader.close();
  state.reading = undefined;
  await removeSegment(state.dir, segment.name);
  state.finished.shift();
  state.bytes -= segment.bytes;
  state.saidFull = false;
};
