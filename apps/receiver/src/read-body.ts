import type { IncomingMessage, ServerResponse } from 'node:http';
import { RefusalError, tooLarge } from './render-error.ts';

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

function aborted(): RefusalError {
  return new RefusalError(400, 'callback_aborted', 'the sender went away before its callback was complete', {
    logLevel: 'debug',
  });
}
