import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  createDestinationSettings,
  InvalidAdapterError,
  InvalidDestinationsError,
  loadAdapters,
} from '@clickrelay/destination-settings';
import { createProcessMetrics, createWorkerMetrics, publishMetrics } from '@clickrelay/metrics';
import {
  dataDisk,
  hashSettings,
  LayoutMismatchError,
  openStore,
  PersonKeyMismatchError,
  recordAudit,
  rememberStore,
  tellPart,
  type WorkerPart,
  whenOurs,
} from '@clickrelay/queue';
import { createRedisLog, errorFields, logStore, openLog } from '@clickrelay/service/log';
import { atMost, endInTime, endWithParent, listenForStop, orExit, tellReady } from '@clickrelay/service/process';
import { ConfigError, misspeltVariables } from '@clickrelay/service/settings';
import { openTracing } from '@clickrelay/service/tracing';
import packageJson from '../package.json' with { type: 'json' };
import { createAdapters } from './adapters.ts';
import { readConfig } from './config.ts';
import { createTraces } from './traces.ts';
import { startWorker } from './worker.ts';

/** How long attempts that are under way get to end when the process is told to stop. */
const GRACE_MS = 10_000;

/** In which all workers must agree. */
const SETTINGS = [
  'DURABILITY',
  'EGRESS_ALLOW',
  'RETRY_SCHEDULE',
  'DEDUPE_TTL',
  'EVENT_RETENTION',
  'EVENT_LOG_MAX_BYTES',
  'DELIVERY_RETENTION',
] as const;

const started = endWithParent();
const config = await orExit(() => readConfig(process.env), ConfigError);
const log = openLog('worker', config.LOG_LEVEL);
for (const misspelt of misspeltVariables(process.env)) log.warn(misspelt, 'variable.unknown');

const plugged = await orExit(() => loadAdapters(config.ADAPTERS), InvalidAdapterError);
const destinationSettings = createDestinationSettings(plugged, { egressAllow: config.EGRESS_ALLOW });

const readDeclared = async () => {
  const file = config.DESTINATIONS_FILE;
  if (file === undefined) return [];
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InvalidDestinationsError(`DESTINATIONS_FILE cannot be read: ${resolve(file)} (${error.code})`);
  });
  return destinationSettings.parseFile(text, 'DESTINATIONS_FILE');
};
const declared = await orExit(readDeclared, InvalidDestinationsError);

const redisLog = createRedisLog(log, (error) => store.explain(error));
const store = await openStore({
  redisUrl: config.REDIS_URL,
  role: 'consumer',
  durability: config.DURABILITY,
  personKey: config.PERSON_KEY,
  memory: rememberStore(config.DATA_DIR, (error) => log.warn(errorFields(error), 'store.not_kept')),
  onError: redisLog.onError,
});
store.redis.on('ready', redisLog.onReady);
store.identity.onChange(logStore(log));
await orExit(() => whenOurs(store, { onLost: tellReady }), LayoutMismatchError, PersonKeyMismatchError);
const applied = await orExit(() => destinationSettings.apply(store, declared), InvalidDestinationsError);
for (const { id, change, changes, madeSecret, warnings } of applied) {
  const fields = Object.keys(changes);
  if (change !== 'unchanged') {
    const record = { by: 'DESTINATIONS_FILE', action: `destination.${change}`, target: id };
    await recordAudit(store, { ...record, ...(fields.length > 0 && { detail: { changes } }) });
  }
  const hint = { hint: `its secret was made now; \`destinations secret ${id}\` shows it` };
  const details = { ...(fields.length > 0 && { fields }), ...(madeSecret && hint) };
  log.info({ destination: id, change, ...details }, 'destination.declared');
  for (const warning of warnings) log.warn({ destination: id, warning }, 'destination.doubtful');
}

const processMetrics = createProcessMetrics('worker');
const metrics = createWorkerMetrics(processMetrics.registry);
const tracing = await openTracing({
  environment: process.env,
  service: 'clickrelay-worker',
  version: packageJson.version,
});
const adapters = createAdapters({
  egressAllow: config.EGRESS_ALLOW,
  userAgent: `Clickrelay/${packageJson.version}`,
  plugged,
});
const worker = await startWorker({
  store,
  adapters,
  config,
  metrics,
  traces: tracing && createTraces(tracing),
  log,
});
const publishing = publishMetrics(store, processMetrics);
const telling = tellPart<WorkerPart>(store, {
  role: 'worker',
  version: packageJson.version,
  process: processMetrics.process,
  disks: dataDisk(config.DATA_DIR),
  settings: hashSettings(config, SETTINGS),
  facts: () => ({ adapters: adapters.types, unopened: worker.unopened() }),
});
log.info('worker.ready');
tellReady();

const stop = listenForStop();
endInTime(stop, () => log.error('worker.cut-short'));
started();
await stop.told;
await worker.stop(GRACE_MS);
await atMost(1_000, telling.stop(), publishing.stop(), tracing?.close());
await store.close();
log.info('worker.stopped');
process.exit(0);
