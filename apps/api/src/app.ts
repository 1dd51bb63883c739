import { Readable } from 'node:stream';
import { QueueUnavailableError, type Rate } from '@clickrelay/core';
import type { Renderer } from '@clickrelay/metrics';
import { recordAudit, withDeadline } from '@clickrelay/queue';
import Router from '@koa/router';
import Koa, { type Context } from 'koa';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { auditOperations } from './audit.ts';
import {
  authenticate,
  type Caller,
  callerOf,
  type FindCaller,
  findCallers,
  nameOf,
  OWNER,
  sessionOf,
} from './authenticate.ts';
import { authorize } from './authorize.ts';
import { assertSameOrigin, sessionIdOf, setSessionCookie } from './browser.ts';
import { deadLetterGroupOperations } from './dead-letter-groups.ts';
import { deadLetterOperations } from './dead-letters.ts';
import { deliveryOperations } from './deliveries.ts';
import { destinationSecretOperations } from './destination-secrets.ts';
import { destinationOperations } from './destinations.ts';
import { eventOperations } from './events.ts';
import { findOperations } from './find.ts';
import { keyOperations } from './keys.ts';
import { leaseOperations } from './leases.ts';
import { ledgerOperations } from './ledger.ts';
import { messageOperations } from './messages.ts';
import { openApiDocument } from './openapi.ts';
import {
  type Browser,
  type Exchange,
  JsonText,
  type Operation,
  RefusalError,
  type Resources,
  revealQuery,
  ServerSentEvents,
} from './operation.ts';
import { overviewOperations } from './overview.ts';
import { quarantineOperations } from './quarantine.ts';
import { createRateLimit, type RateLimit } from './rate-limit.ts';
import { renderErrors } from './render-error.ts';
import { replayOperations } from './replays.ts';
import { recordReveal, wantsPersonalData } from './reveal.ts';
import { serveMetrics } from './serve-metrics.ts';
import { sessionOperations } from './sessions.ts';
import { setupOperations } from './setup.ts';
import { statusOperations } from './status.ts';
import { streamOperations } from './stream.ts';
import { testCallbackOperations } from './test-callback.ts';
import { tryDestinationOperations } from './try-destination.ts';

/** Everything that the API can do. */
export const operations: readonly Operation[] = [
  ...eventOperations,
  ...messageOperations,
  ...deliveryOperations,
  ...deadLetterOperations,
  ...deadLetterGroupOperations,
  ...replayOperations,
  ...quarantineOperations,
  ...destinationOperations,
  ...destinationSecretOperations,
  ...tryDestinationOperations,
  ...leaseOperations,
  ...keyOperations,
  ...sessionOperations,
  ...auditOperations,
  ...ledgerOperations,
  ...statusOperations,
  ...setupOperations,
  ...testCallbackOperations,
  ...overviewOperations,
  ...streamOperations,
  ...findOperations,
];

export interface Dependencies extends Resources {
  readonly apiKey: string;
  /** Opens `/metrics`, and nothing else; empty: nothing of its own does. */
  readonly metricsToken: string;
  /** Of each key but `API_KEY`; leasing apart. */
  readonly rateLimit: Rate;
  readonly renderer: Pick<Renderer, 'render'>;
  readonly log: Logger;
}

/** The private port: every step of a request, in the order it meets them. */
export const createApp = ({ apiKey, metricsToken, rateLimit, renderer, log, ...resources }: Dependencies): Koa => {
  const app = new Koa();
  const router = new Router();
  let document: object | undefined;

  // Of connections that broke in the middle of an answer; without a listener Koa prints them.
  app.on('error', ({ name, code }: NodeJS.ErrnoException) => log.warn({ name, code }, 'request.broken'));
  app.use(renderErrors(log));
  app.use((ctx, next) => {
    if (ctx.path !== '/healthz') return next();
    ctx.body = { status: 'up' };
  });
  const findCaller = findCallers(apiKey, resources.store);
  const publicPaths = new Set(
    operations.filter(({ isPublic }) => isPublic).map(({ method, path }) => `${method} ${path}`),
  );
  const authenticated = authenticate({ apiKey, store: resources.store, findCaller }, (ctx) =>
    publicPaths.has(`${ctx.method.toLowerCase()} ${ctx.path}`),
  );
  const limits: Limits = { requests: createRateLimit(overSeconds(rateLimit)), signIns: createRateLimit(SIGN_INS) };
  app.use(serveMetrics({ token: metricsToken, authenticated, renderer }));
  app.use(authenticated);
  router.get('/v1/openapi.json', (ctx) => {
    document ??= openApiDocument(operations, resources.version);
    ctx.body = document;
  });
  for (const operation of operations) {
    router[operation.method](operation.path.replace(/\{(\w+)\}/g, ':$1'), (ctx) =>
      carryOut(operation, ctx, { resources, findCaller, limits }),
    );
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

interface Limits {
  readonly requests: RateLimit;
  readonly signIns: RateLimit;
}

/** Of one address; who has a key needs one. */
const SIGN_INS: Rate = { max: 20, spanMs: 60_000 };

/** What is allowed in a second may come at once. */
const overSeconds = ({ max, spanMs }: Rate): Rate => {
  const times = Math.max(1, Math.ceil(1_000 / spanMs));
  return { max: max * times, spanMs: spanMs * times };
};

/** Consumers go as fast as they can, and must: these are bounded by how many leases may be out. */
const isLimited = ({ scopes, isPublic = false }: Operation, caller: Caller): boolean =>
  !isPublic && caller !== OWNER && !(scopes.length === 1 && scopes[0] === 'lease');

interface Surroundings {
  readonly resources: Resources;
  readonly findCaller: FindCaller;
  readonly limits: Limits;
}

const carryOut = async (
  operation: Operation,
  ctx: Context,
  { resources, findCaller, limits }: Surroundings,
): Promise<void> => {
  const caller = callerOf(ctx);
  if (isLimited(operation, caller)) limits.requests.take(nameOf(caller));
  const scope = authorize(operation, caller);
  const request = {
    params: check(operation.params, ctx['params'], 'path'),
    query: check(operation.query, { ...ctx.query }, 'query'),
    body: operation.body && check(operation.body, await readJson(ctx), 'body'),
  };
  const { reveal } = check(revealQuery, { reveal: ctx.query['reveal'] }, 'query') as z.output<typeof revealQuery>;
  const isRevealed = operation.mask !== undefined && wantsPersonalData(caller, { reveal });
  // BullMQ waits without end for a Redis that never was there.
  resources.store.assertConnected();
  const { signal, onUnsent } = watchCaller(ctx);
  const audit: Exchange['audit'] = (action, target, detail) =>
    recordAudit(resources.store, { by: nameOf(caller), action, target, ...(detail && { detail }) });
  const browser: Browser = {
    session: sessionOf(ctx),
    sessionId: sessionIdOf(ctx),
    lastEventId: ctx.get('last-event-id').slice(0, 200) || undefined,
    setSession: (sessionId) => setSessionCookie(ctx, sessionId),
    assertSameOrigin: () => assertSameOrigin(ctx, { needed: false }),
    countSignIn: () => limits.signIns.take(ctx.ip),
  };
  const exchange = { caller, scope, signal, onUnsent, audit, browser, findCaller };
  const run = async (): Promise<unknown> => {
    const answer = await operation.run(request as never, resources, exchange);
    if (operation.mask === undefined) return answer;
    if (!isRevealed) return operation.mask(answer as never);
    if (reveal === 'true') await recordReveal(operation, { path: ctx.path, answer, audit });
    return answer;
  };
  const deadlineMs = operation.deadlineMs ?? OPERATION_DEADLINE_MS;
  const answer = await withDeadline(run(), deadlineMs, {
    error: () =>
      new QueueUnavailableError(`Redis did not answer within ${deadlineMs} ms; what was asked for may still happen`),
  });
  ctx.status = operation.status ?? 200;
  ctx.set('Cache-Control', 'no-store');
  if (answer instanceof ServerSentEvents) {
    ctx.type = 'text/event-stream';
    // Proxies would keep it until there is enough.
    ctx.set('X-Accel-Buffering', 'no');
    ctx.body = Readable.from(answer.lines);
  } else if (answer instanceof JsonText) {
    ctx.type = 'json';
    ctx.body = answer.text;
  } else ctx.body = operation.response === undefined ? null : answer;
};

/** Tells when the caller goes away before it has its answer. */
const watchCaller = (ctx: Context): Pick<Exchange, 'signal' | 'onUnsent'> => {
  const { res } = ctx;
  const gone = new AbortController();
  const tell = (): void => {
    if (!res.writableFinished) gone.abort();
  };
  if (res.closed) tell();
  else res.once('close', tell);
  return {
    signal: gone.signal,
    onUnsent: (undo) => {
      // Nobody is there to be told: it goes to the log.
      const undoOrReport = (): void => void undo().catch((error) => ctx.app.emit('error', error, ctx));
      if (gone.signal.aborted) undoOrReport();
      else gone.signal.addEventListener('abort', undoOrReport);
    },
  };
};

/** In ms. Several times what one command may take, because an operation may need a few. */
const OPERATION_DEADLINE_MS = 5_000;

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
