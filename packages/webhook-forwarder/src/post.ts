import type { DeliveryError } from '@clickrelay/core';
import type { Connection, ConnectionUser } from './http/connection.ts';
import type { Connections, Waiting } from './http/connections.ts';
import type { AnswerReader } from './http/read-answer.ts';
import { aborted, impossibleHeader, networkError, noAnswer, timedOut } from './no-answer.ts';
import { onAbort } from './on-abort.ts';

/** How long to wait for the body once the status line has decided the attempt, in ms. */
const BODY_WAIT_MS = 1000;

/** RFC 9110, section 5.5, in ASCII. */
const HEADER = /^[\t\x20-\x7e]*$/;

export interface PostAnswer {
  readonly status: number;
  readonly retryAfter: string | string[] | undefined;
  /** The first 16 KB of the body. */
  readonly response: string;
}

export interface Post {
  /** @default 'POST' */
  readonly method?: 'GET' | 'POST';
  /** Names the destination, also in errors. */
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** Time limit in ms from now to the status line. Nothing that the destination sends extends it. */
  readonly timeoutMs: number;
  /** Whether the body of an answer decides too, so that it has as much time as the status line. @default false */
  readonly needsBody?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Sends one request and returns the answer, whatever its status; a redirect is an answer like any other.
 * @throws {DeliveryError} when there is no answer
 */
export const post = (connections: Connections, request: Post): Promise<PostAnswer> =>
  new Promise((resolve, reject) => {
    if (Object.values(request.headers).every((value) => HEADER.test(value))) {
      new Exchange(connections, request, resolve, reject).begin();
    } else reject(impossibleHeader(request.host));
  });

const headOf = ({ method = 'POST', path, host, headers, body }: Post): string => {
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  return `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
};

/** One request and its answer. Holds a timer, an abort callback and its place among the connections until it ends. */
class Exchange implements Waiting, ConnectionUser {
  readonly #connections: Connections;
  readonly #request: Post;
  readonly #resolve: (answer: PostAnswer) => void;
  readonly #reject: (error: DeliveryError) => void;
  readonly #deadline: number;
  readonly #stopListening: () => void;
  #timer: NodeJS.Timeout;
  #connection: Connection | undefined;
  #answer: AnswerReader | undefined;
  #hasStatus = false;
  #isSecondTry = false;
  #hasEnded = false;

  constructor(
    connections: Connections,
    request: Post,
    resolve: (answer: PostAnswer) => void,
    reject: (error: DeliveryError) => void,
  ) {
    this.#connections = connections;
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    const { host, timeoutMs, signal } = request;
    this.#deadline = performance.now() + timeoutMs;
    this.#timer = setTimeout(expire, timeoutMs, this);
    this.#stopListening = onAbort(signal, () => this.#end(() => aborted(host)));
  }

  begin(): void {
    this.#connections.take(this);
  }

  onConnection(connection: Connection): void {
    if (this.#hasEnded) {
      this.#connections.release(connection, undefined);
      return;
    }
    this.#connection = connection;
    this.#answer = connection.send(headOf(this.#request), this.#request.body, this);
  }

  onConnectError(error: Error): void {
    this.#end(() => networkError(this.#request.host, error));
  }

  onAnswer(): void {
    const answer = this.#answer as AnswerReader;
    if (answer.isNone) {
      this.#end(() => noAnswer(this.#request.host, 'what it sent is no HTTP answer', 'NOT_HTTP'));
      return;
    }
    if (answer.status === 0) return;
    if (!this.#hasStatus) {
      this.#hasStatus = true;
      this.#waitForRest();
    }
    // A destination that refuses a large body need not get all of it; one that takes it does.
    const isDone = answer.hasEnded && (this.#connection?.isSent === true || answer.status > 299);
    if (isDone || answer.isFull) this.#end();
  }

  onSent(): void {
    if (!this.#hasStatus) return;
    this.#waitForRest();
    if (this.#answer?.hasEnded) this.#end();
  }

  onGone(error: Error | undefined): void {
    const { host } = this.#request;
    const connection = this.#connection as Connection;
    const hasBegun = this.#answer?.hasBegun === true;
    this.#connection = undefined;
    // The destination closed it while nobody used it, and the request came too late.
    if (connection.isReused && !hasBegun && !this.#isSecondTry) {
      this.#isSecondTry = true;
      this.#connections.take(this, true);
      return;
    }
    if (hasBegun) this.#end(() => noAnswer(host, 'the connection ended before a status line', 'NOT_HTTP'));
    else this.#end(() => networkError(host, error, connection.isSecure && !connection.isReused));
  }

  expire(): void {
    this.#end(() => timedOut(this.#request.host));
  }

  /** The status line has come: do not wait much longer, unless more is to be sent or the body decides. */
  #waitForRest(): void {
    const leftMs = Math.max(this.#deadline - performance.now(), 0);
    const isNeeded = this.#request.needsBody === true || this.#connection?.isSent === false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(expire, isNeeded ? leftMs : Math.min(BODY_WAIT_MS, leftMs), this);
  }

  /** The status line decides: an error after it changes nothing. */
  #end(error?: () => DeliveryError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    this.#stopListening();
    const answer = this.#answer;
    const status = answer?.status ?? 0;
    if (answer === undefined || (status === 0 && error !== undefined)) {
      this.#connections.leave(this);
      this.#reject((error as () => DeliveryError)());
    } else this.#resolve({ status, retryAfter: answer.retryAfter, response: answer.body });
    this.#giveBack(answer);
  }

  #giveBack(answer: AnswerReader | undefined): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    const mayFollow = answer?.hasEnded === true && answer.isRegular && answer.keepsOpen && connection.isSent;
    if (mayFollow) this.#connections.release(connection, answer.keepsOpenMs);
    else {
      connection.leave();
      connection.close();
    }
  }
}

const expire = (exchange: Exchange): void => {
  exchange.expire();
};
