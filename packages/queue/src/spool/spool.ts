import { mkdir, open, readdir, readFile, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QueueUnavailableError } from '@clickrelay/core';
import { createGroupCommit } from '../redis/group-commit.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import { SpoolError } from './errors.ts';
import { lockDirectory } from './lock-directory.ts';
import {
  encodeEntry,
  encodeFooter,
  openSegment,
  type SegmentReader,
  type SpoolEntry,
  writeFully,
} from './spool-segment.ts';

export interface SpoolStats {
  /** Callbacks that wait for Redis. */
  readonly records: number;
  /** What their files take. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** When the oldest of them came, ISO 8601 in UTC; null when none waits. */
  readonly oldestAt: string | null;
  /** Files with what could not be read, or what Redis refused: a person has to look at them. */
  readonly setAside: number;
  /** Why a callback sent now would not be taken; null when it would. */
  readonly refusing: string | null;
}

/** Something about the spool that its operator should know. */
export type SpoolNotice =
  | { readonly kind: 'torn'; readonly segment: string; readonly bytes: number }
  | { readonly kind: 'damaged'; readonly segment: string; readonly bytes: number; readonly keptIn: string }
  | { readonly kind: 'refused'; readonly segment: string; readonly reason: string; readonly keptIn: string }
  | { readonly kind: 'failing'; readonly errorCode: string }
  | { readonly kind: 'full'; readonly maxBytes: number }
  | { readonly kind: 'mended' };

/** Records that are next in order. */
export interface SpoolBatch {
  readonly entries: readonly SpoolEntry[];
  readonly segment: string;
  /** Where each entry begins, and where the batch ends. */
  readonly places: readonly number[];
  readonly end: number;
}

export interface Spool {
  /**
   * Resolves when the entry is on disk.
   * @throws {QueueUnavailableError} when it is not, or not known to be
   */
  append(entry: SpoolEntry): Promise<void>;
  /** The next in order, the same again until `done`; undefined when nothing waits. One caller at a time. */
  read(): Promise<SpoolBatch | undefined>;
  /** Its entries lie elsewhere now, on stable storage. */
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
  readonly onNotice?: (notice: SpoolNotice) => void;
}

const DEFAULT_MAX_BYTES = 10 * 1024 ** 3;
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** One write and its fsync. */
const MAX_WRITE = { items: 1_024, bytes: 4 * 1024 * 1024 };
/** Waiting for the disk, in memory. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** What one job of the queue may hold, see commit.ts. */
const BATCH = { entries: 256, bytes: 256 * 1024 };
const SEGMENT_NAME = /^\d{15}\.spool$/;
/** How often a disk that failed is tried again, in ms, and with how much. */
const MEND_EVERY_MS = 1_000;
const MEND_BYTES = 64 * 1024;

/** A finished file. */
interface Segment {
  readonly name: string;
  /** Where its records end, when it has no footer to say so. */
  readonly end?: number;
  readonly bytes: number;
}

/** The file that is being written. */
interface ActiveSegment {
  readonly name: string;
  readonly file: Awaited<ReturnType<typeof open>>;
  size: number;
  records: number;
}

interface Appended {
  readonly bytes: Buffer;
  readonly receivedAt: string;
}

/**
 * Opens the folder in which callbacks wait while Redis is away, and takes over what an earlier receiver left in it. Costs
 * the reading of one unfinished file, however many callbacks wait in finished ones.
 * @throws {SpoolError} `spool_in_use`, `spool_unusable`
 */
export const openSpool = async (options: SpoolOptions): Promise<Spool> => {
  const { dir, maxBytes = DEFAULT_MAX_BYTES, deadlineMs = 800, segmentBytes = SEGMENT_BYTES } = options;
  const notice = options.onNotice ?? (() => {});
  const asideDir = join(dir, 'set-aside');
  const pathOf = (segment: string): string => join(dir, segment);
  const positionOf = (segment: string): string => join(dir, segment.replace('.spool', '.position'));

  const unlock = await takeDirectory(options);
  const finished: Segment[] = [];
  let active: ActiveSegment | undefined;
  let records = 0;
  let bytes = 0;
  let oldestAt: string | null = null;
  let setAside = 0;
  let lastName = 0;
  let pendingBytes = 0;
  let failing: string | undefined;
  let isFull = false;
  let mending: NodeJS.Timeout | undefined;
  let closed = false;

  // -- what is there already ------------------------------------------------------------------------------------

  const readPosition = async (segment: string): Promise<{ at: number; drained: number }> => {
    const text = await readFile(positionOf(segment), 'utf8').catch(() => '');
    const [, at = 0, drained = 0] = (/^(\d+) (\d+)\s*$/.exec(text) ?? []).map(Number);
    return { at, drained };
  };

  /** Counts the records of a file that was not finished, cuts its torn end off, and finishes it. */
  const recover = async (name: string): Promise<{ count: number; end: number }> => {
    const reader = await openSegment(pathOf(name));
    let count = 0;
    let end = 0;
    let torn: { from: number; to: number } | undefined;
    try {
      for (;;) {
        const found = await reader.next();
        if (found.kind === 'end') break;
        if (found.kind === 'entry') count++;
        if (found.kind === 'torn') torn = found;
        else end = found.to;
      }
    } finally {
      await reader.close();
    }
    if (torn !== undefined) {
      await truncate(pathOf(name), end);
      notice({ kind: 'torn', segment: name, bytes: torn.to - torn.from });
    }
    return { count, end };
  };

  const takeOver = async (name: string): Promise<void> => {
    const reader = await openSegment(pathOf(name));
    let count = reader.records;
    await reader.close();
    if (count === undefined) {
      const recovered = await recover(name);
      count = recovered.count;
      if (recovered.end === 0) return removeSegment(name);
      await finish(name, recovered.end, count).catch(() => {});
    }
    const { size } = await stat(pathOf(name));
    const { drained } = await readPosition(name);
    finished.push({ name, bytes: size });
    bytes += size;
    records += Math.max(count - drained, 0);
  };

  const removeSegment = async (name: string): Promise<void> => {
    await unlink(pathOf(name));
    await rm(positionOf(name), { force: true });
  };

  /** Writes the footer, which is only there to spare the next start the reading. */
  const finish = async (name: string, end: number, count: number): Promise<void> => {
    const file = await open(pathOf(name), 'r+');
    try {
      await writeFully(file, encodeFooter(count), end);
      await file.datasync();
    } catch (error) {
      await file.truncate(end).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
  };

  try {
    await rm(join(dir, 'probe'), { force: true });
    const files = await readdir(dir);
    const segments = files.filter((file) => SEGMENT_NAME.test(file)).sort();
    for (const file of files) {
      if (!file.endsWith('.position') || segments.includes(file.replace('.position', '.spool'))) continue;
      await rm(join(dir, file), { force: true });
    }
    for (const name of segments) await takeOver(name);
    lastName = Number.parseInt(segments.at(-1) ?? '0', 10);
    setAside = (await readdir(asideDir).catch(() => [])).length;
    await syncDirectory(dir);
  } catch (error) {
    unlock();
    throw unusable(dir, error);
  }

  // -- writing --------------------------------------------------------------------------------------------------

  /** One change of the files at a time. */
  let last: Promise<unknown> = Promise.resolve();
  const exclusively = <T>(change: () => Promise<T>): Promise<T> => {
    const mine = last.then(change);
    last = mine.catch(() => {});
    return mine;
  };

  const createSegment = async (): Promise<ActiveSegment> => {
    // Never a name that was there before: a position that outlived its segment would skip records.
    lastName = Math.max(lastName + 1, Date.now());
    const name = `${String(lastName).padStart(15, '0')}.spool`;
    const file = await open(pathOf(name), 'wx', 0o600);
    try {
      await syncDirectory(dir);
    } catch (error) {
      await file.close().catch(() => {});
      await unlink(pathOf(name)).catch(() => {});
      throw error;
    }
    return { name, file, size: 0, records: 0 };
  };

  const finishActive = async (): Promise<void> => {
    if (active === undefined) return;
    const { name, file, size, records: count } = active;
    active = undefined;
    await file.close();
    if (count === 0) return removeSegment(name);
    const hasFooter = await finish(name, size, count).then(
      () => true,
      () => false,
    );
    finished.push({ name, bytes: size, ...(!hasFooter && { end: size }) });
  };

  const write = (appended: readonly Appended[]): Promise<void> =>
    exclusively(async () => {
      const segment = active ?? (await createSegment());
      active = segment;
      const all = Buffer.concat(appended.map((one) => one.bytes));
      try {
        await writeFully(segment.file, all, segment.size);
        await segment.file.datasync();
      } catch (error) {
        await giveUpWrite(segment, error);
        throw error;
      }
      segment.size += all.length;
      segment.records += appended.length;
      bytes += all.length;
      records += appended.length;
      oldestAt ??= (appended[0] as Appended).receivedAt;
      if (segment.size >= segmentBytes) await finishActive();
    });

  const giveUpWrite = async (segment: ActiveSegment, error: unknown): Promise<void> => {
    const wasCut = await segment.file.truncate(segment.size).then(
      () => true,
      () => false,
    );
    if (wasCut && isOutOfSpace(error)) return;
    // After an fsync that failed nobody knows what of this file is on disk: what comes next goes into another.
    active = undefined;
    await segment.file.close().catch(() => {});
    if (segment.records > 0) finished.push({ name: segment.name, bytes: segment.size, end: segment.size });
    else await removeSegment(segment.name).catch(() => {});
  };

  const noteFailure = (error: unknown): void => {
    const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
    if (failing === undefined) notice({ kind: 'failing', errorCode: code });
    failing = code;
    if (!closed) mending ??= setTimeout(mend, MEND_EVERY_MS).unref();
  };

  /** Tries the disk, because nobody may send anything to a receiver that says it is not ready. */
  const mend = async (): Promise<void> => {
    mending = undefined;
    const path = join(dir, 'probe');
    try {
      await writeFile(path, Buffer.alloc(MEND_BYTES), { flush: true });
      await unlink(path);
      noteSuccess();
    } catch (error) {
      await unlink(path).catch(() => {});
      noteFailure(error);
    }
  };

  const noteSuccess = (): void => {
    if (failing !== undefined) notice({ kind: 'mended' });
    failing = undefined;
  };

  const group = createGroupCommit<Appended>({
    maxItems: MAX_WRITE.items,
    maxBytes: MAX_WRITE.bytes,
    sizeOf: (appended) => appended.bytes.length,
    write: (appended) => write(appended).then(noteSuccess, (error) => fail(noteFailure, error)),
  });

  const isFullWith = (more: number): boolean => bytes + pendingBytes + more > maxBytes;

  // -- reading --------------------------------------------------------------------------------------------------

  let reader: SegmentReader | undefined;
  let readerAt = 0;
  let drainedOfFirst = 0;
  let batch: SpoolBatch | undefined;

  const openFirst = async (): Promise<Segment | undefined> => {
    if (finished.length === 0 && active !== undefined && active.records > 0) await exclusively(finishActive);
    const first = finished[0];
    if (first === undefined || reader !== undefined) return first;
    const { at, drained } = await readPosition(first.name);
    drainedOfFirst = drained;
    reader = await openSegment(pathOf(first.name), at, first.end);
    return first;
  };

  const closeFirst = async (): Promise<void> => {
    const first = finished[0] as Segment;
    await reader?.close();
    reader = undefined;
    await removeSegment(first.name);
    finished.shift();
    bytes -= first.bytes;
    isFull = false;
  };

  const keepDamaged = async (segment: string, from: number, to: number): Promise<void> => {
    const file = `${segment.replace('.spool', '')}-${from}.damaged`;
    await keepAside(file, (reader as SegmentReader).copy(from, to));
    notice({ kind: 'damaged', segment, bytes: to - from, keptIn: join(asideDir, file) });
  };

  const keepAside = async (name: string, content: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> => {
    await mkdir(asideDir, { recursive: true, mode: 0o700 });
    const path = join(asideDir, name);
    const isNew = await stat(path).then(
      () => false,
      () => true,
    );
    await writeFile(path, content, { mode: 0o600, flush: true });
    await syncDirectory(asideDir);
    if (isNew) setAside++;
  };

  const readBatch = async (): Promise<SpoolBatch | undefined> => {
    for (;;) {
      const segment = await openFirst();
      if (segment === undefined) {
        if (active !== undefined && active.records > 0) continue;
        // What was counted but could not be read is set aside by now.
        records = 0;
        bytes = 0;
        oldestAt = null;
        return undefined;
      }
      const entries: SpoolEntry[] = [];
      const places: number[] = [];
      let size = 0;
      let ended = false;
      while (entries.length < BATCH.entries && size < BATCH.bytes && !ended) {
        const found = await (reader as SegmentReader).next();
        readerAt = found.kind === 'end' ? found.from : found.to;
        if (found.kind === 'end') ended = true;
        else if (found.kind !== 'entry') {
          try {
            await keepDamaged(segment.name, found.from, found.to);
          } catch (error) {
            // Read again from the last position: what stands before the damage was given to nobody.
            await reader?.close();
            reader = undefined;
            throw error;
          }
        } else {
          entries.push(found.entry);
          places.push(found.from);
          size += found.to - found.from;
        }
      }
      if (entries.length > 0) return { entries, places, segment: segment.name, end: readerAt };
      await closeFirst();
    }
  };

  if (finished[0] !== undefined) {
    const { at } = await readPosition(finished[0].name);
    const first = await openSegment(pathOf(finished[0].name), at);
    const found = await first.next().finally(() => first.close());
    // Of a damaged one nobody can tell; its segment is named after the time it was begun.
    oldestAt =
      found.kind === 'entry' ? found.entry.receivedAt : new Date(Number.parseInt(finished[0].name, 10)).toISOString();
  }

  return {
    append: (entry) => {
      const encoded = encodeEntry(entry);
      if (isFullWith(encoded.length)) {
        if (!isFull) notice({ kind: 'full', maxBytes });
        isFull = true;
        return Promise.reject(
          new QueueUnavailableError(
            `Redis is away and the spool is full: it may take ${maxBytes} bytes; bring Redis back, or raise \`SPOOL_MAX_BYTES\``,
          ),
        );
      }
      if (closed || pendingBytes > MAX_PENDING_BYTES) {
        return Promise.reject(new QueueUnavailableError('Redis is away and the spool does not keep up; send it again'));
      }
      pendingBytes += encoded.length;
      const written = group.add({ bytes: encoded, receivedAt: entry.receivedAt }).finally(() => {
        pendingBytes -= encoded.length;
      });
      return withDeadline(written, deadlineMs, {
        error: () => {
          const late = new QueueUnavailableError('Redis is away and the spool did not answer in time; send it again');
          noteFailure(Object.assign(new Error(), { code: 'ETIMEDOUT' }));
          return late;
        },
      }).catch((error) => {
        if (error instanceof QueueUnavailableError) throw error;
        throw new QueueUnavailableError('Redis is away and the spool could not be written; send it again', {
          cause: error,
        });
      });
    },
    read: async () => {
      batch ??= await readBatch();
      return batch;
    },
    done: async (ended) => {
      batch = undefined;
      drainedOfFirst += ended.entries.length;
      records -= ended.entries.length;
      oldestAt = records > 0 ? (ended.entries.at(-1)?.receivedAt ?? oldestAt) : null;
      // Not synced, and lost without harm: what is drained twice has the same ids.
      await writeFile(positionOf(ended.segment), `${ended.end} ${drainedOfFirst}\n`).catch(() => {});
    },
    setAside: async ({ segment, entries, places }, index, reason) => {
      const file = `${segment.replace('.spool', '')}-${places[index]}.refused`;
      await keepAside(file, [encodeEntry(entries[index] as SpoolEntry), encodeFooter(1)]);
      notice({ kind: 'refused', segment, reason, keptIn: join(asideDir, file) });
    },
    stats: () => ({
      records,
      bytes,
      maxBytes,
      oldestAt: records === 0 ? null : oldestAt,
      setAside,
      refusing:
        failing !== undefined
          ? `the disk refuses it: ${failing}`
          : isFullWith(MEND_BYTES)
            ? `it is full: ${bytes} of ${maxBytes} bytes`
            : null,
    }),
    close: async () => {
      closed = true;
      clearTimeout(mending);
      await group.drained();
      await exclusively(finishActive).catch(() => {});
      await reader?.close();
      unlock();
    },
  };
};

const takeDirectory = async ({ dir, patienceMs = 12_000 }: SpoolOptions): Promise<() => void> => {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const deadline = performance.now() + patienceMs; ; await sleep(100)) {
      const unlock = lockDirectory(dir);
      if (unlock !== undefined) return unlock;
      if (performance.now() > deadline) break;
    }
  } catch (error) {
    throw unusable(dir, error);
  }
  throw new SpoolError(
    'spool_in_use',
    `SPOOL_DIR ${dir} belongs to another receiver that runs; give each receiver a folder of its own`,
  );
};

const unusable = (dir: string, error: unknown): SpoolError =>
  new SpoolError(
    'spool_unusable',
    `SPOOL_DIR ${dir} cannot be used: ${(error as Error).message}; make it writable, or set another`,
    { cause: error },
  );

/** A file is there for certain when its folder has been synced too. */
const syncDirectory = async (dir: string): Promise<void> => {
  const handle = await open(dir, 'r');
  await handle.sync().finally(() => handle.close());
};

const isOutOfSpace = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '');

const fail = (note: (error: unknown) => void, error: unknown): never => {
  note(error);
  throw error;
};
