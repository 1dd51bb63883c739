import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore, queueDepths } from '@clickrelay/queue';
import type { RedisServer } from '@clickrelay/testkit';
import { PERSON_KEY } from '@clickrelay/testkit';
import { startReceiver } from './ingest.ts';
import { flood } from './load.ts';
import { cpuMicros, startServer, stopServer } from './processes.ts';

/** The approximate number of deliveries, whatever the number of destinations. */
const DELIVERIES = 20_000;
const WARM_UP_DELIVERIES = 2_000;
const PATIENCE_MS = 60_000;

export interface DestinationsResult {
  readonly eventsPerSecond: number;
  readonly deliveriesPerSecond: number;
  readonly lost: number;
  /** CPU time for each event until its outcome is stored, in µs. */
  readonly workerMicros: number;
  readonly redisMicros: number;
}

/** Measures a receiver, one worker, and a number of destinations that all want every event. */
export const measureDestinations = async (count: number, redis: RedisServer): Promise<DestinationsResult> => {
  let arrived = 0;
  let lastAt = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      arrived++;
      lastAt = performance.now();
      response.writeHead(200).end();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const folder = await mkdtemp(join(tmpdir(), 'clickrelay-bench-'));
  const file = join(folder, 'destinations.yaml');
  const declared = Array.from(
    { length: count },
    (_, index) => `  - { id: bench-${index}, type: webhook, url: "http://127.0.0.1:${port}/${index}" }`,
  );
  await writeFile(file, `destinations:\n${declared.join('\n')}\n`);
  const receiver = await startReceiver('clickrelay', redis);
  const worker = await startServer(fileURLToPath(import.meta.resolve('@clickrelay/worker/main')), {
    PERSON_KEY,
    REDIS_URL: redis.url,
    DESTINATIONS_FILE: file,
    EGRESS_ALLOW: '127.0.0.0/8',
    LOG_LEVEL: 'warn',
  });
  const store = await openStore({ redisUrl: redis.url, role: 'consumer' });
  const deliver = async (events: number): Promise<void> => {
    const until = arrived + events * count;
    await flood(receiver.target, { requests: events });
    const deadline = performance.now() + PATIENCE_MS;
    while (arrived < until && performance.now() < deadline) await pause(5);
    // A group is done when the outcome of each of its deliveries is stored.
    while ((await queueDepths(store)).ingest.messages > 0 && performance.now() < deadline) await pause(50);
  };
  try {
    await deliver(Math.ceil(WARM_UP_DELIVERIES / count));
    const events = Math.ceil(DELIVERIES / count);
    const pids = [worker.pid, redis.pid] as number[];
    const before = pids.map(cpuMicros);
    const arrivedBefore = arrived;
    const startedAt = performance.now();
    await deliver(events);
    const [workerMicros = 0, redisMicros = 0] = pids.map((pid, i) => (cpuMicros(pid) - (before[i] ?? 0)) / events);
    const seconds = (lastAt - startedAt) / 1_000;
    return {
      eventsPerSecond: events / seconds,
      deliveriesPerSecond: (events * count) / seconds,
      lost: events * count - (arrived - arrivedBefore),
      workerMicros,
      redisMicros,
    };
  } finally {
    await stopServer(receiver.child);
    await stopServer(worker);
    await store.close();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
