import { join } from 'node:path';
import { MAX_GROUP_LENGTH } from '../redis/size-limits.ts';
import { finishActive } from './append.ts';
import { readPosition, removeSegment, writePosition } from './files.ts';
import type { SpoolEntry } from './record.ts';
import { openSegment } from './segment.ts';
import { keepDamaged } from './set-aside.ts';
import { exclusively, type Reading, type Segment, type SpoolBatch, type SpoolState } from './state.ts';

/**
 * Reads the next entries, and sets aside the damage between them. Returns undefined when nothing waits. The position
 * does not move before `finishBatch`. A segment that cannot be read, set aside or removed stays, holds up no other, and
 * is tried again when the others are drained.
 */
export const readBatch = async (state: SpoolState): Promise<SpoolBatch | undefined> => {
  const failed = new Set<Segment>();
  let lastError: unknown;
  const next = (): Segment | undefined => state.finished.find((segment) => !failed.has(segment));
  for (;;) {
    if (next() === undefined && (await isEmpty(state))) return undefined;
    const segment = next();
    if (segment === undefined) throw lastError;
    try {
      segment.reading ??= await startReading(state, segment);
      const batch = await readFrom(state, segment, segment.reading);
      if (batch.entries.length > 0) return batch;
      await removeDrained(state, segment, segment.reading);
    } catch (error) {
      lastError = error;
      failed.add(segment);
      tellOf(state, segment, error);
      state.finished.push(...state.finished.splice(state.finished.indexOf(segment), 1));
    }
  }
};

/** Moves the position past a batch: its entries are on stable storage elsewhere. */
export const finishBatch = async (state: SpoolState, { entries, segment, end }: SpoolBatch): Promise<void> => {
  // Those that were counted may be fewer: an entry is drained again when a position was lost.
  state.records = Math.max(state.records - entries.length, 0);
  state.oldestAt = state.records > 0 ? (entries.at(-1)?.receivedAt ?? state.oldestAt) : null;
  const reading = state.finished.find(({ name }) => name === segment)?.reading;
  if (reading === undefined) return;
  reading.at = end;
  reading.drained += entries.length;
  await writePosition(state, segment, reading);
};

/** Says once for each segment that it stays, and why. */
const tellOf = ({ notice }: SpoolState, segment: Segment, error: unknown): void => {
  if (segment.isTold) return;
  segment.isTold = true;
  notice({ kind: 'stuck', segment: segment.name, errorCode: (error as NodeJS.ErrnoException).code ?? 'UNKNOWN' });
};

/** Lets go of the segments. Each is read from its position when it is read again. */
export const stopReading = async ({ finished }: SpoolState): Promise<void> => {
  await Promise.allSettled(finished.map(({ reading }) => reading?.reader.close()));
};

/**
 * Finishes the active segment, and says whether nothing waits at all. Not beside another change of the files: between
 * active and finished, a segment is neither.
 */
const isEmpty = (state: SpoolState): Promise<boolean> =>
  exclusively(state, async () => {
    if (state.active !== undefined && state.active.records > 0) await finishActive(state);
    if (state.finished.length > 0) return false;
    // Everything that was counted and could not be read is set aside by now.
    Object.assign(state, { records: 0, bytes: 0, oldestAt: null });
    return true;
  });

const startReading = async (state: SpoolState, { name, end }: Segment): Promise<Reading> => {
  const { at, drained } = await readPosition(state, name);
  const reader = await openSegment(state.disk, join(state.dir, name), end);
  try {
    return { reader, at: await reader.startFrom(at), drained };
  } catch (error) {
    await reader.close();
    throw error;
  }
};

const readFrom = async (state: SpoolState, { name }: Segment, { reader, at }: Reading): Promise<SpoolBatch> => {
  const entries: SpoolEntry[] = [];
  const places: number[] = [];
  let size = 0;
  let end = at;
  try {
    while (entries.length < state.batchEntries && size < MAX_GROUP_LENGTH) {
      const found = await reader.find(end);
      if (found.kind === 'end') break;
      if (found.kind === 'entry') {
        entries.push(found.entry);
        places.push(found.from);
        size += found.to - found.from;
      } else await keepDamaged(state, name, found, reader);
      end = found.to;
    }
  } catch (error) {
    // First what stands before it: the next batch begins at the place that failed.
    if (entries.length === 0) throw error;
  }
  return { entries, segment: name, places, end };
};

/** Removes a segment that holds nothing more. When that fails it is still known where it ends. */
const removeDrained = async (state: SpoolState, segment: Segment, { reader }: Reading): Promise<void> => {
  await removeSegment(state, segment.name);
  state.finished.splice(state.finished.indexOf(segment), 1);
  state.bytes -= segment.bytes;
  state.saidFull = false;
  await reader.close().catch(() => {});
};
