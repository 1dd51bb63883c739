import { Readable } from 'node:stream';
import type { Context } from 'koa';
import { JsonText, type Operation, ServerSentEvents } from './operation.ts';

/** Writes what an operation answered. */
export const sendAnswer = (
  ctx: Context,
  { status = 200, response }: Pick<Operation, 'status' | 'response'>,
  answer: unknown,
): void => {
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  if (answer instanceof ServerSentEvents) {
    ctx.type = 'text/event-stream';
    // Proxies would hold the stream back until they have enough of it.
    ctx.set('X-Accel-Buffering', 'no');
    ctx.body = Readable.from(answer.lines);
  } else if (answer instanceof JsonText) {
    ctx.type = 'json';
    ctx.body = answer.text;
  } else ctx.body = response === undefined ? null : answer;
};
