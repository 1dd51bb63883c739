import { DEFAULT_SPOOL_BYTES, MAX_GROUP_CALLBACKS, SPOOL_SEGMENT_BYTES } from '../redis/size-limits.ts';
import { type Disk, type DiskFile, realDisk } from './disk.ts';
import type { Folder } from './files.ts';
import type { SpoolEntry } from './record.ts';
import type { SegmentReader } from './segment.ts';

/** Something about the spool that its operator should know. */
export type SpoolNotice =
  | { readonly kind: 'torn'; readonly segment: string; readonly bytes: number }
  | { readonly kind: 'damaged'; readonly segment: string; readonly bytes: number; readonly keptIn: string }
  | { readonly kind: 'refused'; readonly segment: string; readonly reason: string; readonly keptIn: string }
  | { readonly kind: 'stuck'; readonly segment: string; readonly errorCode: string }
  | { readonly kind: 'failing'; readonly errorCode: string }
  | { readonly kind: 'full'; readonly maxBytes: number }
  | { readonly kind: 'mended' };

/** A finished file. */
export interface Segment {
  readonly name: string;
  readonly bytes: number;
  /** Where its records end, when it has no footer to say so. */
  readonly end?: number;
  /** While it is read. */
  reading?: Reading;
  /** The operator knows that it cannot be read, set aside or removed. */
  isTold?: boolean;
}

/** The file that is being written. */
export interface ActiveSegment {
  readonly name: string;
  readonly file: DiskFile;
  size: number;
  records: number;
}

/** How far a segment is read. */
export interface Reading {
  readonly reader: SegmentReader;
  /** Everything before this place is dealt with. */
  at: number;
  /** How many entries stood before it. */
  drained: number;
}

/** Entries that are next in order. */
export interface SpoolBatch {
  readonly entries: readonly SpoolEntry[];
  readonly segment: string;
  /** Where each entry begins, and where the batch ends. */
  readonly places: readonly number[];
  readonly end: number;
}

/** What an open spool knows of its folder. Only functions of this room change it. */
export interface SpoolState extends Folder {
  readonly maxBytes: number;
  readonly segmentBytes: number;
  /** How many entries one batch may hold. */
  readonly batchEntries: number;
  readonly now: () => number;
  readonly notice: (notice: SpoolNotice) => void;
  /** Oldest first. */
  readonly finished: Segment[];
  active: ActiveSegment | undefined;
  /** Number in the name of the last segment. */
  lastNumber: number;
  /** Callbacks that wait. */
  records: number;
  /** What their files take. */
  bytes: number;
  /** When the oldest of them came, about; null when none waits. */
  oldestAt: string | null;
  /** Files in `set-aside`: those that were there, and those that are whole. */
  readonly setAside: Set<string>;
  /** Encoded, and on the way to the disk. */
  pendingBytes: number;
  /** Since the spool was told to be full, no segment was removed. */
  saidFull: boolean;
  /** Settles when the last change of the files does. */
  lastChange: Promise<unknown>;
}

export const createState = ({
  dir,
  disk = realDisk,
  maxBytes = DEFAULT_SPOOL_BYTES,
  segmentBytes = SPOOL_SEGMENT_BYTES,
  batchEntries = MAX_GROUP_CALLBACKS,
  now = Date.now,
  onNotice = () => {},
}: {
  readonly dir: string;
  readonly disk?: Disk;
  readonly maxBytes?: number;
  readonly segmentBytes?: number;
  readonly batchEntries?: number;
  readonly now?: () => number;
  readonly onNotice?: (notice: SpoolNotice) => void;
}): SpoolState => ({
  disk,
  dir,
  maxBytes,
  segmentBytes,
  batchEntries,
  now,
  notice: onNotice,
  finished: [],
  active: undefined,
  lastNumber: 0,
  records: 0,
  bytes: 0,
  oldestAt: null,
  setAside: new Set(),
  pendingBytes: 0,
  saidFull: false,
  lastChange: Promise.resolve(),
});

export const hasRoomFor = ({ bytes, pendingBytes, maxBytes }: SpoolState, more: number): boolean =>
  bytes + pendingBytes + more <= maxBytes;

/** Changes the files, one change at a time. */
export const exclusively = <T>(state: SpoolState, change: () => Promise<T>): Promise<T> => {
  const mine = state.lastChange.then(change);
  state.lastChange = mine.catch(() => {});
  return mine;
};
