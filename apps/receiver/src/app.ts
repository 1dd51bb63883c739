import type { IncomingMessage } from 'node:http';
import type { ReceiverMetrics } from '@clickrelay/metrics';
import type { DurabilityReport, Readiness } from '@clickrelay/queue';
import type Koa from 'koa';
import type { Logger } from 'pino';
import { allowAddresses } from './allow-addresses.ts';
import { createAnswer, LeanKoa } from './answer.ts';
import { answerProbes, callbackPaths } from './answer-probes.ts';
import { authenticate } from './authenticate.ts';
import { clientAddress } from './client-address.ts';
import type { Config } from './config.ts';
import { answerHealth, requireDurable } from './health.ts';
import { type ReceiveOptions, receive } from './receive.ts';
import { describeError, renderErrors } from './render-error.ts';

export interface Dependencies extends Pick<ReceiveOptions, 'commit' | 'quarantine'> {
  readonly config: Config;
  readonly durability: () => DurabilityReport;
  readonly readiness: () => Readiness;
  /** Callbacks are kept on this machine while Redis is away. */
  readonly hasSpool: boolean;
  /** Aborted when this process has been told to stop. */
  readonly stopping: AbortSignal;
  readonly metrics: ReceiverMetrics;
  readonly log: Logger;
}

/** Wrong credentials from one address before 401 becomes 429. */
const FAILURES_PER_MINUTE = 20;

/** The receiver: every step of a request, in the order it meets them. */
export function createApp(dependencies: Dependencies): Koa {
  const { config, metrics, log, stopping } = dependencies;
  const address = (request: IncomingMessage) => clientAddress(request, config.TRUSTED_PROXIES);
  const addressOf = (request: IncomingMessage) => address(request)?.toString() ?? 'unknown';
  const answer = createAnswer(stopping);
  const app = new LeanKoa();

  app.use(renderErrors({ metrics, log, addressOf, answer }));
  app.use(answerHealth({ ...dependencies, answer }));
  app.use(answerProbes({ paths: callbackPaths(config.CALLBACK_PATH_PREFIX), answer }));
  if (config.CALLBACK_ALLOW_IPS.length > 0) app.use(allowAddresses(config.CALLBACK_ALLOW_IPS, address));
  if (config.CALLBACK_AUTH !== 'none') {
    app.use(
      authenticate({ credentials: config.CALLBACK_AUTH, addressOf: address, failuresPerMinute: FAILURES_PER_MINUTE }),
    );
  }
  app.use(requireDurable(dependencies));
  app.use(
    receive({
      ...dependencies,
      addressOf,
      answer,
      maxBodyBytes: config.MAX_BODY_BYTES,
      integrationIds: config.CALLBACK_INTEGRATION_IDS,
    }),
  );

  // Koa's last word: an error in what comes before renderErrors, or a sender that went away (headerSent), which the step
  // it interrupted has logged.
  app.on('error', (error: Error & { headerSent?: boolean }) => {
    if (!error.headerSent) log.error(describeError(error), 'response.failed');
  });
  return app;
}
