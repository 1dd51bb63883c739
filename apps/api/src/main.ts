import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createDestinationSettings, InvalidAdapterError, loadAdapters } from '@clickrelay/destination-settings';
import { createApiMetrics, createProcessMetrics, createRenderer, publishMetrics } from '@clickrelay/metrics';
import {
  type ApiPart,
  createLeases,
  dataDisk,
  hashSettings,
  LayoutMismatchError,
  openStore,
  PersonKeyMismatchError,
  rememberStore,
  tellPart,
  watchDurability,
  watchMemory,
} from '@clickrelay/queue';
import { createErrorLog, createRedisLog, errorFields, logStore, openLog } from '@clickrelay/service/log';
import { atMost, endInTime, endWithParent, listenForStop, orExit, tellReady } from '@clickrelay/service/process';
import { ConfigError, misspeltVariables } from '@clickrelay/service/settings';
import { webhookAdapter } from '@clickrelay/webhook-forwarder';
import packageJson from '../package.json' with { type: 'json' };
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { openKnownCredentials } from './known-credentials.ts';
import { openAlerts } from './open-alerts.ts';
import { openHealth } from './open-health.ts';

/** In ms. */
const GRACE_MS = 5_000;
const CONSOLE = fileURLToPath(new URL('./console/', import.meta.url));
/** In which all APIs must agree. */
const SETTINGS = ['DURABILITY', 'EGRESS_ALLOW', 'RETRY_SCHEDULE', 'EVENT_RETENTION', 'PUBLIC_URL'] as const;

const started = endWithParent();
const config = await orExit(() => readConfig(process.env), ConfigError);
const log = openLog('api', config.LOG_LEVEL);
for (const misspelt of misspeltVariables(process.env)) log.warn(misspelt, 'variable.unknown');
const adapters = await orExit(() => loadAdapters(config.ADAPTERS), InvalidAdapterError);

const redisLog = createRedisLog(log, (error) => store.explain(error));
const store = await openStore({
  redisUrl: config.REDIS_URL,
  role: 'producer',
  durability: config.DURABILITY,
  personKey: config.PERSON_KEY,
  memory: rememberStore(config.DATA_DIR, (error) => log.warn(errorFields(error), 'store.not_kept')),
  onError: redisLog.onError,
});
store.redis.on('ready', redisLog.onReady);
store.identity.onChange(logStore(log));
// Not awaited: the API answers while Redis is away. Any other error heals by itself.
orExit(() => store.ready(), LayoutMismatchError, PersonKeyMismatchError).catch(() => {});
const memory = watchMemory(store);
const durability = watchDurability(store, { mode: config.DURABILITY, memory });
const processMetrics = createProcessMetrics('api');
const metrics = createApiMetrics(processMetrics.registry);
const publishing = publishMetrics(store, processMetrics);
const credentials = openKnownCredentials({
  callbackAuth: config.CALLBACK_AUTH,
  dataDir: config.DATA_DIR,
  onError: (error) => log.error(errorFields(error), 'credentials.not_kept'),
});
/** While Redis is away, or not reached yet, there are many errors, and `redis.away` says it. */
const logWhileConnected = (message: string): ((error: unknown) => void) => {
  const tell = createErrorLog((fields) => log.warn(fields, message), store.explain);
  return (error) => {
    if (store.redis.status === 'ready' && !redisLog.isAway()) tell(error);
  };
};
const alerts = openAlerts({
  store,
  egressAllow: config.EGRESS_ALLOW,
  heartbeatUrl: config.HEARTBEAT_URL,
  version: packageJson.version,
  log,
  onError: logWhileConnected('alerts.error'),
});
const health = openHealth({
  store,
  mode: config.DURABILITY,
  publicUrl: config.PUBLIC_URL,
  credentials,
  channels: () => alerts.facts(),
  onVerdict: (verdict) => alerts.onVerdict(verdict),
  onError: logWhileConnected('health.error'),
});
const renderer = createRenderer({
  store,
  own: processMetrics,
  durability: () => durability.current(),
  conditions: async () => (await health.current()).conditions,
  version: packageJson.version,
});
const leases = createLeases(store, {
  schedule: config.RETRY_SCHEDULE,
  onError: logWhileConnected('leases.error'),
  onAttempt: metrics.attempted,
  onPutBack: (healed) => log.warn(healed, 'clock.put-back'),
});
const app = createApp({
  store,
  leases,
  onceMs: config.EVENT_RETENTION,
  durability: () => durability.current(),
  destinationSettings: createDestinationSettings(adapters, { egressAllow: config.EGRESS_ALLOW }),
  webhook: webhookAdapter({ egressAllow: config.EGRESS_ALLOW, userAgent: `Clickrelay/${packageJson.version}` }),
  version: packageJson.version,
  publicUrl: config.PUBLIC_URL,
  credentials,
  health,
  alerts,
  apiKey: config.API_KEY,
  rateLimit: config.API_RATE_LIMIT,
  metrics,
  metricsToken: config.METRICS_TOKEN,
  renderer,
  log,
  // Beside the built file; who runs the sources has none.
  consoleDir: existsSync(CONSOLE) ? CONSOLE : undefined,
});

const server = createServer({ headersTimeout: 5_000, requestTimeout: 15_000 }, app.callback());
server.listen(config.API_PORT, config.API_HOST);
await once(server, 'listening');
log.info({ host: config.API_HOST, port: (server.address() as AddressInfo).port }, 'api.listening');
tellReady();

const telling = tellPart<ApiPart>(store, {
  role: 'api',
  version: packageJson.version,
  process: processMetrics.process,
  disks: dataDisk(config.DATA_DIR),
  settings: hashSettings(config, SETTINGS),
  facts: () => ({ publicUrl: config.PUBLIC_URL ?? null }),
});

const stop = listenForStop();
endInTime(stop, () => log.error('api.cut-short'));
started();
await stop.told;
const closed = once(server, 'close');
server.close();
setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
// Consumers that wait for something to lease are answered now.
await leases.close();
await atMost(1_500, alerts.close());
await closed;
durability.stop();
memory.stop();
await atMost(1_500, telling.stop(), renderer.stop(), health.stop(), publishing.stop());
await store.close();
log.info('api.stopped');
process.exit(0);
