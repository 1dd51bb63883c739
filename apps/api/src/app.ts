import type { Rate } from '@clickrelay/core';
import type { DestinationSettings } from '@clickrelay/destination-settings';
import type { Renderer } from '@clickrelay/metrics';
import { closeIfUnread } from '@clickrelay/service/http';
import Router from '@koa/router';
import Koa from 'koa';
import type { Logger } from 'pino';
import { alertOperations } from './alerts.ts';
import { auditOperations } from './audit.ts';
import { authenticate, findCallers } from './authenticate.ts';
import { createCarryOut } from './carry-out.ts';
import { credentialOperations } from './credentials.ts';
import { deadLetterGroupOperations } from './dead-letter-groups.ts';
import { deadLetterOperations } from './dead-letters.ts';
import { declareDestinationOperations } from './declare-destinations.ts';
import { deliveryOperations } from './deliveries.ts';
import { destinationSecretOperations } from './destination-secrets.ts';
import { destinationOperations } from './destinations.ts';
import { RequestRefusedError } from './errors.ts';
import { eventOperations } from './events.ts';
import { findOperations } from './find.ts';
import { healthOperations } from './health.ts';
import { hourOperations } from './hours.ts';
import { keyOperations } from './keys.ts';
import { lagOperations } from './lag.ts';
import { leaseOperations } from './leases.ts';
import { ledgerOperations } from './ledger.ts';
import { messageOperations } from './messages.ts';
import { onceOperations } from './once.ts';
import { openApiDocument } from './openapi.ts';
import type { Operation, Resources } from './operation.ts';
import { overviewOperations } from './overview.ts';
import { partOperations } from './parts.ts';
import { quarantineOperations } from './quarantine.ts';
import { quarantineManyOperations } from './quarantine-many.ts';
import { renderErrors } from './render-error.ts';
import { replayOperations } from './replays.ts';
import { serveConsole } from './serve-console.ts';
import { serveMetrics } from './serve-metrics.ts';
import { sessionOperations } from './sessions.ts';
import { setupOperations } from './setup.ts';
import { statusOperations } from './status.ts';
import { streamOperations } from './stream.ts';
import { testCallbackOperations } from './test-callback.ts';
import { tryDestinationOperations } from './try-destination.ts';

/** Everything that the API can do. How destinations may be declared depends on the loaded adapters. */
export const createOperations = (destinationSettings: DestinationSettings): readonly Operation[] => [
  ...eventOperations,
  ...messageOperations,
  ...deliveryOperations,
  ...deadLetterOperations,
  ...deadLetterGroupOperations,
  ...replayOperations,
  ...quarantineOperations,
  ...quarantineManyOperations,
  ...destinationOperations,
  ...declareDestinationOperations(destinationSettings),
  ...destinationSecretOperations,
  ...tryDestinationOperations,
  ...leaseOperations,
  ...onceOperations,
  ...keyOperations,
  ...sessionOperations,
  ...auditOperations,
  ...ledgerOperations,
  ...hourOperations,
  ...lagOperations,
  ...healthOperations,
  ...statusOperations,
  ...partOperations,
  ...setupOperations,
  ...credentialOperations,
  ...testCallbackOperations,
  ...overviewOperations,
  ...streamOperations,
  ...findOperations,
  ...alertOperations,
];

export interface Dependencies extends Resources {
  readonly apiKey: string;
  /** Opens `/metrics`, and nothing else; empty when there is no such token. */
  readonly metricsToken: string;
  /** Per key, `API_KEY` and leasing apart. */
  readonly rateLimit: Rate;
  readonly renderer: Pick<Renderer, 'render'>;
  readonly log: Logger;
  /** The folder of the built console; without it, there is none. */
  readonly consoleDir?: string | undefined;
}

/** The private port: every step of a request, in the order it meets them. */
export const createApp = ({
  apiKey,
  metricsToken,
  rateLimit,
  renderer,
  log,
  consoleDir,
  ...resources
}: Dependencies): Koa => {
  const app = new Koa();
  const router = new Router();
  const operations = createOperations(resources.destinationSettings);
  let document: object | undefined;

  // A connection broke in the middle of an answer. Without a listener Koa prints it.
  app.on('error', ({ name, code }: NodeJS.ErrnoException) => log.warn({ name, code }, 'request.broken'));
  app.use(async (ctx, next) => {
    await next();
    closeIfUnread(ctx.req, ctx.res);
  });
  app.use(renderErrors(log, resources.store.explain));
  app.use((ctx, next) => {
    if (ctx.path !== '/healthz') return next();
    ctx.body = { status: 'up' };
  });
  if (consoleDir !== undefined) app.use(serveConsole(consoleDir));
  const findCaller = findCallers(apiKey, resources.store);
  const publicPaths = new Set(
    operations.filter(({ isPublic }) => isPublic).map(({ method, path }) => `${method} ${path}`),
  );
  const authenticated = authenticate({ apiKey, store: resources.store, findCaller }, (ctx) =>
    publicPaths.has(`${ctx.method.toLowerCase()} ${ctx.path}`),
  );
  app.use(serveMetrics({ token: metricsToken, authenticated, renderer }));
  app.use(authenticated);
  router.get('/v1/openapi.json', (ctx) => {
    document ??= openApiDocument(operations, resources.version);
    ctx.body = document;
  });
  const carryOut = createCarryOut({ resources, findCaller, rateLimit });
  for (const operation of operations) {
    router[operation.method](operation.path.replace(/\{(\w+)\}/g, ':$1'), (ctx) => carryOut(operation, ctx));
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

const methodNotAllowed = new RequestRefusedError(
  405,
  'method_not_allowed',
  'this path does not take that method; see /v1/openapi.json',
);
