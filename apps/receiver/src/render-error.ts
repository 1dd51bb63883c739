import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { ReceiverMetrics } from '@clickrelay/metrics';
import type { RefusalCounter } from '@clickrelay/queue';
import { errorFields } from '@clickrelay/service/log';
import type { Context } from 'koa';
import type { Level, Logger } from 'pino';
import type { WriteAnswer } from './answer.ts';

export interface RefusalOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** How loud the log line is. @default 'warn' */
  readonly logLevel?: Level;
}

/** A request that is refused on purpose. The sender and the log get `message`: it holds no secret and no content. */
export class RefusalError extends Error {
  override readonly name = 'RefusalError';
  readonly expose = true;
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly logLevel: Level;

  constructor(status: number, code: string, message: string, options: RefusalOptions = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
    this.logLevel = options.logLevel ?? 'warn';
  }
}

/** In seconds. Clickatell retries on its own schedule; this is for proxies, and for our own sender. */
const RETRY_AFTER = '2';

export interface RenderErrorOptions {
  readonly metrics: ReceiverMetrics;
  readonly refusals: Pick<RefusalCounter, 'count'>;
  readonly log: Logger;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly answer: WriteAnswer;
}

/** The one place where an error becomes an answer: `{"error":{"code","message"}}`. */
export const renderError = (options: RenderErrorOptions): ((ctx: Context, error: unknown) => void) => {
  const { metrics, refusals, log, addressOf, answer } = options;
  return (ctx, error) => {
    const refusal = isExposed(error) ? error : undefined;
    const status = refusal?.status ?? 500;
    const code = refusal?.code ?? 'internal_error';
    const message = refusal?.message ?? 'the callback was not accepted; send it again';

    const headers: OutgoingHttpHeaders = { ...refusal?.headers };
    if (status === 503) headers['Retry-After'] = RETRY_AFTER;
    answer(ctx, status, JSON.stringify({ error: { code, message } }), headers);
    metrics.refused(code);
    refusals.count({ status, code });

    const fields = { status, code, ip: addressOf(ctx.req) };
    if (refusal)
      log[refusal.logLevel ?? 'error']({ ...fields, reason: message, ...causeOf(error) }, 'callback.refused');
    else log.error({ ...fields, ...errorFields(error) }, 'callback.failed');
  };
};

export const aborted = (): RefusalError =>
  new RefusalError(400, 'callback_aborted', 'the sender went away before its callback was complete', {
    logLevel: 'debug',
  });

/** 413: for a body as sent, and for a body once inflated. */
export const tooLarge = (maxBytes: number): RefusalError => {
  const message = `a callback may be ${maxBytes} bytes, this one is larger; raise \`MAX_BODY_BYTES\` before Clickatell sends it again`;
  return new RefusalError(413, 'callback_too_large', message, { logLevel: 'error' });
};

/** @throws {RefusalError} 405 `method_not_allowed`, with `Allow` */
export const allowMethods = (method: string, allowed: readonly string[]): void => {
  if (allowed.includes(method)) return;
  const list = allowed.join(', ');
  throw new RefusalError(405, 'method_not_allowed', `this path takes ${list}, got ${method}`, {
    headers: { Allow: list },
    logLevel: 'debug',
  });
};

/** An error that the sender may be told: those of this app, and those of the queue that say so themselves. */
interface ExposedError extends Error {
  readonly expose: true;
  readonly status: number;
  readonly code: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly logLevel?: Level;
}

const isExposed = (error: unknown): error is ExposedError =>
  error instanceof Error && 'expose' in error && error.expose === true && 'status' in error && 'code' in error;

const causeOf = (error: unknown): Record<string, unknown> => {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return {};
  return { causeName: cause.name, ...('code' in cause && { causeCode: cause.code }) };
};
