import { Buffer } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Envelope } from './samples.ts';

export interface SenderOptions {
  /**
   * One of the receiver's two callback URLs, or their common part, `http://localhost:8080/client-callback`, with or
   * without the path. A `?token=` is sent with each callback.
   */
  url: string;
  auth?: { basic: { user: string; password: string } } | { header: { name: string; value: string } };
  /**
   * POST everything to exactly this `url`, as when the portal has one URL for both sorts of callback. @default false
   */
  singleUrl?: boolean;
  /** How often to send a callback at most, including the first try. @default 5 */
  tries?: number;
  /** The pause before the second try, in ms; doubles each time. @default 100 */
  startDelayMs?: number;
  /** Time limit for an answer, in ms. Clickatell does not document its own. @default 10000 */
  timeoutMs?: number;
  /** Connections to keep open. @default 64 */
  connections?: number;
}

export interface SendResult {
  /** 2xx: accepted. 3xx: lost at once, Clickatell does not retry it. Otherwise lost after the last try. */
  accepted: boolean;
  /** The status of the last answer; 0 when there was none. */
  status: number;
  tries: number;
  /** From sending the last try to its answer, in ms. */
  ms: number;
  /** The last answer's body, or what went wrong instead. */
  answer: string;
}

export interface SendManyOptions {
  /** @default as fast as the connections allow */
  ratePerSecond?: number;
  /** The share of callbacks to send twice, 0 to 1. @default 0 */
  duplicate?: number;
  /** Shuffles callbacks among this many neighbours. @default 1, in order */
  shuffle?: number;
  /** Callbacks in flight at once. @default 16 */
  connections?: number;
  /** Stops sending; callbacks in flight finish or are given up. */
  signal?: AbortSignal;
  onResult?: (result: SendResult, envelope: Envelope | string | Uint8Array) => void;
  /** @default Math.random */
  random?: () => number;
}

export interface SendReport {
  /** Callbacks sent, duplicates included, resends not. */
  sent: number;
  accepted: number;
  /** Tries beyond the first. */
  resent: number;
  lost: number;
  /** How long the accepted tries took to be answered, in ms. */
  p50: number;
  p99: number;
  /** From the first callback to the last answer, in ms. */
  durationMs: number;
  /** How often each final status occurred; `0` is no answer. */
  statuses: Record<string, number>;
}

export interface Sender {
  /** Sends one callback as Clickatell does; text and bytes are sent unchanged. Never throws because of the receiver. */
  send(envelope: Envelope | string | Uint8Array, options?: { signal?: AbortSignal }): Promise<SendResult>;
  sendMany(envelopes: Iterable<Envelope | string | Uint8Array>, options?: SendManyOptions): Promise<SendReport>;
  close(): Promise<void>;
}

/**
 * A pretend Clickatell that keeps the documented rules: a 2xx acknowledges, a redirect loses the callback, after
 * anything else it sends the callback again
 * (https://help.clickatell.com/developers-api-reference/reference/one-api-client-callbacks).
 * @throws {TypeError} when `url` is not a URL
 */
export const createSender = (options: SenderOptions): Sender => {
  const { tries = 5, startDelayMs = 100, timeoutMs = 10_000, connections = 64, singleUrl = false } = options;
  const url = new URL(options.url);
  const prefix =
    url.pathname === '/' ? '/client-callback' : url.pathname.replace(/\/one-api-(reply|status)\/?$|\/$/, '');
  const pool = new Pool(url.origin, {
    connections,
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: timeoutMs },
  });
  const headers = { 'Content-Type': 'application/json', Accept: '*/*', ...authorization(options) };

  const send = async (
    envelope: Envelope | string | Uint8Array,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<SendResult> => {
    const body = typeof envelope === 'string' || envelope instanceof Uint8Array ? envelope : JSON.stringify(envelope);
    const path = singleUrl ? url.pathname : `${prefix}/${isStatusOnly(envelope) ? 'one-api-status' : 'one-api-reply'}`;
    for (let number = 1; ; number++) {
      const startedAt = performance.now();
      let status = 0;
      let answer: string;
      try {
        const response = await pool.request({
          method: 'POST',
          path: `${path}${url.search}`,
          headers,
          body,
          ...(signal === undefined ? {} : { signal }),
        });
        answer = await response.body.text();
        status = response.statusCode;
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        answer = code === undefined ? message : `${code}: ${message}`;
      }
      const result = {
        accepted: status >= 200 && status < 300,
        status,
        tries: number,
        ms: performance.now() - startedAt,
        answer,
      };
      const isRedirect = status >= 300 && status < 400;
      if (result.accepted || isRedirect || number >= tries || signal?.aborted) return result;
      await sleep(startDelayMs * 2 ** (number - 1), undefined, signal === undefined ? {} : { signal }).catch(() => {});
      if (signal?.aborted) return result;
    }
  };

  const sendMany = async (
    envelopes: Iterable<Envelope | string | Uint8Array>,
    {
      ratePerSecond,
      duplicate = 0,
      shuffle = 1,
      connections: inFlight = 16,
      signal,
      onResult,
      random = Math.random,
    }: SendManyOptions = {},
  ): Promise<SendReport> => {
    const report: SendReport = {
      sent: 0,
      accepted: 0,
      resent: 0,
      lost: 0,
      p50: 0,
      p99: 0,
      durationMs: 0,
      statuses: {},
    };
    const times: number[] = [];
    const startedAt = performance.now();
    const queue = shuffled(withDuplicates(envelopes, duplicate, random), shuffle, random);

    const lane = async (): Promise<void> => {
      for (;;) {
        if (signal?.aborted) return;
        const next = queue.next();
        if (next.done) return;
        const index = report.sent++;
        if (ratePerSecond !== undefined) {
          const waitMs = startedAt + (index * 1000) / ratePerSecond - performance.now();
          if (waitMs > 1) await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => {});
          if (signal?.aborted) {
            report.sent--;
            return;
          }
        }
        const result = await send(next.value, signal === undefined ? {} : { signal });
        report.resent += result.tries - 1;
        report.statuses[result.status] = (report.statuses[result.status] ?? 0) + 1;
        if (result.accepted) {
          report.accepted++;
          times.push(result.ms);
        } else {
          report.lost++;
        }
        onResult?.(result, next.value);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));

    times.sort((a, b) => a - b);
    report.p50 = percentile(times, 0.5);
    report.p99 = percentile(times, 0.99);
    report.durationMs = performance.now() - startedAt;
    return report;
  };

  // destroy() rather than close(), so that a hanging receiver does not keep a test waiting.
  return { send, sendMany, close: () => pool.destroy() };
};

const authorization = ({ auth }: SenderOptions): Record<string, string> => {
  if (auth === undefined) return {};
  if ('header' in auth) return { [auth.header.name]: auth.header.value };
  return { Authorization: `Basic ${Buffer.from(`${auth.basic.user}:${auth.basic.password}`).toString('base64')}` };
};

/** Whether Clickatell would post it to the status URL. Everything else, readable or not, goes to the reply URL. */
const isStatusOnly = (envelope: Envelope | string | Uint8Array): boolean => {
  let event: unknown;
  try {
    const parsed: unknown =
      typeof envelope === 'string' || envelope instanceof Uint8Array
        ? JSON.parse(typeof envelope === 'string' ? envelope : Buffer.from(envelope).toString())
        : envelope;
    event = (parsed as { event?: unknown } | null)?.event;
  } catch {
    return false;
  }
  if (typeof event !== 'object' || event === null) return false;
  const types = Object.keys(event);
  return types.length === 1 && types[0] === 'messageStatusUpdate';
};

function* withDuplicates<T>(items: Iterable<T>, share: number, random: () => number): Generator<T> {
  for (const item of items) {
    yield item;
    if (share > 0 && random() < share) yield item;
  }
}

function* shuffled<T>(items: Iterable<T>, window: number, random: () => number): Generator<T> {
  const held: T[] = [];
  const takeOne = () => held.splice(Math.floor(random() * held.length), 1)[0] as T;
  for (const item of items) {
    held.push(item);
    if (held.length >= window) yield takeOne();
  }
  while (held.length > 0) yield takeOne();
}

const percentile = (sorted: number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
