import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Lane } from '@clickrelay/core';

/*
 * The files of the spool. Integers are little-endian.
 *
 *   segment  record* footer?
 *   record   01 43 52 00   length of the payload u32   crc32 of the payload u32   crc32 of these 12 bytes u32   payload
 *   payload  a line of JSON, what it is and when it came; then the body, byte for byte
 *   footer   01 43 46 00   number of records u32       crc32 of these 8 bytes u32
 *
 * A segment that was finished has its footer; one without it was being written when its process died, or its disk was
 * full. JSON text holds no 00 and no 01, so no callback can pass for a record of its own.
 */

/** What waits in the spool. */
export type SpoolEntry =
  | {
      readonly kind: 'callback';
      readonly lane: Lane;
      readonly receivedAt: string;
      readonly text: string | Uint8Array;
      /** See `CallbackToCommit`. */
      readonly trace?: string;
    }
  | {
      readonly kind: 'quarantine';
      readonly reason: string;
      readonly receivedAt: string;
      readonly body: Uint8Array;
    };

const RECORD_MAGIC = Buffer.from([0x01, 0x43, 0x52, 0x00]);
const FOOTER_MAGIC = Buffer.from([0x01, 0x43, 0x46, 0x00]);
const HEADER_BYTES = 16;
const FOOTER_BYTES = 12;
const LINE_END = 0x0a;

export const encodeEntry = (entry: SpoolEntry): Buffer => {
  const isCallback = entry.kind === 'callback';
  const about = isCallback
    ? { lane: entry.lane, at: entry.receivedAt, trace: entry.trace }
    : { reason: entry.reason, at: entry.receivedAt };
  const line = `${JSON.stringify(about)}\n`;
  const lineBytes = Buffer.byteLength(line);
  const body = isCallback ? entry.text : entry.body;
  const bodyBytes = Buffer.byteLength(body);
  const record = Buffer.allocUnsafe(HEADER_BYTES + lineBytes + bodyBytes);
  record.write(line, HEADER_BYTES);
  if (typeof body === 'string') record.write(body, HEADER_BYTES + lineBytes);
  else record.set(body, HEADER_BYTES + lineBytes);
  RECORD_MAGIC.copy(record);
  record.writeUInt32LE(lineBytes + bodyBytes, 4);
  record.writeUInt32LE(crc32(record.subarray(HEADER_BYTES)), 8);
  record.writeUInt32LE(crc32(record.subarray(0, 12)), 12);
  return record;
};

export const encodeFooter = (records: number): Buffer => {
  const footer = Buffer.alloc(FOOTER_BYTES);
  FOOTER_MAGIC.copy(footer);
  footer.writeUInt32LE(records, 4);
  footer.writeUInt32LE(crc32(footer.subarray(0, 8)), 8);
  return footer;
};

/** @returns undefined when the payload is none of ours: written by another version, or forged. */
const decodePayload = (payload: Buffer): SpoolEntry | undefined => {
  const lineEnd = payload.indexOf(LINE_END);
  if (lineEnd === -1) return undefined;
  try {
    const about = JSON.parse(payload.toString('utf8', 0, lineEnd)) as Record<string, unknown>;
    const { lane, reason, at: receivedAt, trace } = about;
    if (typeof receivedAt !== 'string') return undefined;
    if (lane === 'messages' || lane === 'statuses') {
      const text = payload.toString('utf8', lineEnd + 1);
      return { kind: 'callback', lane, receivedAt, text, ...(typeof trace === 'string' && { trace }) };
    }
    // A copy: what was read is read over.
    const body = Buffer.from(payload.subarray(lineEnd + 1));
    return typeof reason === 'string' ? { kind: 'quarantine', reason, receivedAt, body } : undefined;
  } catch {
    return undefined;
  }
};

/** What stands at a place of a segment. */
type Found =
  | { readonly kind: 'entry'; readonly entry: SpoolEntry; readonly from: number; readonly to: number }
  /** Bytes that are no record although they were written as one: kept for a person to look at. */
  | { readonly kind: 'damaged'; readonly from: number; readonly to: number }
  /** The end of a write that its process did not live to see: nobody was told that it was kept. */
  | { readonly kind: 'torn'; readonly from: number; readonly to: number }
  | { readonly kind: 'end'; readonly from: number };

export interface SegmentReader {
  /** The records that the footer counts; undefined without one. */
  readonly records: number | undefined;
  next(): Promise<Found>;
  /** Bytes as they are. */
  copy(from: number, to: number): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

const WINDOW_BYTES = 1024 * 1024;

/**
 * Reads a segment in order, a window at a time, however large it is.
 * @param from where a record begins; anything else is taken for the beginning of the file
 * @param size where to stop, when what follows is known not to count. @default the whole file
 */
export const openSegment = async (path: string, from = 0, size?: number): Promise<SegmentReader> => {
  const file = await open(path, 'r');
  let window = Buffer.alloc(0);
  let windowAt = 0;

  /** The bytes at a place; fewer at the end of the file. Valid until the next call. */
  const bytesAt = async (at: number, length: number): Promise<Buffer> => {
    if (at < windowAt || at + length > windowAt + window.length) {
      const wanted = Math.min(Math.max(length, WINDOW_BYTES), Math.max(end - at, 0));
      const fresh = Buffer.allocUnsafe(wanted);
      window = fresh.subarray(0, await readFully(file, fresh, at));
      windowAt = at;
    }
    return window.subarray(at - windowAt, at - windowAt + length);
  };

  const recordAt = async (at: number): Promise<Found | 'incomplete' | 'wrong'> => {
    const header = await bytesAt(at, HEADER_BYTES);
    if (header.length < HEADER_BYTES) return 'incomplete';
    if (!header.subarray(0, 4).equals(RECORD_MAGIC)) return 'wrong';
    if (crc32(header.subarray(0, 12)) !== header.readUInt32LE(12)) return 'wrong';
    const length = header.readUInt32LE(4);
    const sum = header.readUInt32LE(8);
    if (at + HEADER_BYTES + length > end) return 'incomplete';
    const payload = (await bytesAt(at, HEADER_BYTES + length)).subarray(HEADER_BYTES);
    if (payload.length < length || crc32(payload) !== sum) return 'wrong';
    const entry = decodePayload(payload);
    return entry === undefined ? 'wrong' : { kind: 'entry', entry, from: at, to: at + HEADER_BYTES + length };
  };

  /** Where the next whole record begins; undefined when none does. */
  const findRecord = async (after: number): Promise<number | undefined> => {
    for (let at = after; at < end; ) {
      const bytes = await bytesAt(at, Math.min(WINDOW_BYTES, end - at));
      const found = bytes.indexOf(RECORD_MAGIC);
      if (found === -1) at += Math.max(bytes.length - 3, 1);
      else if (typeof (await recordAt(at + found)) === 'object') return at + found;
      else at += found + 1;
    }
    return undefined;
  };

  const isZeros = async (at: number): Promise<boolean> => {
    for (; at < end; at += WINDOW_BYTES) {
      if ((await bytesAt(at, Math.min(WINDOW_BYTES, end - at))).some((byte) => byte !== 0)) return false;
    }
    return true;
  };

  let end: number;
  let records: number | undefined;
  let at: number;
  try {
    end = size ?? (await file.stat()).size;
    const footer = await bytesAt(Math.max(end - FOOTER_BYTES, 0), FOOTER_BYTES);
    if (
      footer.subarray(0, 4).equals(FOOTER_MAGIC) &&
      footer.length === FOOTER_BYTES &&
      crc32(footer.subarray(0, 8)) === footer.readUInt32LE(8)
    ) {
      records = footer.readUInt32LE(4);
      end -= FOOTER_BYTES;
    }
    // The window may reach into what no longer counts.
    window = Buffer.alloc(0);
    at = from > end || (from < end && typeof (await recordAt(from)) !== 'object') ? 0 : from;
  } catch (error) {
    await file.close();
    throw error;
  }

  return {
    records,
    next: async () => {
      if (at >= end) return { kind: 'end', from: at };
      const start = at;
      const found = await recordAt(start);
      if (typeof found === 'object') {
        at = found.kind === 'entry' ? found.to : at;
        return found;
      }
      const next = await findRecord(start + 1);
      at = next ?? end;
      // With its own check sum right, a header that promises more than there is tells of a write that was cut off.
      const isTorn = next === undefined && (found === 'incomplete' || (await isZeros(start)));
      return { kind: isTorn ? 'torn' : 'damaged', from: start, to: at };
    },
    copy: async function* (begin, to) {
      for (let place = begin; place < to; place += WINDOW_BYTES) {
        yield Buffer.from(await bytesAt(place, Math.min(WINDOW_BYTES, to - place)));
      }
    },
    close: () => file.close(),
  };
};

/** @returns how many bytes there were */
const readFully = async (file: FileHandle, into: Buffer, at: number): Promise<number> => {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
};

/** A write may take less than it was given, on a disk that is about to be full. */
export const writeFully = async (file: FileHandle, bytes: Uint8Array, at: number): Promise<void> => {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
};
