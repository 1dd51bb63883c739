import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fairNow } from '@clickrelay/testkit';
import {
  type CallbackAnswer,
  type CallbackOptions,
  isAccepted,
  type Ledger,
  newCallback,
  type SentCallback,
} from './ledger.ts';
import type { Run } from './run.ts';

/** Longer than any promise: a callback that takes this long counts as unanswered. */
const PATIENCE_MS = 30_000;

export interface Clickatell {
  /** The `Authorization` header it sends. */
  authorization: string;
  /** Sends a callback once and records the result. */
  post(callback: SentCallback): Promise<CallbackAnswer>;
  /** Sends it until it is accepted, as Clickatell does. @throws {Error} when it is not accepted in time */
  postUntilAccepted(callback: SentCallback, withinMs?: number): Promise<CallbackAnswer>;
  /** Sends new callbacks, and resends refused ones, until the signal; resolves when all are answered. */
  load(options: LoadOptions): Promise<void>;
  close(): void;
}

interface LoadOptions extends CallbackOptions {
  /** @default 16; 4 in the short round */
  readonly connections?: number;
  /** The pause between an answer and the next callback on the same connection, in ms. @default 10; 20 in the short round */
  readonly pauseMs?: number;
  /** So many callbacks begin in a second, all connections together, instead of pauses. @default as the pauses allow */
  readonly perSecond?: number;
  readonly signal: AbortSignal;
  /** The most new callbacks to send. @default as many as the time allows */
  readonly most?: number;
}

/** A pretend Clickatell that keeps the ledger. */
export const createClickatell = (
  target: { readonly url: string; readonly authorization: string },
  ledger: Ledger,
  { noise, isLong }: Pick<Run, 'noise' | 'isLong'>,
): Clickatell => {
  let { authorization } = target;
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });

  const post = (callback: SentCallback): Promise<CallbackAnswer> => {
    ledger.note(callback);
    const startedAt = fairNow();
    return new Promise((resolve) => {
      const end = (status: number, body: string): void => {
        const at = fairNow();
        const answer = { status, ms: at - startedAt, at, body };
        ledger.answered(callback, answer);
        resolve(answer);
      };
      const outgoing = request(
        `${target.url}/client-callback/one-api-reply`,
        {
          method: 'POST',
          agent,
          headers: { 'content-type': 'application/json', authorization },
          signal: AbortSignal.timeout(PATIENCE_MS),
        },
        (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => {
            body += text;
          });
          response.on('end', () => end(response.statusCode ?? 0, body));
          response.on('error', () => end(0, ''));
        },
      );
      outgoing.on('error', (error) => end(0, error.message));
      outgoing.end(callback.body);
    });
  };

  const postUntilAccepted = async (callback: SentCallback, withinMs = 90_000): Promise<CallbackAnswer> => {
    const deadline = fairNow() + withinMs;
    for (;;) {
      const answer = await post(callback);
      if (isAccepted(answer)) return answer;
      if (fairNow() > deadline) {
        throw new Error(`a callback was not accepted within ${withinMs} ms, at last: ${answer.status} ${answer.body}`);
      }
      await sleep(50);
    }
  };

  return {
    get authorization() {
      return authorization;
    },
    set authorization(next) {
      authorization = next;
    },
    post,
    postUntilAccepted,
    load: async ({
      connections = isLong ? 16 : 4,
      pauseMs = isLong ? 10 : 20,
      signal,
      perSecond,
      most = Number.POSITIVE_INFINITY,
      ...options
    }) => {
      let begun = 0;
      let dueAt = performance.now();
      /** What a slow answer held up is made up for, that of up to a second. */
      const untilDue = (every: number): Promise<void> => {
        const now = performance.now();
        dueAt = Math.max(dueAt + every, now - 1_000);
        return sleep(Math.max(dueAt - now, 0));
      };
      const connection = async (): Promise<void> => {
        let refused: SentCallback | undefined;
        while (!signal.aborted && (refused !== undefined || begun < most)) {
          if (refused === undefined) begun++;
          const callback: SentCallback = refused ?? newCallback(noise, options);
          refused = isAccepted(await post(callback)) ? undefined : callback;
          // Redis is away and refusals come at once: without a pause the sender would only measure itself.
          if (refused !== undefined) await sleep(Math.max(pauseMs, 50));
          else await (perSecond === undefined ? sleep(pauseMs) : untilDue(1_000 / perSecond));
        }
      };
      await Promise.all(Array.from({ length: connections }, connection));
    },
    close: () => agent.destroy(),
  };
};
