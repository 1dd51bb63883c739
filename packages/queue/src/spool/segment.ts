import { crc32 } from 'node:zlib';
import { SPOOL_WINDOW_BYTES } from '../redis/size-limits.ts';
import type { Disk, DiskFile } from './disk.ts';
import { readFully } from './files.ts';
import {
  decodeFooter,
  decodeHeader,
  decodePayload,
  FOOTER_BYTES,
  HEADER_BYTES,
  RECORD_MAGIC,
  type SpoolEntry,
} from './record.ts';

/** What stands at a place of a segment. */
type Found =
  | { readonly kind: 'entry'; readonly entry: SpoolEntry; readonly from: number; readonly to: number }
  /** Bytes that were written as a record and are none: kept for a person to look at. */
  | { readonly kind: 'damaged'; readonly from: number; readonly to: number }
  /** The end of a write that its process did not live to finish: nobody was told that it was kept. */
  | { readonly kind: 'torn'; readonly from: number; readonly to: number }
  | { readonly kind: 'end'; readonly from: number };

/** Reads a segment. It has no position of its own: the caller moves on once it has dealt with what was found. */
export interface SegmentReader {
  /** How many records the footer counts; undefined without a footer. */
  readonly records: number | undefined;
  /** What stands at a place where a record begins. The next place is its `to`. */
  find(at: number): Promise<Found>;
  /** The place itself when a record begins there, or the segment ends; else the beginning of the file. */
  startFrom(place: number): Promise<number>;
  /** Bytes as they are. */
  copy(from: number, to: number): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/**
 * Opens a segment to read it in order, a window at a time, however large it is.
 * @param size where to stop, when the bytes behind are known not to count. @default the whole file
 */
export const openSegment = async (disk: Disk, path: string, size?: number): Promise<SegmentReader> => {
  const file = await disk.open(path, 'r');
  try {
    const end = size ?? (await file.stat()).size;
    const footer = Buffer.alloc(FOOTER_BYTES);
    const footerAt = Math.max(end - FOOTER_BYTES, 0);
    const records = decodeFooter(
      footer.subarray(0, await readFully(file, footer.subarray(0, end - footerAt), footerAt)),
    );
    return createReader(file, records, records === undefined ? end : footerAt);
  } catch (error) {
    await file.close();
    throw error;
  }
};

/** @param end where its records end */
const createReader = (file: DiskFile, records: number | undefined, end: number): SegmentReader => {
  let window = Buffer.alloc(0);
  let windowAt = 0;

  /** The bytes at a place; fewer at the end of the file. Valid until the next call. */
  const bytesAt = async (at: number, length: number): Promise<Buffer> => {
    if (at < windowAt || at + length > windowAt + window.length) {
      const wanted = Math.min(Math.max(length, SPOOL_WINDOW_BYTES), Math.max(end - at, 0));
      const fresh = Buffer.allocUnsafe(wanted);
      window = fresh.subarray(0, await readFully(file, fresh, at));
      windowAt = at;
    }
    return window.subarray(at - windowAt, at - windowAt + length);
  };

  const recordAt = async (at: number): Promise<Found | 'incomplete' | 'wrong'> => {
    const headerBytes = await bytesAt(at, HEADER_BYTES);
    if (headerBytes.length < HEADER_BYTES) return 'incomplete';
    const header = decodeHeader(headerBytes);
    if (header === undefined) return 'wrong';
    const to = at + HEADER_BYTES + header.length;
    if (to > end) return 'incomplete';
    const payload = (await bytesAt(at, to - at)).subarray(HEADER_BYTES);
    if (payload.length < header.length || crc32(payload) !== header.sum) return 'wrong';
    const entry = decodePayload(payload);
    return entry === undefined ? 'wrong' : { kind: 'entry', entry, from: at, to };
  };

  /** Where the next whole record begins; undefined when none does. */
  const findRecord = async (after: number): Promise<number | undefined> => {
    for (let at = after; at < end; ) {
      const bytes = await bytesAt(at, Math.min(SPOOL_WINDOW_BYTES, end - at));
      const found = bytes.indexOf(RECORD_MAGIC);
      if (found === -1) at += Math.max(bytes.length - 3, 1);
      else if (typeof (await recordAt(at + found)) === 'object') return at + found;
      else at += found + 1;
    }
    return undefined;
  };

  const isZeros = async (from: number): Promise<boolean> => {
    for (let at = from; at < end; at += SPOOL_WINDOW_BYTES) {
      if ((await bytesAt(at, Math.min(SPOOL_WINDOW_BYTES, end - at))).some((byte) => byte !== 0)) return false;
    }
    return true;
  };

  return {
    records,
    find: async (at) => {
      if (at >= end) return { kind: 'end', from: at };
      const found = await recordAt(at);
      if (typeof found === 'object') return found;
      const next = await findRecord(at + 1);
      // A header whose own check sum is right, and which promises more than there is, tells of a write that was cut
      // off.
      const isTorn = next === undefined && (found === 'incomplete' || (await isZeros(at)));
      return { kind: isTorn ? 'torn' : 'damaged', from: at, to: next ?? end };
    },
    startFrom: async (place) =>
      place === end || (place < end && typeof (await recordAt(place)) === 'object') ? place : 0,
    copy: async function* (from, to) {
      for (let at = from; at < to; at += SPOOL_WINDOW_BYTES) {
        yield Buffer.from(await bytesAt(at, Math.min(SPOOL_WINDOW_BYTES, to - at)));
      }
    },
    close: () => file.close(),
  };
};
