import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  applyDeclarations,
  InvalidAdapterError,
  InvalidDestinationsError,
  loadAdapters,
  parseDeclarations,
} from '@clickrelay/destination-settings';
import { createProcessMetrics, createWorkerMetrics, publishMetrics } from '@clickrelay/metrics';
import { LayoutMismatchError, openStore } from '@clickrelay/queue';
import { ConfigError } from '@clickrelay/service/settings';
import { openTracing } from '@clickrelay/service/tracing';
import { pino } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { createAdapters } from './adapters.ts';
import { readConfig } from './config.ts';
import { createTraces } from './traces.ts';
import { startWorker } from './worker.ts';

/** What is under way when the process is told to stop gets this long to end. */
const GRACE_MS = 10_000;

const main = async (): Promise<void> => {
  const config = readConfig(process.env);
  const log = pino({ level: config.LOG_LEVEL, base: null });
  const plugged = await loadAdapters(config.ADAPTERS);
  const declared = config.DESTINATIONS_FILE
    ? parseDeclarations(await readFile(config.DESTINATIONS_FILE, 'utf8').catch(refuseFile), 'DESTINATIONS_FILE')
    : [];

  let isAway = false;
  const store = await openStore({
    redisUrl: config.REDIS_URL,
    role: 'consumer',
    durability: config.DURABILITY,
    onError: (error) => {
      if (!isAway) log.warn({ reason: error.message }, 'redis.away');
      isAway = true;
    },
  });
  store.redis.on('ready', () => {
    if (isAway) log.info('redis.back');
    isAway = false;
  });
  await store.ready();

  for (const { id, change, fields, madeSecret } of await applyDeclarations(store, declared)) {
    const hint = { hint: `its secret was made now; \`destinations secret ${id}\` shows it` };
    const details = { ...(fields.length > 0 && { fields }), ...(madeSecret && hint) };
    log.info({ destination: id, change, ...details }, 'destination.declared');
  }
  const adapters = createAdapters({
    egressAllow: config.EGRESS_ALLOW,
    userAgent: `Clickrelay/${packageJson.version}`,
    plugged,
  });
  const processMetrics = createProcessMetrics('worker');
  const metrics = createWorkerMetrics(processMetrics.registry);
  const tracing = await openTracing({
    environment: process.env,
    service: 'clickrelay-worker',
    version: packageJson.version,
  });
  const traces = tracing && createTraces(tracing);
  const worker = await startWorker({ store, adapters, config, metrics, traces, log });
  const publishing = publishMetrics(store, processMetrics);
  log.info('worker.ready');
  process.send?.('ready');

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await worker.stop(GRACE_MS);
    await Promise.race([Promise.all([publishing.stop(), tracing?.close()]), sleep(1_000)]);
    await store.close();
    log.info('worker.stopped');
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Started by `clickrelay start`: never outlive it.
  if (process.connected) process.on('disconnect', stop);
};

const refuseFile = (error: NodeJS.ErrnoException): never => {
  throw new InvalidDestinationsError(`DESTINATIONS_FILE cannot be read (${error.code})`);
};

try {
  await main();
} catch (error) {
  if (
    ![ConfigError, InvalidAdapterError, InvalidDestinationsError, LayoutMismatchError].some(
      (known) => error instanceof known,
    )
  )
    throw error;
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}
