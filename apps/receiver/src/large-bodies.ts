import type { ServerResponse } from 'node:http';
import { type Callback, InvalidCallbackError } from '@clickrelay/core';
import { openThread, ThreadError, threadFile } from '@clickrelay/service/thread';
import type { Parsed, ParseJob } from './parse-thread.ts';
import { aborted, RefusalError } from './render-error.ts';

/*
 * Inline media make callbacks of tens of megabytes. Parsed on this thread, one of them would hold up all others for a
 * tenth of a second, and several at once would take a gigabyte. So a body above `LARGE_CALLBACK_BYTES` has to find room first,
 * and is parsed on another thread, one at a time. Smaller bodies never come here.
 */

/** The room for large bodies, in bodies of the largest size. */
const MOST_FULL_SIZED = 4;
/** Senders have to be told before the 15 s for a whole request are over. */
const LONGEST_WAIT_MS = 5_000;

/** A callback whose body was parsed on another thread. */
export interface ParsedLarge extends Omit<Callback, 'text' | 'envelope'> {
  readonly text: Uint8Array;
}

export interface LargeBodies {
  /**
   * Resolves when there is room for so many bytes, which is taken until the response is closed.
   * @throws {RefusalError} 503 `receiver_busy`
   */
  findRoom(bytes: number, response: ServerResponse): Promise<void>;
  /**
   * The callback of a body; its text is the body without a byte order mark.
   * @throws {InvalidCallbackError} also when parsing it ended the thread twice: it is kept for a person to look at
   */
  parse(body: Uint8Array): Promise<ParsedLarge>;
}

export const createLargeBodies = ({ maxBodyBytes }: { maxBodyBytes: number }): LargeBodies => {
  const thread = openThread<ParseJob, Parsed>(threadFile('parse-thread', import.meta.url));
  let free = MOST_FULL_SIZED * maxBodyBytes;
  /** First come, first served, or a large body would wait for ever. */
  const waiting: { bytes: number; enter: () => void }[] = [];

  const leave = (bytes: number): void => {
    free += bytes;
    while (waiting[0] !== undefined && waiting[0].bytes <= free) waiting.shift()?.enter();
  };

  return {
    findRoom: (bytes, response) =>
      new Promise((resolve, reject) => {
        if (response.closed) throw aborted();
        const enter = () => {
          stopWaiting();
          free -= bytes;
          response.once('close', () => leave(bytes));
          resolve();
        };
        const giveUp = (error: RefusalError) => {
          stopWaiting();
          waiting.splice(waiting.indexOf(place), 1);
          // The next may have waited only for this one.
          leave(0);
          reject(error);
        };
        const goAway = () => giveUp(aborted());
        const late = setTimeout(() => giveUp(busy()), LONGEST_WAIT_MS);
        response.once('close', goAway);
        const stopWaiting = () => {
          clearTimeout(late);
          response.off('close', goAway);
        };
        const place = { bytes, enter };
        waiting.push(place);
        leave(0);
      }),

    parse: async (body) => {
      const shared = body.buffer instanceof SharedArrayBuffer ? body : toShared(body);
      const job = { body: shared };
      const parsed = await thread
        .run(job)
        .catch(() => thread.run(job))
        .catch(refuse);
      if ('refused' in parsed)
        throw new InvalidCallbackError(parsed.refused, parsed.issues && { issues: parsed.issues });
      const { start, ...callback } = parsed;
      return { ...callback, text: shared.subarray(start) };
    },
  };
};

/** Memory that another thread can read without a copy. */
export const allocateShared = (bytes: number): Buffer => Buffer.from(new SharedArrayBuffer(bytes));

const toShared = (body: Uint8Array): Buffer => {
  const shared = allocateShared(body.byteLength);
  shared.set(body);
  return shared;
};

const refuse = (error: unknown): never => {
  if (!(error instanceof ThreadError)) throw error;
  throw new InvalidCallbackError(`callback could not be parsed: ${error.message}`);
};

const busy = (): RefusalError => {
  const message = `as many large callbacks as there is room for are on their way in; none was free within ${LONGEST_WAIT_MS / 1000} s, send it again later`;
  return new RefusalError(503, 'receiver_busy', message);
};
