import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidAdapterError, loadAdapters } from '@clickrelay/destination-settings';
import { createApiMetrics, createProcessMetrics, createRenderer, publishMetrics } from '@clickrelay/metrics';
import { createLeases, LayoutMismatchError, openStore, watchDurability, watchMemory } from '@clickrelay/queue';
import { ConfigError } from '@clickrelay/service/settings';
import { webhookAdapter } from '@clickrelay/webhook-forwarder';
import { pino } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { createApp } from './app.ts';
import { type Config, readConfig } from './config.ts';

/** In ms. */
const GRACE_MS = 5_000;

const readConfigOrExit = (): Config => {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
};

const config = readConfigOrExit();
const log = pino({ level: config.LOG_LEVEL, base: { app: 'api', pid: process.pid } });

await loadAdapters(config.ADAPTERS).catch((error: unknown) => {
  if (!(error instanceof InvalidAdapterError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});

let isAway = false;
const store = await openStore({
  redisUrl: config.REDIS_URL,
  role: 'producer',
  durability: config.DURABILITY,
  onError: () => {
    if (!isAway) log.warn('redis.away');
    isAway = true;
  },
});
store.redis.on('ready', () => {
  if (isAway) log.info('redis.back');
  isAway = false;
});
store.ready().catch((error: unknown) => {
  // Anything else heals by itself.
  if (!(error instanceof LayoutMismatchError)) return;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
const memory = watchMemory(store);
const durability = watchDurability(store, { mode: config.DURABILITY, memory });
const processMetrics = createProcessMetrics('api');
const metrics = createApiMetrics(processMetrics.registry);
const publishing = publishMetrics(store, processMetrics);
const renderer = createRenderer({
  store,
  own: processMetrics,
  durability: () => durability.current(),
  version: packageJson.version,
});

/** While Redis is away there are many of these, and `redis.away` says it. */
const reportLeaseError = (error: unknown): void => {
  if (isAway) return;
  const { name, message } = error instanceof Error ? error : { name: typeof error, message: '' };
  log.warn({ name, reason: message.slice(0, 200) }, 'leases.error');
};
const leases = createLeases(store, {
  schedule: config.RETRY_SCHEDULE,
  onError: reportLeaseError,
  onAttempt: metrics.attempted,
});
const app = createApp({
  store,
  leases,
  durability: () => durability.current(),
  webhook: webhookAdapter({ egressAllow: config.EGRESS_ALLOW, userAgent: `Clickrelay/${packageJson.version}` }),
  version: packageJson.version,
  publicUrl: config.PUBLIC_URL,
  callbackAuth: config.CALLBACK_AUTH,
  apiKey: config.API_KEY,
  rateLimit: config.API_RATE_LIMIT,
  metrics,
  metricsToken: config.METRICS_TOKEN,
  renderer,
  log,
});

const server = createServer({ headersTimeout: 5_000, requestTimeout: 15_000 }, app.callback());
server.listen(config.API_PORT, config.API_HOST);
await once(server, 'listening');
log.info({ host: config.API_HOST, port: (server.address() as AddressInfo).port }, 'api.listening');
process.send?.('ready');

await new Promise<void>((resolve) => {
  process.once('SIGTERM', resolve);
  process.once('SIGINT', resolve);
  // Started by `clickrelay start`: never outlive it.
  if (process.connected) process.once('disconnect', resolve);
});
const closed = once(server, 'close');
server.close();
setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
// Those who wait for something to lease are answered now.
await leases.close();
await closed;
durability.stop();
memory.stop();
await Promise.race([Promise.all([renderer.stop(), publishing.stop()]), sleep(1_500)]);
await store.close();
log.info('api.stopped');
process.exit(0);
