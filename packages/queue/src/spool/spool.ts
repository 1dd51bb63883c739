import { SPOOL_PROBE_BYTES } from '../redis/size-limits.ts';
import { type Appender, createAppender } from './append.ts';
import type { Disk } from './disk.ts';
import { SpoolError } from './errors.ts';
import { makeFolder } from './files.ts';
import { type Growth, watchGrowth } from './growth.ts';
import { finishBatch, readBatch, stopReading } from './read.ts';
import { recover } from './recover.ts';
import { keepRefused } from './set-aside.ts';
import { createState, hasRoomFor, type SpoolBatch, type SpoolNotice, type SpoolState } from './state.ts';
import { type DiskWatch, watchDisk } from './watch-disk.ts';

/*
 * The folder in which callbacks wait while Redis is away.
 *
 *   lock        the folder belongs to one process
 *   recover     takes over what an earlier process left there
 *   append      writes entries, many with one fsync, to segment after segment
 *   read        reads them in order; removes a segment once it is drained
 *   set-aside   keeps what cannot be read, or Redis refuses, for a person
 *   growth      how fast it fills of late
 *   watch-disk  tries a disk that failed until it works
 *
 * All of them work on one state (state.ts). Formats: of a folder files.ts, of a segment record.ts; segment.ts reads
 * one.
 */

export interface SpoolStats {
  /** Callbacks that wait for Redis. */
  readonly records: number;
  /** What their files take. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** By how many bytes a minute it grew in the last 10 minutes; null while it is not open for so long. */
  readonly bytesPerMinute: number | null;
  /** When the oldest of them came, ISO 8601 in UTC; null when none waits. */
  readonly oldestAt: string | null;
  /** Files with damage, or with entries that Redis refused: a person has to look at them. */
  readonly setAside: number;
  /** Why a callback sent now would not be taken; null when it would. */
  readonly refusing: string | null;
}

export interface Spool extends Pick<Appender, 'append'> {
  /** The next entries in order, the same again until `done`; undefined when nothing waits. One caller at a time. */
  read(): Promise<SpoolBatch | undefined>;
  /** The entries of the batch are on stable storage elsewhere. */
  done(batch: SpoolBatch): Promise<void>;
  /** Keeps one entry of a batch in a file of its own, out of the way of the others. */
  setAside(batch: SpoolBatch, index: number, reason: string): Promise<void>;
  stats(): SpoolStats;
  close(): Promise<void>;
}

export interface SpoolOptions {
  /** Made when it is not there. On a disk of this machine: what is acknowledged is only as safe as its `fsync`. */
  readonly dir: string;
  /** What its files may take together. @default 10 GiB */
  readonly maxBytes?: number;
  /** How long one append may take, in ms. @default 800 */
  readonly deadlineMs?: number;
  /** How long the folder may still belong to a receiver that is ending, in ms. @default 12000 */
  readonly patienceMs?: number;
  readonly segmentBytes?: number;
  readonly batchEntries?: number;
  /** Names segments. @default Date.now */
  readonly now?: () => number;
  /** @default that of this machine */
  readonly disk?: Disk;
  readonly onNotice?: (notice: SpoolNotice) => void;
}

/**
 * Opens the folder, and takes over what an earlier receiver left in it.
 * @throws {SpoolError} `spool_in_use`, `spool_unusable`
 */
export const openSpool = async (options: SpoolOptions): Promise<Spool> => {
  const { state, unlock } = await openFolder(options);
  const disk = watchDisk(state);
  const appender = createAppender(state, disk, options.deadlineMs ?? 800);
  const growth = watchGrowth();
  let batch: SpoolBatch | undefined;
  return {
    append: appender.append,
    read: async () => {
      batch ??= await readBatch(state);
      return batch;
    },
    done: async (ended) => {
      batch = undefined;
      await finishBatch(state, ended);
    },
    setAside: (of, index, reason) => keepRefused(state, of, index, reason),
    stats: () => statsOf(state, disk, growth),
    close: async () => {
      disk.stop();
      await appender.close();
      await stopReading(state);
      unlock();
    },
  };
};

const openFolder = async (options: SpoolOptions): Promise<{ state: SpoolState; unlock: () => void }> => {
  const { dir, patienceMs = 12_000 } = options;
  let unlock: (() => void) | undefined;
  try {
    const state = createState(options);
    await makeFolder(state.disk, dir);
    unlock = await state.disk.lock(dir, patienceMs);
    await recover(state);
    return { state, unlock };
  } catch (error) {
    unlock?.();
    if (error instanceof SpoolError) throw error;
    throw new SpoolError(
      'spool_unusable',
      `SPOOL_DIR ${dir} cannot be used: ${(error as Error).message}; make it writable, or set another`,
      { cause: error },
    );
  }
};

const statsOf = (state: SpoolState, disk: DiskWatch, growth: Growth): SpoolStats => {
  const { records, bytes, maxBytes, oldestAt, setAside } = state;
  return {
    records,
    bytes,
    maxBytes,
    bytesPerMinute: growth.perMinute(bytes, performance.now()),
    oldestAt: records === 0 ? null : oldestAt,
    setAside: setAside.size,
    refusing: refusing(state, disk),
  };
};

const refusing = (state: SpoolState, { errorCode }: DiskWatch): string | null => {
  if (errorCode !== undefined) return `the disk under ${state.dir} refuses it: ${errorCode}`;
  return hasRoomFor(state, SPOOL_PROBE_BYTES) ? null : `it is full: ${state.bytes} of ${state.maxBytes} bytes`;
};
