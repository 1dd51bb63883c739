import { QueueUnavailableError } from '@clickrelay/core';
import Router from '@koa/router';
import Koa, { type Context } from 'koa';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { authenticate } from './authenticate.ts';
import { deadLetterOperations } from './dead-letters.ts';
import { deliveryOperations } from './deliveries.ts';
import { destinationOperations } from './destinations.ts';
import { eventOperations } from './events.ts';
import { messageOperations } from './messages.ts';
import { openApiDocument } from './openapi.ts';
import { type Operation, RefusalError, type Resources } from './operation.ts';
import { quarantineOperations } from './quarantine.ts';
import { renderErrors } from './render-error.ts';
import { statusOperations } from './status.ts';

/** Everything that the API can do. */
export const operations: readonly Operation[] = [
  ...eventOperations,
  ...messageOperations,
  ...deliveryOperations,
  ...deadLetterOperations,
  ...quarantineOperations,
  ...destinationOperations,
  ...statusOperations,
];

export interface Dependencies extends Resources {
  readonly apiKey: string;
  readonly log: Logger;
}

/** The private port: every step of a request, in the order it meets them. */
export const createApp = ({ apiKey, log, ...resources }: Dependencies): Koa => {
  const app = new Koa();
  const router = new Router();
  let document: object | undefined;

  app.use(renderErrors(log));
  app.use((ctx, next) => {
    if (ctx.path !== '/healthz') return next();
    ctx.body = { status: 'up' };
  });
  app.use(authenticate(apiKey));
  router.get('/v1/openapi.json', (ctx) => {
    document ??= openApiDocument(operations, resources.version);
    ctx.body = document;
  });
  for (const operation of operations) {
    router[operation.method](operation.path.replace(/\{(\w+)\}/g, ':$1'), (ctx) => carryOut(operation, ctx, resources));
  }
  app.use(router.routes());
  app.use(
    router.allowedMethods({
      throw: true,
      methodNotAllowed: () => methodNotAllowed,
      notImplemented: () => methodNotAllowed,
    }),
  );
  return app;
};

const methodNotAllowed = new RefusalError(
  405,
  'method_not_allowed',
  'this path does not take that method; see /v1/openapi.json',
);

const carryOut = async (operation: Operation, ctx: Context, resources: Resources): Promise<void> => {
  const request = {
    params: check(operation.params, ctx['params'], 'path'),
    query: check(operation.query, { ...ctx.query }, 'query'),
    body: operation.body && check(operation.body, await readJson(ctx), 'body'),
  };
  // BullMQ waits without end for a Redis that never was there.
  resources.store.assertConnected();
  const answer = await withDeadline(operation.run(request as never, resources));
  ctx.status = operation.status ?? 200;
  if (operation.response === undefined) ctx.body = null;
  else ctx.body = answer;
};

/** In ms. Several times what one command may take, because an operation may need a few. */
const OPERATION_DEADLINE_MS = 5_000;

/** @throws {QueueUnavailableError} */
const withDeadline = async <Value>(promise: Promise<Value>): Promise<Value> => {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    const message = `Redis did not answer within ${OPERATION_DEADLINE_MS} ms; what was asked for may still happen`;
    timer = setTimeout(() => reject(new QueueUnavailableError(message)), OPERATION_DEADLINE_MS);
  });
  return await Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
};

/** @throws {RefusalError} 400 `invalid_request`, with issues that hold no received value */
const check = (schema: z.ZodType | undefined, value: unknown, part: string): unknown => {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  throw new RefusalError(400, 'invalid_request', `the ${part} of this request does not fit; see the issues`, issues);
};

const MAX_REQUEST_BYTES = 256 * 1024;

/** The body of a request; undefined when there is none. */
const readJson = async (ctx: Context): Promise<unknown> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of ctx.req) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_REQUEST_BYTES) {
      throw new RefusalError(413, 'request_too_large', `a request may have ${MAX_REQUEST_BYTES} bytes`);
    }
    chunks.push(chunk as Buffer);
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new RefusalError(400, 'invalid_request', 'the body of this request is not JSON');
  }
};
