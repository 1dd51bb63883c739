import { setTimeout as sleep } from 'node:timers/promises';
import { createProcessMetrics, createReceiverMetrics, publishMetrics } from '@clickrelay/metrics';
import {
  createIntake,
  createRefusalCounter,
  openSpool,
  openStore,
  type Spool,
  SpoolError,
  watchDurability,
  watchMemory,
} from '@clickrelay/queue';
import { ConfigError } from '@clickrelay/service/settings';
import { openTracing } from '@clickrelay/service/tracing';
import { pino } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { createApp } from './app.ts';
import { type Config, readConfig } from './config.ts';
import { describeError } from './render-error.ts';
import { serve } from './serve.ts';
import { tellFacts } from './tell-facts.ts';
import { traceCommit } from './trace-commit.ts';

/** In ms. What has not ended by then was not acknowledged: Clickatell sends it again. */
const GRACE_MS = 8_000;
const DURABILITY_CHECK_MS = 30_000;

const config = readConfigOrExit();
const log = pino({ level: config.LOG_LEVEL, base: { app: 'receiver', pid: process.pid } });
const stopping = whenToldToStop();

let isAway = false;
const spool = await openSpoolOrExit();
const store = await openStore({
  redisUrl: config.REDIS_URL,
  role: 'producer',
  durability: config.DURABILITY,
  // Called with every try to connect: one line is enough.
  onError: (error) => {
    if (!isAway) log.warn(describeError(error), 'redis.away');
    isAway = true;
  },
});
store.redis.on('ready', () => {
  if (isAway) log.info('redis.back');
  isAway = false;
});
const memory = watchMemory(store);
const durability = watchDurability(store, { mode: config.DURABILITY, intervalMs: DURABILITY_CHECK_MS, memory });
const intake = createIntake({
  store,
  durability: () => durability.current(),
  memory,
  spool,
  openStore: () => openStore({ redisUrl: config.REDIS_URL, role: 'consumer', durability: config.DURABILITY }),
  onChange: (usesRedis) => {
    if (usesRedis) log.info({ spooled: spool?.stats().records }, 'redis.used');
    else log.warn({ instead: spool ? 'callbacks are spooled' : 'callbacks are refused' }, 'redis.unused');
  },
  onDrained: (drained) => log.info(drained, 'spool.drained'),
});
const processMetrics = createProcessMetrics('receiver');
const metrics = createReceiverMetrics(processMetrics.registry, intake.readiness);
const refusals = createRefusalCounter();
const publishing = publishMetrics(store, processMetrics);
const tracing = await openTracing({
  environment: process.env,
  service: 'clickrelay-receiver',
  version: packageJson.version,
});
const app = createApp({
  config,
  commit: tracing ? traceCommit(tracing, intake.commit) : intake.commit,
  quarantine: intake.quarantine,
  durability: () => durability.current(),
  readiness: intake.readiness,
  hasSpool: spool !== undefined,
  stopping: stopping.signal,
  metrics,
  refusals,
  log,
});

const server = await serve(app.callback(), {
  host: config.HOST,
  port: config.PORT,
  onMalformed: (refusal) => {
    metrics.refused(refusal.code);
    log.debug(refusal, 'callback.malformed');
  },
});
log.info({ host: server.host, port: server.port, durability: config.DURABILITY }, 'receiver.listening');
const telling = tellFacts(store, {
  config,
  version: packageJson.version,
  process: processMetrics.process,
  server,
  readiness: intake.readiness,
  refusals,
});
if (config.CALLBACK_AUTH === 'none') log.warn('CALLBACK_AUTH is none: a callback of anyone is accepted');

if (!stopping.signal.aborted) await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
log.info('receiver.stopping');
await server.stop(GRACE_MS);
durability.stop();
memory.stop();
// A Redis that does not answer must not hold up the end.
await Promise.race([
  intake
    .close()
    .then(() => Promise.all([publishing.stop(), telling.stop(), tracing?.close()]))
    .then(() => store.close()),
  sleep(1_500),
]);
log.info('receiver.stopped');
process.exit(0);

function readConfigOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

async function openSpoolOrExit(): Promise<Spool | undefined> {
  if (config.SPOOL_DIR === '') return undefined;
  try {
    return await openSpool({
      dir: config.SPOOL_DIR,
      maxBytes: config.SPOOL_MAX_BYTES,
      onNotice: ({ kind, ...fields }) =>
        log[kind === 'mended' ? 'info' : kind === 'torn' ? 'warn' : 'error'](fields, `spool.${kind}`),
    });
  } catch (error) {
    if (!(error instanceof SpoolError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

/** By a signal, a second one of which ends the process at once, or by the end of the process that started this one. */
function whenToldToStop(): AbortController {
  const told = new AbortController();
  process.once('SIGTERM', () => told.abort());
  process.once('SIGINT', () => told.abort());
  if (process.connected) process.once('disconnect', () => told.abort());
  return told;
}
