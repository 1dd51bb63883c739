import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  destinationQueue,
  type IngestGroup,
  ingestQueues,
  LANES,
  listDeadLetters,
  listEvents,
  openStore,
  putDestination,
  queueDepths,
  type Store,
} from '@clickrelay/queue';
import { freePort } from '@clickrelay/service/machine';
import {
  type FaultProxy,
  PERSON_KEY,
  type RedisOptions,
  type RedisServer,
  startFaultProxy,
  startRedis,
  waitUntil,
} from '@clickrelay/testkit';
import { type CheckingDestination, startCheckingDestination } from './destination.ts';
import type { Ledger } from './ledger.ts';
import { createPart, type Part } from './part.ts';
import { type Clickatell, createClickatell } from './post.ts';
import type { Run } from './run.ts';

export interface RigOptions {
  readonly redis?: RedisOptions;
  /** Existing servers, and how to reach the current primary. @default the rig's own Redis */
  readonly servers?: { readonly url: string; readonly primary: RedisServer };
  /** The parts that reach Redis through the fault proxy. @default none */
  readonly proxied?: readonly ('receiver' | 'worker')[];
  readonly receiver?: Record<string, string>;
  readonly worker?: Record<string, string>;
  /** @default one, `crm`, that wants everything */
  readonly destinations?: readonly { id: string; events?: string[]; config?: Record<string, unknown> }[];
  /** Gives the receiver a spool. @default false */
  readonly spool?: boolean | { readonly dir: string };
  /** @default both */
  readonly start?: readonly ('receiver' | 'worker')[];
}

/** All parts of Clickrelay as processes on 127.0.0.1, their surroundings, and a view inside that no fault affects. */
export interface Rig {
  readonly redis: RedisServer;
  /** As the parts are told of it. */
  readonly redisUrl: string;
  readonly proxy: FaultProxy;
  /** The harness's own connection. */
  readonly store: Store;
  readonly receiver: Part & { readonly url: string; readonly env: Record<string, string> };
  readonly worker: Part;
  readonly clickatell: Clickatell;
  readonly ledger: Ledger;
  readonly destinations: readonly CheckingDestination[];
  readonly destination: CheckingDestination;
  /** Another worker on the same Redis, which is not started. */
  newWorker(): Part;
  /** @returns the status of `GET /readyz`, 0 when there is no answer */
  readyz(): Promise<{ status: number; body: string }>;
  /** How many callbacks the receiver reports in its spool. */
  spooled(): Promise<number>;
  /** Resolves when the receiver is ready for callbacks. */
  whenReady(): Promise<void>;
}

/** Short, so that minutes of trouble fit into seconds, and with enough tries that nothing becomes a dead letter. */
export const RETRY_SCHEDULE = ['0s', '50ms', '100ms', '200ms', ...Array<string>(60).fill('500ms')].join(',');

/** A credential as written in `CALLBACK_AUTH`, and as sent in a request. */
export const credential = (password: string): { setting: string; header: string } => ({
  setting: `basic:clickatell:${password}`,
  header: `Basic ${Buffer.from(`clickatell:${password}`).toString('base64')}`,
});
export const FIRST_PASSWORD = 'ledger';

export const startRig = async (run: Run, options: RigOptions = {}): Promise<Rig> => {
  const ledger = run.newLedger();
  const redis = options.servers?.primary ?? (await startRedis(options.redis));
  if (options.servers === undefined) run.defer(() => redis.stop());
  const redisUrl = options.servers?.url ?? redis.url;
  const proxy = await startFaultProxy(redis.port);
  run.defer(() => proxy.close());
  const store = await openStore({ redisUrl, role: 'consumer', personKey: PERSON_KEY });
  run.defer(() => store.close());
  await store.ready();

  const destinations: CheckingDestination[] = [];
  for (const { id, events = ['*'], config } of options.destinations ?? [{ id: 'crm' }]) {
    const destination = await startCheckingDestination(id, ledger);
    run.defer(() => destination.close());
    destinations.push(destination);
    await putDestination(store, {
      id,
      type: 'webhook',
      events,
      paused: null,
      config: { url: destination.url, secret: destination.secrets, ...config },
    });
  }

  const urlFor = (part: 'receiver' | 'worker'): string => (options.proxied?.includes(part) ? proxy.url : redisUrl);
  const spoolDir =
    typeof options.spool === 'object'
      ? options.spool.dir
      : options.spool && (await mkdtemp(join(tmpdir(), 'clickrelay-spool-')));
  if (spoolDir) run.defer(() => rm(spoolDir, { recursive: true, force: true }));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const receiver = Object.assign(
    createPart({
      args: [fileURLToPath(import.meta.resolve('@clickrelay/receiver/main'))],
      env: {
        REDIS_URL: urlFor('receiver'),
        HOST: '127.0.0.1',
        PORT: String(port),
        CALLBACK_AUTH: credential(FIRST_PASSWORD).setting,
        ...(spoolDir && { SPOOL_DIR: spoolDir }),
        ...options.receiver,
      },
      readyUrl: `${url}/readyz`,
    }),
    { url },
  );
  const newWorker = (): Part => {
    const worker = createPart({
      args: [fileURLToPath(import.meta.resolve('@clickrelay/worker/main'))],
      env: { PERSON_KEY, REDIS_URL: urlFor('worker'), EGRESS_ALLOW: '127.0.0.0/8', RETRY_SCHEDULE, ...options.worker },
      readyOutput: /worker\.ready/,
    });
    run.defer(() => worker.kill());
    return worker;
  };
  const worker = newWorker();
  run.defer(() => receiver.kill());
  const start = options.start ?? ['receiver', 'worker'];
  await Promise.all([start.includes('receiver') && receiver.start(), start.includes('worker') && worker.start()]);

  const clickatell = createClickatell({ url, authorization: credential(FIRST_PASSWORD).header }, ledger, run);
  run.defer(async () => clickatell.close());

  const readyz = async (): Promise<{ status: number; body: string }> => {
    try {
      const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(20_000) });
      return { status: response.status, body: await response.text() };
    } catch {
      return { status: 0, body: '' };
    }
  };
  return {
    redis,
    redisUrl,
    proxy,
    store,
    receiver,
    worker,
    clickatell,
    ledger,
    destinations,
    get destination() {
      return destinations[0] as CheckingDestination;
    },
    newWorker,
    readyz,
    spooled: async () => {
      if (!spoolDir) return 0;
      const { body } = await readyz();
      const report = JSON.parse(body) as { spool?: { records: number; setAside: number } };
      if (report.spool === undefined) throw new Error('/readyz says nothing of the spool');
      return report.spool.records + report.spool.setAside;
    },
    whenReady: async () => {
      await waitUntil(async () => (await readyz()).status === 200, { timeoutMs: 90_000, what: 'a ready receiver' });
    },
  };
};

// -- the view inside --------------------------------------------------------------------------------------------

/** The event log: all event ids of each sent event. */
export const readLogged = async (store: Store): Promise<Map<string, string[]>> => {
  const bySentId = new Map<string, string[]>();
  let cursor: string | undefined;
  for (;;) {
    const { items, next } = await listEvents(store, { limit: 500, cursor });
    for (const { event } of items) {
      const sentId = String((event.raw as Record<string, unknown>)['messageId']);
      bySentId.set(sentId, [...(bySentId.get(sentId) ?? []), event.id]);
    }
    if (next === null) return bySentId;
    cursor = next;
  }
};

/** The event ids of a destination's dead letters. */
export const readDeadLetters = async (store: Store, destinationId: string): Promise<Set<string>> => {
  const ids = new Set<string>();
  let cursor: string | undefined;
  for (;;) {
    const { items, next } = await listDeadLetters(store, { limit: 500, cursor, destinationId });
    for (const { eventId } of items) ids.add(eventId);
    if (next === null) return ids;
    cursor = next;
  }
};

/** The event ids waiting in a destination's queue. */
export const readPending = async (store: Store, destinationId: string): Promise<Set<string>> => {
  const jobs = await store
    .queue(destinationQueue(destinationId))
    .getJobs(['waiting', 'prioritized', 'delayed', 'active']);
  return new Set(jobs.map(({ id }) => id as string));
};

/** The texts of callbacks that no worker has split so far. */
export const readIngest = async (store: Store): Promise<string> => {
  const jobs = await Promise.all(
    LANES.flatMap((lane) => ingestQueues(store, lane)).map((name) =>
      store.queue(name).getJobs(['waiting', 'delayed', 'active']),
    ),
  );
  return jobs
    .flat()
    .flatMap(({ data }) => (data as IngestGroup).callbacks.map((callback) => JSON.stringify(callback)))
    .join('\n');
};

/** Counts unfinished jobs of any sort. */
export const countOpen = async (store: Store): Promise<number> => {
  const { ingest, destinations } = await queueDepths(store);
  return (
    ingest.messages +
    ingest.statuses +
    destinations.reduce((sum, { waiting, delayed, active }) => sum + waiting + delayed + active, 0)
  );
};
