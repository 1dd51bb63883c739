import {
  type BrotliDecompress,
  createBrotliDecompress,
  createInflateRaw,
  createUnzip,
  type InflateRaw,
  type Unzip,
} from 'node:zlib';
import { LARGE_CALLBACK_BYTES } from '@clickrelay/core';
import { allocateShared } from './large-bodies.ts';
import { RefusalError, tooLarge } from './render-error.ts';

/** A compressed body that cannot be opened. It is authentic, so it is kept unchanged. */
export class UnreadableBodyError extends Error {
  override readonly name = 'UnreadableBodyError';
}

type Inflater = Unzip | InflateRaw | BrotliDecompress;
type CreateInflater = (body: Buffer) => Inflater;

/** In bytes: one chunk of output. Larger than what Node cuts from its shared pool, so that each can be given back. */
const chunkSize = 64 * 1024;

/** A header of zlib (method 8, and the first two bytes are a multiple of 31: RFC 1950) or of gzip. */
const hasHeader = (body: Buffer): boolean => {
  if (body.length < 2) return false;
  const start = body.readUInt16BE(0);
  return start === 0x1f8b || (((body[0] as number) & 0x0f) === 8 && start % 31 === 0);
};

const unzip: CreateInflater = () => createUnzip({ chunkSize });

const inflaters = new Map<string, CreateInflater>([
  ['gzip', unzip],
  ['x-gzip', unzip],
  // Some senders leave out the two bytes that the RFC wants in front (RFC 9110, section 8.4.1.2).
  ['deflate', (body) => (hasHeader(body) ? unzip(body) : createInflateRaw({ chunkSize }))],
  ['br', () => createBrotliDecompress({ chunkSize })],
]);

/** The inflating under way: one body at a time, because each of a few bombs might hold as much as it may. */
let inflating: Promise<unknown> = Promise.resolve();

/**
 * Undoes `content-encoding`. The limit holds for the output as well. A large body is inflated twice, first only to
 * count its bytes, so that a bomb costs time on another thread and no memory.
 * @param findRoom called before a large body is inflated into memory
 * @throws {RefusalError} 413 `callback_too_large`, and what `findRoom` throws
 * @throws {UnreadableBodyError} when the bytes are not what the header says, or the encoding is unknown
 */
export const inflate = async (
  body: Buffer,
  contentEncoding: string,
  { maxBytes, findRoom }: { maxBytes: number; findRoom: (bytes: number) => Promise<void> },
): Promise<Buffer> => {
  const encoding = contentEncoding.trim().toLowerCase();
  if (encoding === '' || encoding === 'identity' || body.length === 0) return body;
  const create = inflaters.get(encoding);
  if (create === undefined) {
    throw new UnreadableBodyError('the content-encoding must be gzip, deflate or br, got another one');
  }
  try {
    const counted = await inTurn(() => count(create, body, maxBytes));
    if (typeof counted !== 'number') return counted;
    // Meanwhile other bodies have their turn.
    await findRoom(counted);
    return await inTurn(() => make(create, body, counted));
  } catch (error) {
    if (error instanceof RefusalError) throw error;
    throw new UnreadableBodyError(`the body must be ${encoding}, as its content-encoding says, got something else`);
  }
};

const inTurn = <T>(step: () => Promise<T>): Promise<T> => {
  const turn = inflating.then(step);
  inflating = turn.catch(() => {});
  return turn;
};

/** @returns the body itself, which nearly every callback is small enough for; else how many bytes it has */
const count = async (create: CreateInflater, body: Buffer, maxBytes: number): Promise<number | Buffer> => {
  const kept: Buffer[] = [];
  let bytes = 0;
  const counted = create(body);
  counted.end(body);
  for await (const chunk of counted) {
    bytes += chunk.length;
    kept.push(chunk);
    if (bytes > LARGE_CALLBACK_BYTES) for (const unused of kept.splice(0)) giveBack(unused);
    if (bytes > maxBytes) throw tooLarge(maxBytes);
  }
  // Node ignores bytes behind the end of the compressed data. They would be lost in silence.
  if (counted.bytesWritten < body.length) throw new Error('bytes follow the compressed data');
  return bytes <= LARGE_CALLBACK_BYTES ? Buffer.concat(kept, bytes) : bytes;
};

const make = async (create: CreateInflater, body: Buffer, bytes: number): Promise<Buffer> => {
  const whole = allocateShared(bytes);
  let at = 0;
  const made = create(body);
  made.end(body);
  for await (const chunk of made) {
    at += chunk.copy(whole, at);
    giveBack(chunk);
  }
  return whole;
};

/**
 * Frees the memory of a full chunk now: until the next garbage collection, a bomb would have filled tens of megabytes.
 */
const giveBack = (chunk: Buffer): void => {
  // A chunk that is not full is part of the buffer that the inflater writes to next.
  if (chunk.length === chunk.buffer.byteLength && chunk.buffer instanceof ArrayBuffer) chunk.buffer.transfer(0);
};
