import type { IncomingMessage } from 'node:http';
import { type Callback, InvalidCallbackError, LARGE_CALLBACK_BYTES, parseCallback } from '@clickrelay/core';
import type { ReceiverMetrics } from '@clickrelay/metrics';
import type { Context } from 'koa';
import type { Logger } from 'pino';
import type { WriteAnswer } from './answer.ts';
import { inflate, UnreadableBodyError } from './inflate.ts';
import { createLargeBodies, type ParsedLarge } from './large-bodies.ts';
import { queryData } from './query-data.ts';
import { readBody } from './read-body.ts';

/** @param request that brought the callback */
export type Commit = (callback: Callback | ParsedLarge, receivedAt: string, request: IncomingMessage) => Promise<void>;

export interface ReceiveOptions {
  /** Resolves when the callback is on stable storage, and not before. */
  readonly commit: Commit;
  /** Keeps the bytes of a callback that cannot be used; resolves to its `qrt_` id when they are on stable storage. */
  readonly quarantine: (entry: { body: Uint8Array; reason: string; receivedAt: string }) => Promise<string>;
  readonly maxBodyBytes: number;
  /** Empty: any integration. */
  readonly integrationIds: ReadonlySet<string>;
  readonly metrics: ReceiverMetrics;
  readonly log: Logger;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly answer: WriteAnswer;
}

/**
 * Takes the callback of an authenticated sender. Everything it sends is kept one way or the other: a refused callback
 * may come again for ever, or never. Clickatell documents neither.
 */
export const receive = (options: ReceiveOptions): ((ctx: Context) => Promise<void>) => {
  const { commit, quarantine, maxBodyBytes, integrationIds, metrics, log, addressOf, answer } = options;
  const now = createClock();
  const largeBodies = createLargeBodies(options);

  return async (ctx) => {
    const receivedAt = now();
    let body = await readBody(ctx.req, ctx.res, { maxBytes: maxBodyBytes, largeBodies });
    let callback: Callback | ParsedLarge;

    try {
      const encoding = ctx.req.headers['content-encoding'];
      if (encoding !== undefined) {
        // A large body has already found room for its inflated bytes.
        const hasRoom = body.length > LARGE_CALLBACK_BYTES;
        const findRoom = async (bytes: number) => (hasRoom ? undefined : largeBodies.findRoom(bytes, ctx.res));
        body = await inflate(body, encoding, { maxBytes: maxBodyBytes, findRoom });
      }
      if (body.length === 0) {
        const data = queryData(ctx.req.url ?? '');
        if (data === '') {
          answer(ctx, 200, '{"accepted":0}');
          return;
        }
        body = Buffer.from(`${ctx.method} ${ctx.path}?${data}`);
        throw new DataInQueryError(`data must be JSON in the body of a POST, got it in the query of a ${ctx.method}`);
      }
      callback = body.length > LARGE_CALLBACK_BYTES ? await largeBodies.parse(body) : parseCallback(body);
      checkIntegration(callback, integrationIds);
    } catch (error) {
      if (!isUnusable(error)) throw error;
      const id = await quarantine({ body, reason: error.message, receivedAt });
      answer(ctx, 200, JSON.stringify({ accepted: 0, quarantined: id }));
      metrics.quarantined();
      const ms = msSince(receivedAt);
      log.warn({ id, reason: error.message, bytes: body.length, ms, ip: addressOf(ctx.req) }, 'callback.quarantined');
      return;
    }

    const since = performance.now();
    await commit(callback, receivedAt, ctx.req);
    answer(ctx, 200, `{"accepted":${callback.eventCount}}`);
    metrics.accepted(callback.lane, performance.now() - since);

    // At thousands a second, a line for each would cost more than the rest of this function: they are for debugging.
    if (log.isLevelEnabled('debug')) {
      const { lane, eventCount: events } = callback;
      const ms = msSince(receivedAt);
      log.debug({ lane, events, bytes: body.length, ms, ip: addressOf(ctx.req) }, 'callback.received');
    }
  };
};

/**
 * The time as ISO 8601. Under load many callbacks share a millisecond, and formatting it costs as much as the
 * credential.
 */
const createClock = (): (() => string) => {
  let ms = 0;
  let text = '';
  return () => {
    const present = Date.now();
    if (present !== ms) text = new Date(present).toISOString();
    ms = present;
    return text;
  };
};

const msSince = (time: string): number => Date.now() - Date.parse(time);

/** The data is in the URL, as older pages of Clickatell send it. The request line is kept, without its credential. */
class DataInQueryError extends Error {}

/** The body is an envelope of an integration that is not on the list. */
class UnexpectedIntegrationError extends Error {}

/**
 * A wrong id means a wrong setting, or a secret that has leaked. Retries mend neither, and a refused callback may come
 * again for ever, or never: it waits in quarantine, where a person lets it in or removes it.
 */
const checkIntegration = (callback: Pick<Callback, 'integrationId'>, allowed: ReadonlySet<string>): void => {
  if (allowed.size === 0 || (callback.integrationId !== null && allowed.has(callback.integrationId))) return;
  const got = callback.integrationId === null ? 'none' : 'another one';
  throw new UnexpectedIntegrationError(`integrationId must be one of CALLBACK_INTEGRATION_IDS, got ${got}`);
};

const isUnusable = (error: unknown): error is Error =>
  error instanceof InvalidCallbackError ||
  error instanceof UnreadableBodyError ||
  error instanceof DataInQueryError ||
  error instanceof UnexpectedIntegrationError;
