import { createProcessMetrics, createReceiverMetrics, publishMetrics } from '@clickrelay/metrics';
import {
  createIntake,
  createRefusalCounter,
  openSpool,
  openStore,
  rememberStore,
  SpoolError,
  watchDurability,
  watchMemory,
} from '@clickrelay/queue';
import { createRedisLog, errorFields, logStore, openLog } from '@clickrelay/service/log';
import { atMost, endInTime, listenForStop, orExit } from '@clickrelay/service/process';
import { ConfigError, misspeltVariables } from '@clickrelay/service/settings';
import { openTracing } from '@clickrelay/service/tracing';
import packageJson from '../package.json' with { type: 'json' };
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { openLiveCredentials } from './live-credentials.ts';
import { serve } from './serve.ts';
import { tellFacts } from './tell-facts.ts';
import { traceCommit } from './trace-commit.ts';

/** In ms. What has not ended by then was not acknowledged: Clickatell sends it again. */
const GRACE_MS = 8_000;
const DURABILITY_CHECK_MS = 30_000;
/** In ms. How long a start waits for the credentials in Redis; without them it accepts those that it knows. */
const CREDENTIALS_WITHIN_MS = 1_000;

const stop = listenForStop();
const config = await orExit(() => readConfig(process.env), ConfigError);
const log = openLog('receiver', config.LOG_LEVEL);
for (const misspelt of misspeltVariables(process.env)) log.warn(misspelt, 'variable.unknown');
endInTime(stop, () => log.error('receiver.cut-short'));

const openOwnSpool = () =>
  openSpool({
    dir: config.SPOOL_DIR,
    maxBytes: config.SPOOL_MAX_BYTES,
    onNotice: ({ kind, ...fields }) =>
      log[kind === 'mended' ? 'info' : kind === 'torn' ? 'warn' : 'error'](fields, `spool.${kind}`),
  });
const spool = config.SPOOL_DIR === '' ? undefined : await orExit(openOwnSpool, SpoolError);
const redisLog = createRedisLog(log, (error) => store.explain(error));
const storeMemory = rememberStore(config.SPOOL_DIR, (error) => log.warn(errorFields(error), 'store.not_kept'));
const connection = { redisUrl: config.REDIS_URL, durability: config.DURABILITY, memory: storeMemory };
const store = await openStore({ ...connection, role: 'producer', onError: redisLog.onError });
store.redis.on('ready', redisLog.onReady);
store.identity.onChange(logStore(log));
const memory = watchMemory(store);
const durability = watchDurability(store, { mode: config.DURABILITY, intervalMs: DURABILITY_CHECK_MS, memory });
const intake = createIntake({
  store,
  durability: () => durability.current(),
  memory,
  spool,
  openStore: () => openStore({ ...connection, role: 'consumer' }),
  onChange: (usesRedis) => {
    if (usesRedis) log.info({ spooled: spool?.stats().records }, 'redis.used');
    else log.warn({ instead: spool ? 'callbacks are spooled' : 'callbacks are refused' }, 'redis.unused');
  },
  onDrained: (drained) => log.info(drained, 'spool.drained'),
});
const credentials =
  config.CALLBACK_AUTH === 'none'
    ? undefined
    : openLiveCredentials(store, { declared: config.CALLBACK_AUTH, dir: config.SPOOL_DIR, log });
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
  credentials,
  commit: tracing ? traceCommit(tracing, intake.commit) : intake.commit,
  quarantine: intake.quarantine,
  durability: () => durability.current(),
  readiness: intake.readiness,
  hasSpool: spool !== undefined,
  stopping: stop.signal,
  metrics,
  refusals,
  log,
});

if (credentials?.isComplete() === false) await atMost(CREDENTIALS_WITHIN_MS, credentials.complete);
const server = await serve(app.callback(), {
  host: config.HOST,
  port: config.PORT,
  timeouts: { keepAliveTimeout: config.KEEP_ALIVE_TIMEOUT },
  onMalformed: (refusal) => {
    metrics.refused(refusal.code);
    log.debug(refusal, 'callback.malformed');
  },
});
log.info({ host: server.host, port: server.port, durability: config.DURABILITY }, 'receiver.listening');
const telling = tellFacts(store, {
  config,
  credentials,
  version: packageJson.version,
  process: processMetrics.process,
  server,
  intake,
  refusals,
});
if (config.CALLBACK_AUTH === 'none') log.warn('CALLBACK_AUTH is none: a callback of anyone is accepted');

await stop.told;
log.info('receiver.stopping');
await server.stop(GRACE_MS);
credentials?.stop();
durability.stop();
memory.stop();
await atMost(
  1_500,
  intake
    .close()
    .then(() => Promise.all([publishing.stop(), telling.stop(), tracing?.close()]))
    .then(() => store.close()),
);
log.info('receiver.stopped');
process.exit(0);
