import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fairNow } from './fair-now.ts';

/** A request as the destination received it. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The raw body as UTF-8 text. */
  readonly body: string;
  /** When its last byte was read, epoch milliseconds. */
  readonly at: number;
  /** Whether the sender has hung up, so that an answer would reach nobody. */
  isAbandoned(): boolean;
}

export interface ScriptedAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Pause before answering, in ms. @default 0 */
  delayMs?: number;
}

/** How to answer requests: a status, `reset` to cut the connection, `hang` to never answer. `index` counts from 0. */
export type DestinationAnswer =
  | number
  | 'reset'
  | 'hang'
  | ((request: ReceivedRequest, index: number) => AnswerNow | Promise<AnswerNow>);
type AnswerNow = number | 'reset' | 'hang' | ScriptedAnswer;

export interface Destination {
  readonly url: string;
  readonly port: number;
  /** All requests received, oldest first. */
  readonly requests: ReceivedRequest[];
  answerWith(answer: DestinationAnswer): void;
  /**
   * Resolves with the requests once there are `count` of them.
   * @param timeoutMs in ms of `fairNow`, default 30000
   * @throws {Error} when they do not come in time
   */
  waitFor(count: number, timeoutMs?: number): Promise<ReceivedRequest[]>;
  close(): Promise<void>;
}

/** Starts a local HTTP server that records requests and answers as told, by default 200. */
export const startDestination = async (
  options: { answer?: DestinationAnswer /** @default a free one */; port?: number } = {},
): Promise<Destination> => {
  let answer: DestinationAnswer = options.answer ?? 200;
  const requests: ReceivedRequest[] = [];
  const waiting = new Set<() => void>();

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request: ReceivedRequest = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString(),
      at: Date.now(),
      isAbandoned: () => incoming.socket.destroyed,
    };
    const index = requests.push(request) - 1;
    for (const look of waiting) look();
    const now = typeof answer === 'function' ? await answer(request, index) : answer;
    if (now === 'hang') return;
    if (now === 'reset') {
      incoming.socket.resetAndDestroy();
      return;
    }
    const { status, headers = {}, body = '', delayMs = 0 } = typeof now === 'number' ? { status: now } : now;
    if (delayMs > 0) await sleep(delayMs);
    response.writeHead(status, headers).end(body);
  };

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch((error: unknown) => {
      // The caller may have hung up; anything else is a mistake in the test's answer function.
      if (!incoming.destroyed) response.writeHead(500).end(String(error));
    });
  });

  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/`,
    port,
    requests,
    answerWith: (next) => {
      answer = next;
    },
    waitFor: (count, timeoutMs = 30_000) =>
      new Promise((resolve, reject) => {
        const deadline = fairNow() + timeoutMs;
        const giveUp = (): void => {
          const left = deadline - fairNow();
          if (left > 0) {
            timer = setTimeout(giveUp, left);
            return;
          }
          waiting.delete(look);
          reject(new Error(`the destination got ${requests.length} of ${count} requests in ${timeoutMs} ms`));
        };
        let timer = setTimeout(giveUp, timeoutMs);
        const look = (): void => {
          if (requests.length < count) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve([...requests]);
        };
        waiting.add(look);
        look();
      }),
    close: async () => {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
};
