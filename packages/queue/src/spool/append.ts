import { join } from 'node:path';
import { QueueUnavailableError } from '@clickrelay/core';
import { createGroupCommit } from '../redis/group-commit.ts';
import { MAX_SPOOL_PENDING_BYTES, MAX_SPOOL_WRITE_BYTES, MAX_SPOOL_WRITE_ENTRIES } from '../redis/size-limits.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import { finishSegment, removeSegment, segmentName, syncDirectory, writeFully } from './files.ts';
import { encodeEntry, type SpoolEntry } from './record.ts';
import { type ActiveSegment, exclusively, hasRoomFor, type SpoolState } from './state.ts';
import type { DiskWatch } from './watch-disk.ts';

/** An encoded entry. */
interface Appended {
  readonly bytes: Buffer;
  readonly receivedAt: string;
}

export interface Appender {
  /**
   * Resolves when the entry is on disk.
   * @throws {QueueUnavailableError} when it is not, or not known to be
   */
  append(entry: SpoolEntry): Promise<void>;
  /** Takes nothing more; resolves when everything taken so far is written, or was rejected. */
  close(): Promise<void>;
}

/** Entries that come while a write is under way share the next one, and its fsync. */
export const createAppender = (state: SpoolState, disk: DiskWatch, deadlineMs: number): Appender => {
  let isClosed = false;
  const group = createGroupCommit<Appended>({
    maxItems: MAX_SPOOL_WRITE_ENTRIES,
    maxBytes: MAX_SPOOL_WRITE_BYTES,
    sizeOf: ({ bytes }) => bytes.length,
    write: async (appended) => {
      try {
        await writeEntries(state, appended);
      } catch (error) {
        disk.failed(error);
        throw error;
      }
      disk.worked();
    },
  });

  const tooLate = (): Error => {
    disk.failed({ code: 'ETIMEDOUT' });
    return new QueueUnavailableError('Redis is away and the spool did not answer in time; send it again');
  };

  return {
    append: async (entry) => {
      const bytes = encodeEntry(entry);
      assertRoom(state, bytes.length);
      if (isClosed || state.pendingBytes > MAX_SPOOL_PENDING_BYTES) {
        throw new QueueUnavailableError('Redis is away and the spool does not keep up; send it again');
      }
      state.pendingBytes += bytes.length;
      const written = group.add({ bytes, receivedAt: entry.receivedAt }).finally(() => {
        state.pendingBytes -= bytes.length;
      });
      try {
        await withDeadline(written, deadlineMs, { error: tooLate });
      } catch (error) {
        if (error instanceof QueueUnavailableError) throw error;
        throw new QueueUnavailableError('Redis is away and the spool could not be written; send it again', {
          cause: error,
        });
      }
    },
    close: async () => {
      isClosed = true;
      await group.drained();
      await exclusively(state, () => finishActive(state)).catch(() => {});
    },
  };
};

const assertRoom = (state: SpoolState, bytes: number): void => {
  if (hasRoomFor(state, bytes)) return;
  const { maxBytes } = state;
  if (!state.saidFull) state.notice({ kind: 'full', maxBytes });
  state.saidFull = true;
  throw new QueueUnavailableError(
    `Redis is away and the spool is full: it may take ${maxBytes} bytes; bring Redis back, or raise \`SPOOL_MAX_BYTES\``,
  );
};

/** Writes entries to the end of the active segment, which is finished when it is large enough. */
const writeEntries = (state: SpoolState, appended: readonly Appended[]): Promise<void> =>
  exclusively(state, async () => {
    state.active ??= await createSegment(state);
    const segment = state.active;
    const all = Buffer.concat(appended.map(({ bytes }) => bytes));
    try {
      await writeFully(segment.file, all, segment.size);
      await segment.file.datasync();
    } catch (error) {
      await giveUpWrite(state, segment, error);
      throw error;
    }
    segment.size += all.length;
    segment.records += appended.length;
    state.bytes += all.length;
    state.records += appended.length;
    state.oldestAt ??= (appended[0] as Appended).receivedAt;
    if (segment.size >= state.segmentBytes) await finishActive(state);
  });

const createSegment = async (state: SpoolState): Promise<ActiveSegment> => {
  // Never a name that was there before: a position that outlived its segment would skip records.
  state.lastNumber = Math.max(state.lastNumber + 1, state.now());
  const name = segmentName(state.lastNumber);
  const path = join(state.dir, name);
  const file = await state.disk.open(path, 'wx');
  try {
    await syncDirectory(state.disk, state.dir);
  } catch (error) {
    await file.close().catch(() => {});
    await state.disk.remove(path).catch(() => {});
    throw error;
  }
  return { name, file, size: 0, records: 0 };
};

/** After a write that failed: nothing of it may stay behind the records that count. */
const giveUpWrite = async (state: SpoolState, segment: ActiveSegment, error: unknown): Promise<void> => {
  const wasCut = await segment.file.truncate(segment.size).then(
    () => true,
    () => false,
  );
  if (wasCut && isOutOfSpace(error)) return;
  // After a failed fsync nobody knows what of this file is on disk: the next write goes to another.
  state.active = undefined;
  await segment.file.close().catch(() => {});
  if (segment.records > 0) state.finished.push({ name: segment.name, bytes: segment.size, end: segment.size });
  else await removeSegment(state, segment.name).catch(() => {});
};

/** Makes the active segment a finished one, so that it can be read, and the next write begins another. */
export const finishActive = async (state: SpoolState): Promise<void> => {
  if (state.active === undefined) return;
  const { name, file, size, records } = state.active;
  state.active = undefined;
  // Its records are on disk, whatever fails from here.
  await file.close().catch(() => {});
  if (records === 0) return removeSegment(state, name);
  const hasFooter = await finishSegment(state, name, size, records);
  state.finished.push({ name, bytes: size, ...(!hasFooter && { end: size }) });
};

const isOutOfSpace = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '');
