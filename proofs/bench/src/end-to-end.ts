import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RedisServer } from '@clickrelay/testkit';
import { PERSON_KEY } from '@clickrelay/testkit';
import { startReceiver } from './ingest.ts';
import { flood, percentile, trickle } from './load.ts';
import { cpuMicros, startServer, stopServer } from './processes.ts';

const WARM_UP_EVENTS = 2_000;
const EVENTS = 5_000;
const TRICKLE = { perSecond: 200, seconds: 4 } as const;
const PATIENCE_MS = 30_000;

export interface EndToEndResult {
  readonly eventsPerSecond: number;
  readonly lost: number;
  /** From the first byte of the callback to the last of the delivery, at 200 events a second. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time for each event under full load, in µs. */
  readonly receiverMicros: number;
  readonly workerMicros: number;
  readonly redisMicros: number;
}

export type Pipeline = 'everyone' | 'clickrelay';

/** A destination that notes when each message arrived. */
const startArrivals = async () => {
  const arrivedAt = new Map<string, number>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const id = /"messageId":"(\w+)"/.exec(Buffer.concat(chunks).toString())?.[1];
      if (id !== undefined && !arrivedAt.has(id)) arrivedAt.set(id, performance.now());
      response.writeHead(200).end();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    arrivedAt,
    port: (server.address() as AddressInfo).port,
    close: () => server.closeAllConnections() ?? server.close(),
  };
};

const startWorker = async (pipeline: Pipeline, redis: RedisServer, destinationPort: number, folder: string) => {
  const url = `http://127.0.0.1:${destinationPort}/hook`;
  if (pipeline === 'everyone') {
    return startServer(fileURLToPath(new URL('./servers/plain-worker.js', import.meta.url)), {
      REDIS_URL: redis.url,
      DESTINATION_URL: url,
    });
  }
  const file = join(folder, 'destinations.yaml');
  await writeFile(file, `destinations:\n  - { id: bench, type: webhook, url: "${url}" }\n`);
  return startServer(fileURLToPath(import.meta.resolve('@clickrelay/worker/main')), {
    PERSON_KEY,
    REDIS_URL: redis.url,
    DESTINATIONS_FILE: file,
    EGRESS_ALLOW: '127.0.0.0/8',
    LOG_LEVEL: 'warn',
  });
};

/** Measures the way from callback to delivery: a receiver process, a worker process, one local destination. */
export const measureEndToEnd = async (pipeline: Pipeline, redis: RedisServer): Promise<EndToEndResult> => {
  const folder = await mkdtemp(join(tmpdir(), 'clickrelay-bench-'));
  const arrivals = await startArrivals();
  const receiver = await startReceiver(pipeline, redis);
  const worker = await startWorker(pipeline, redis, arrivals.port, folder);
  const allArrived = async (count: number): Promise<void> => {
    const deadline = performance.now() + PATIENCE_MS;
    while (arrivals.arrivedAt.size < count && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5));
  };
  try {
    await flood(receiver.target, { requests: WARM_UP_EVENTS });
    await allArrived(WARM_UP_EVENTS);
    arrivals.arrivedAt.clear();

    const pids = [receiver.child.pid, worker.pid, redis.pid] as number[];
    const before = pids.map(cpuMicros);
    const startedAt = performance.now();
    await flood(receiver.target, { requests: EVENTS });
    await allArrived(EVENTS);
    const lastAt = Math.max(...arrivals.arrivedAt.values());
    const [receiverMicros = 0, workerMicros = 0, redisMicros = 0] = pids.map(
      (pid, i) => (cpuMicros(pid) - (before[i] ?? 0)) / EVENTS,
    );
    const eventsPerSecond = arrivals.arrivedAt.size / ((lastAt - startedAt) / 1_000);
    let lost = EVENTS - arrivals.arrivedAt.size;
    arrivals.arrivedAt.clear();

    const sentAt = new Map<string, number>();
    await trickle(receiver.target, TRICKLE, (id) => sentAt.set(id, performance.now()));
    await allArrived(sentAt.size);
    lost += sentAt.size - arrivals.arrivedAt.size;
    const latencies = [...arrivals.arrivedAt]
      .map(([id, at]) => at - (sentAt.get(id) ?? Number.NaN))
      .sort((a, b) => a - b);
    return {
      eventsPerSecond,
      lost,
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
      receiverMicros,
      workerMicros,
      redisMicros,
    };
  } finally {
    await stopServer(receiver.child);
    await stopServer(worker);
    arrivals.close();
    await rm(folder, { recursive: true, force: true });
  }
};
