import type { OutgoingHttpHeaders } from 'node:http';
import { closeIfUnread } from '@clickrelay/service/http';
import Koa, { type Context } from 'koa';

/** Writes an answer: status, JSON body, headers. */
export type WriteAnswer = (ctx: Context, status: number, body: string, headers?: OutgoingHttpHeaders) => void;

/**
 * Makes the function that writes every answer of the receiver: a whole JSON text at once. It bypasses Koa's `ctx.body`,
 * whose handling of streams, types and lengths costs about as much as parsing the callback.
 */
export const createAnswer =
  (stopping: AbortSignal): WriteAnswer =>
  (ctx, status, body, headers) => {
    ctx.respond = false;
    if (stopping.aborted) ctx.res.setHeader('Connection', 'close');
    closeIfUnread(ctx.req, ctx.res);
    for (const name in headers) ctx.res.setHeader(name, headers[name] as string);
    ctx.res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    ctx.res.end(ctx.req.method === 'HEAD' ? undefined : body);
  };

/**
 * Koa without its watch over the socket of each response, which costs more than the rest of Koa. It would only tell of
 * senders that went away before they had their answer: a committed callback stays committed.
 */
export class LeanKoa extends Koa {
  handleRequest(ctx: Context, middleware: (ctx: Context) => Promise<void>): Promise<void> {
    return middleware(ctx).catch((error) => ctx.onerror(error));
  }
}
