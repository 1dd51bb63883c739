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

/** Redis does not answer, or not in time: ioredis has no class of its own for most of these. */
const isRedisAway = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'MaxRetriesPerRequestError' ||
    /Connection is closed|Command timed out|Stream isn't writeable|ECONNREFUSED/.test(error.message));

/** Seconds. */
const RETRY_AFTER = '2';

/** The one place where an error becomes an answer: `{"error":{"code","message","issues"?}}`. */
export const renderErrors =
  (log: Logger): Middleware =>
  async (ctx, next) => {
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
      } else if (isRedisAway(error)) {
        ctx.status = 503;
        ctx.set('Retry-After', RETRY_AFTER);
        ctx.body = { error: { code: 'queue_unavailable', message: 'Redis does not answer; ask again later' } };
        log.warn({ path: ctx.path }, 'request.redis_away');
      } else {
        ctx.status = 500;
        ctx.body = { error: { code: 'internal_error', message: 'the request was not carried out; the log says why' } };
        const { name, stack } = error as Error;
        log.error({ path: ctx.path, name, frames: stack?.split('\n').slice(1, 6) }, 'request.failed');
      }
    }
  };
