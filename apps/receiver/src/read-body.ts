import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, unzip } from 'node:zlib';
import { RefusalError } from './render-error.ts';

/**
 * Reads the whole body, by hand: a body parser costs several times as much as everything else on this path.
 * @throws {RefusalError} 413 `callback_too_large`; 400 `callback_aborted` when the sender went away in the middle
 */
export function readBody(request: IncomingMessage, response: ServerResponse, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  // A sender that asked first is told to go on only now that its credential and its size are known to be right.
  if (request.headers.expect !== undefined) response.writeContinue();

  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        request.pause();
        request.removeAllListeners('data');
        reject(tooLarge(maxBytes));
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes)));
    // Cut off or timed out: a body without its end is never used.
    request.on('close', () => {
      if (!request.complete) reject(aborted());
    });
  });
}

/** A compressed body that cannot be opened. It is authentic, so it is kept as it came. */
export class UnreadableBodyError extends Error {
  override readonly name = 'UnreadableBodyError';
}

type Inflater = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const inflaters = new Map<string, Inflater>([
  ['gzip', promisify(unzip)],
  ['x-gzip', promisify(unzip)],
  ['deflate', promisify(unzip)],
  ['br', promisify(brotliDecompress)],
]);

/**
 * Undoes `content-encoding`; the limit holds for what comes out as well.
 * @throws {RefusalError} 413 `callback_too_large`
 * @throws {UnreadableBodyError} when the bytes are not what the header says, or the encoding is unknown
 */
export async function inflate(body: Buffer, contentEncoding: string, maxBytes: number): Promise<Buffer> {
  const encoding = contentEncoding.trim().toLowerCase();
  if (encoding === '' || encoding === 'identity' || body.length === 0) return body;
  const decompress = inflaters.get(encoding);
  if (decompress === undefined) {
    throw new UnreadableBodyError('the content-encoding must be gzip, deflate or br, got another one');
  }
  try {
    return await decompress(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new UnreadableBodyError(`the body must be ${encoding}, as its content-encoding says, got something else`);
  }
}

function tooLarge(maxBytes: number): RefusalError {
  const message = `a callback may be ${maxBytes} bytes, this one is larger; raise \`MAX_BODY_BYTES\`, it will come again`;
  return new RefusalError(413, 'callback_too_large', message, { logLevel: 'error' });
}

function aborted(): RefusalError {
  return new RefusalError(400, 'callback_aborted', 'the sender went away before its callback was complete', {
    logLevel: 'debug',
  });
}
