import { crc32 } from 'node:zlib';
import type { Lane } from '@clickrelay/core';

/*
 * The format of the spool's files. Integers are little-endian.
 *
 *   segment  record* footer?
 *   record   01 43 52 00   length of the payload u32   crc32 of the payload u32   crc32 of these 12 bytes u32   payload
 *   payload  a line of JSON, which says what it is and when it came; then the text, or the body in base64
 *   footer   01 43 46 00   number of records u32       crc32 of these 8 bytes u32
 *
 * A finished segment has a footer. One without was being written when its process died, or its disk was full. JSON text
 * and base64 hold no 00 and no 01: whatever was sent, nothing in a payload can pass for a record or a footer.
 */

/** Something that waits in the spool. */
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

export const RECORD_MAGIC = Buffer.from([0x01, 0x43, 0x52, 0x00]);
const FOOTER_MAGIC = Buffer.from([0x01, 0x43, 0x46, 0x00]);
export const HEADER_BYTES = 16;
export const FOOTER_BYTES = 12;
const LINE_END = 0x0a;

export const encodeEntry = (entry: SpoolEntry): Buffer => {
  const isCallback = entry.kind === 'callback';
  const about = isCallback
    ? { lane: entry.lane, at: entry.receivedAt, trace: entry.trace }
    : { reason: entry.reason, at: entry.receivedAt };
  const line = `${JSON.stringify(about)}\n`;
  const lineBytes = Buffer.byteLength(line);
  const body = isCallback ? entry.text : Buffer.from(entry.body).toString('base64');
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

/** @returns undefined when the bytes are no header of a record */
export const decodeHeader = (header: Buffer): { length: number; sum: number } | undefined => {
  if (!header.subarray(0, 4).equals(RECORD_MAGIC)) return undefined;
  if (crc32(header.subarray(0, 12)) !== header.readUInt32LE(12)) return undefined;
  return { length: header.readUInt32LE(4), sum: header.readUInt32LE(8) };
};

/** @returns undefined when the payload is not one of ours: written by another version, or forged */
export const decodePayload = (payload: Buffer): SpoolEntry | undefined => {
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
    const body = Buffer.from(payload.toString('latin1', lineEnd + 1), 'base64');
    return typeof reason === 'string' ? { kind: 'quarantine', reason, receivedAt, body } : undefined;
  } catch {
    return undefined;
  }
};

export const encodeFooter = (records: number): Buffer => {
  const footer = Buffer.alloc(FOOTER_BYTES);
  FOOTER_MAGIC.copy(footer);
  footer.writeUInt32LE(records, 4);
  footer.writeUInt32LE(crc32(footer.subarray(0, 8)), 8);
  return footer;
};

/** @returns the number of records; undefined when the bytes are no footer */
export const decodeFooter = (footer: Buffer): number | undefined => {
  if (footer.length !== FOOTER_BYTES || !footer.subarray(0, 4).equals(FOOTER_MAGIC)) return undefined;
  return crc32(footer.subarray(0, 8)) === footer.readUInt32LE(8) ? footer.readUInt32LE(4) : undefined;
};
