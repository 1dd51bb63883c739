import { DeliveryError, MAX_RESPONSE_BYTES } from '@clickrelay/core';
import type { Dispatcher } from 'undici';
import { onAbort } from './on-abort.ts';

/** How long to wait for the body once the status line has decided the attempt, in ms. */
const BODY_WAIT_MS = 1000;

export interface PostAnswer {
  readonly status: number;
  readonly retryAfter: string | string[] | undefined;
  /** The first 16 KB of the body. */
  readonly response: string;
}

export interface Post {
  /** Names the destination in errors. */
  readonly host: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | Buffer;
  /** Time limit in ms from now to the status line. Nothing that the destination sends extends it. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Sends one POST and returns the answer, whatever its status; a redirect is an answer like any other.
 * @throws {DeliveryError} when there is no answer
 */
export const post = (
  dispatcher: Dispatcher,
  { host, path, headers, body, timeoutMs, signal }: Post,
): Promise<PostAnswer> =>
  new Promise((resolve, reject) => {
    const exchange = new Exchange(host, timeoutMs, signal, resolve, reject);
    dispatcher.dispatch({ method: 'POST', path, headers, body }, exchange);
  });

/** One request and its answer. Holds a timer and an abort callback until it ends, and a connection while it is sent. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #host: string;
  readonly #deadline: number;
  readonly #resolve: (answer: PostAnswer) => void;
  readonly #reject: (error: DeliveryError) => void;
  readonly #stopListening: () => void;
  #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #ended = false;
  #status = 0;
  #retryAfter: string | string[] | undefined;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(
    host: string,
    timeoutMs: number,
    signal: AbortSignal,
    resolve: (answer: PostAnswer) => void,
    reject: (error: DeliveryError) => void,
  ) {
    this.#host = host;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadline = performance.now() + timeoutMs;
    this.#timer = setTimeout(expire, timeoutMs, this);
    this.#stopListening = onAbort(signal, () => this.#end(() => aborted(host)));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // The attempt ended while it waited for a connection. Throwing here drops the request before a byte of it is sent.
    if (this.#ended) throw new Error('request was given up');
    this.#controller = controller;
  }

  onResponseStart(_: unknown, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    this.#status = status;
    this.#retryAfter = headers['retry-after'];
    clearTimeout(this.#timer);
    this.#timer = setTimeout(expire, Math.max(Math.min(BODY_WAIT_MS, this.#deadline - performance.now()), 0), this);
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    if (this.#ended) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_RESPONSE_BYTES) this.#end();
  }

  onResponseEnd(): void {
    this.#controller = undefined; // the connection is free for the next delivery: do not close it
    this.#end();
  }

  onResponseError(_: unknown, cause: Error): void {
    this.#end(() => networkError(this.#host, cause));
  }

  expire(): void {
    this.#end(() => timedOut(this.#host));
  }

  /** The status line decides: an error after it, in the body, changes nothing. */
  #end(error?: () => DeliveryError): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#stopListening();
    if (this.#status === 0 && error !== undefined) this.#reject(error());
    else this.#resolve({ status: this.#status, retryAfter: this.#retryAfter, response: toText(this.#chunks) });
    this.#controller?.abort(new Error('attempt has ended'));
    this.#chunks = [];
  }
}

const expire = (exchange: Exchange): void => {
  exchange.expire();
};

const toText = (chunks: Buffer[]): string => {
  if (chunks.length === 0) return '';
  return Buffer.concat(chunks).toString('utf8', 0, MAX_RESPONSE_BYTES);
};

export const aborted = (host: string): DeliveryError =>
  new DeliveryError('delivery_aborted', `delivery to ${host} was stopped half-way`, { retryable: true });

const timedOut = (host: string, cause?: string): DeliveryError =>
  new DeliveryError('destination_timeout', `${host} did not answer in time`, { retryable: true, cause });

const TIMEOUT_CODES = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT']);
const REQUEST_CODES = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

/**
 * Reports only the error's code: the messages of Node and undici may hold addresses, headers and bytes of the answer.
 */
const networkError = (host: string, error: Error & { code?: unknown }): DeliveryError => {
  if (error instanceof DeliveryError) return error;
  const code = typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(error.code) ? error.code : 'UNKNOWN';
  if (REQUEST_CODES.has(code)) {
    const message = `${host} was not called: a header of the delivery has a character that HTTP does not allow`;
    return new DeliveryError('delivery_not_built', message, { retryable: false, cause: code });
  }
  if (TIMEOUT_CODES.has(code)) {
    return timedOut(host, code);
  }
  return new DeliveryError('destination_unreachable', `no answer from ${host} (${code})`, {
    retryable: true,
    cause: code,
  });
};
