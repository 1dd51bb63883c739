import { createErrorLog, type ExplainRedis } from '@clickrelay/service/log';
import type { Middleware } from 'koa';
import type { Logger } from 'pino';

interface Exposed extends Error {
  readonly expose: true;
  readonly status: number;
  readonly code: string;
  readonly retryAfterMs?: number | undefined;
  readonly issues?: readonly { path: string; message: string }[];
}

const isExposed = (error: unknown): error is Exposed =>
  error instanceof Error && 'expose' in error && error.expose === true && 'status' in error && 'code' in error;

/** What a connection that breaks, or is refused, is called by the operating system. */
const NETWORK_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

/**
 * Whether Redis did not answer, or not in time. ioredis has a class for one such failure only; for a closed connection
 * or a command that timed out it throws a plain `Error` without a code. Nothing else does: Redis's own errors, ours and
 * those of faulty code have classes of their own.
 */
const isRedisAway = (error: unknown): error is Error => {
  if (!(error instanceof Error)) return false;
  if (error.name === 'MaxRetriesPerRequestError') return true;
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? error.constructor === Error : NETWORK_CODES.has(code);
};

/** Redis answered, and refused: for want of a permission, memory or disk. */
const isRefusal = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError';

/** The message stays out of the log: it may hold a command with its arguments. */
const whereOf = ({ name, stack }: Error) => ({ name, frames: stack?.split('\n').slice(1, 6) });

/** Seconds. */
const RETRY_AFTER = '2';

/** The one place where an error becomes an answer: `{"error":{"code","message","issues"?}}`. */
export const renderErrors = (log: Logger, explain: ExplainRedis): Middleware => {
  const logRedis = createErrorLog((fields) => log.warn(fields, 'request.redis_away'), explain);
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined) {
        ctx.status = 404;
        ctx.body = {
          error: { code: 'not_found', message: `nothing is served at ${ctx.method} ${ctx.path.slice(0, 120)}` },
        };
      }
    } catch (error) {
      if (isExposed(error)) {
        const { status, code, message, issues, retryAfterMs } = error;
        ctx.status = status;
        if (status === 503) ctx.set('Retry-After', RETRY_AFTER);
        if (retryAfterMs !== undefined) ctx.set('Retry-After', String(Math.ceil(retryAfterMs / 1_000)));
        ctx.body = { error: { code, message, ...(issues && { issues }) } };
      } else if (isRedisAway(error) || (isRefusal(error) && explain(error) !== undefined)) {
        ctx.status = 503;
        ctx.set('Retry-After', RETRY_AFTER);
        const message = `${explain(error)?.cause ?? 'Redis does not answer'}; ask again later`;
        ctx.body = { error: { code: 'queue_unavailable', message } };
        logRedis(error);
      } else {
        ctx.status = 500;
        ctx.body = { error: { code: 'internal_error', message: 'the request was not carried out; the log says why' } };
        log.error({ path: ctx.path, ...whereOf(error as Error) }, 'request.failed');
      }
    }
  };
};
