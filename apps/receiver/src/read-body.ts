import type { IncomingMessage, ServerResponse } from 'node:http';
import { LARGE_CALLBACK_BYTES } from '@clickrelay/core';
import { allocateShared, type LargeBodies } from './large-bodies.ts';
import { aborted, tooLarge } from './render-error.ts';

/**
 * Reads the whole body by hand: a body parser costs several times as much as everything else on this path. A large body
 * waits for room before it is read, and is read into shared memory.
 * @throws {RefusalError} 413 `callback_too_large`; 503 `receiver_busy`; 400 `callback_aborted` when the sender went
 * away in the middle
 */
export const readBody = async (
  request: IncomingMessage,
  response: ServerResponse,
  { maxBytes, largeBodies }: { maxBytes: number; largeBodies: LargeBodies },
): Promise<Buffer> => {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  let whole: Buffer | undefined;
  if (announced > LARGE_CALLBACK_BYTES) {
    // A compressed body needs more room than it announces.
    const isCompressed = request.headers['content-encoding'] !== undefined;
    await largeBodies.findRoom(isCompressed ? maxBytes : announced, response);
    whole = allocateShared(announced);
  }
  // A sender that asked first is told to go on only now that its credential and its size are checked.
  if (request.headers.expect !== undefined) response.writeContinue();

  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stop = (error: unknown) => {
      request.pause();
      request.removeAllListeners('data');
      reject(error);
    };
    const moveToShared = async () => {
      request.pause();
      await largeBodies.findRoom(maxBytes, response);
      whole = allocateShared(maxBytes);
      let at = 0;
      for (const chunk of chunks.splice(0)) at += chunk.copy(whole, at);
      request.resume();
    };
    request.on('data', (chunk: Buffer) => {
      const at = bytes;
      bytes += chunk.length;
      if (bytes > maxBytes) stop(tooLarge(maxBytes));
      else if (whole !== undefined) chunk.copy(whole, at);
      else {
        chunks.push(chunk);
        // The sender did not announce its length.
        if (bytes > LARGE_CALLBACK_BYTES && at <= LARGE_CALLBACK_BYTES) moveToShared().catch(stop);
      }
    });
    request.on('end', () => {
      if (whole !== undefined) resolve(whole.subarray(0, bytes));
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes));
    });
    // The connection was cut, or timed out: a body without its end is never used.
    request.on('close', () => {
      if (!request.complete) reject(aborted());
    });
  });
};
