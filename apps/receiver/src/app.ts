import type { IncomingMessage } from 'node:http';
import type { ReceiverMetrics } from '@clickrelay/metrics';
import type { DurabilityReport, Readiness, RefusalCounter } from '@clickrelay/queue';
import { errorFields } from '@clickrelay/service/log';
import type Koa from 'koa';
import type { Context } from 'koa';
import type { Logger } from 'pino';
import { allowAddresses } from './allow-addresses.ts';
import { createAnswer, LeanKoa } from './answer.ts';
import { answerProbes, callbackPaths } from './answer-probes.ts';
import { type AcceptedCredentials, authenticate } from './authenticate.ts';
import { clientAddress } from './client-address.ts';
import type { Config } from './config.ts';
import { answerHealth, requireDurable } from './health.ts';
import { type ReceiveOptions, receive } from './receive.ts';
import { renderError } from './render-error.ts';

export interface Dependencies extends Pick<ReceiveOptions, 'commit' | 'quarantine'> {
  readonly config: Config;
  /** Undefined: a callback of anyone is accepted. */
  readonly credentials: AcceptedCredentials | undefined;
  readonly durability: () => DurabilityReport;
  readonly readiness: () => Readiness;
  /** Callbacks are kept on this machine while Redis is away. */
  readonly hasSpool: boolean;
  /** Aborted when this process has been told to stop. */
  readonly stopping: AbortSignal;
  readonly metrics: ReceiverMetrics;
  readonly refusals: Pick<RefusalCounter, 'count'>;
  readonly log: Logger;
}

/** Wrong credentials from one address before 401 becomes 429. */
const FAILURES_PER_MINUTE = 20;

/** The receiver: every step of a request, in the order it meets them. */
export const createApp = (dependencies: Dependencies): Koa => {
  const { config, credentials, metrics, refusals, log, stopping } = dependencies;
  const address = (request: IncomingMessage) => clientAddress(request, config.TRUSTED_PROXIES);
  const addressOf = (request: IncomingMessage) => address(request)?.toString() ?? 'unknown';
  const answer = createAnswer(stopping);
  const answeredHealth = answerHealth({ ...dependencies, answer });
  const answeredProbe = answerProbes({ paths: callbackPaths(config.CALLBACK_PATH_PREFIX), answer });
  const allowAddress = config.CALLBACK_ALLOW_IPS.length > 0 && allowAddresses(config.CALLBACK_ALLOW_IPS, address);
  const checkCredential =
    credentials && authenticate({ credentials, addressOf: address, failuresPerMinute: FAILURES_PER_MINUTE });
  const checkDurability = requireDurable(dependencies);
  const receiveCallback = receive({
    ...dependencies,
    addressOf,
    answer,
    maxBodyBytes: config.MAX_BODY_BYTES,
    integrationIds: config.CALLBACK_INTEGRATION_IDS,
  });
  const answerError = renderError({ metrics, refusals, log, addressOf, answer });

  const app = new LeanKoa();
  // One step for Koa: a chain of steps took a tenth of the time of a callback.
  app.use(async (ctx) => {
    try {
      const path = pathOf(ctx);
      if (answeredHealth(ctx, path) || answeredProbe(ctx, path)) return;
      if (allowAddress) allowAddress(ctx.req);
      if (checkCredential) checkCredential(ctx.req);
      checkDurability();
      await receiveCallback(ctx);
    } catch (error) {
      answerError(ctx, error);
    }
  });

  // Koa's last resort: an error while answering an error, or a sender that went away (headerSent), which the
  // interrupted step has logged.
  app.on('error', (error: Error & { headerSent?: boolean }) => {
    if (!error.headerSent) log.error(errorFields(error), 'response.failed');
  });
  return app;
};

/** Koa parses only the few URLs that name a host as well: its parser takes as long as checking the credential. */
const pathOf = (ctx: Context): string => {
  const url = ctx.req.url ?? '';
  if (!url.startsWith('/')) return ctx.path;
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
};
