import { type Lane, QueueUnavailableError } from '@clickrelay/core';
import { type JobsOptions, Queue, type RedisQueueBackend, Worker } from 'bullmq';
import { Cluster, type Redis } from 'ioredis';
import { confirmReplicated } from './confirm-replicated.ts';
import { connectRedis, type RedisClient, type Role } from './connection.ts';
import type { DurabilityMode } from './durability-mode.ts';
import { LayoutMismatchError } from './errors.ts';
import { keySlot } from './key-slot.ts';
import { INGEST_SHARDS, ingestQueue, LAYOUT, type QueueName, queueKey, REGISTRY } from './names.ts';

/** How long a taken job stays ours without renewal. After that, the jobs of a crashed worker are taken again. */
export const LOCK_MS = 5_000;

/**
 * A healthy replica answers within milliseconds. A commit waits for less than its deadline, so that its error can tell
 * the reason. A worker has other work for the same connection, and tries again later.
 */
const REPLICA_WAIT_MS = { answer: 1_000, work: 200 } as const;

/** BullMQ marks on one check and returns on the next; the checks of all processes share this pace. */
const STALLED_CHECK_MS = 900;

/** A Worker that takes jobs only when told to: no loop, no blocking connection of its own. */
export class JobTaker extends Worker {
  declare public backend: RedisQueueBackend;

  override createBackend(): void {
    this.backend = this.backendFactory(this.name, this.opts, { withBlockingConnection: false }) as RedisQueueBackend;
  }
}

/** One connection to Redis, and everything that uses it. Everything in this package takes a store. */
export interface Store {
  readonly redis: RedisClient;
  readonly role: Role;
  /** On a Cluster tags are on different servers: no command, script or pipeline may touch two. */
  readonly isCluster: boolean;
  /** How many queues each lane has: on a Cluster its groups are spread over the servers. */
  readonly ingestShards: number;
  /** The servers that take writes: one, or the masters of a Cluster. */
  servers(): Redis[];
  /** The connection over which a command for this key goes at the moment. @throws when a Cluster knows of none */
  connectionOf(key: string): Redis;
  /**
   * Carries out writes to keys of one tag. With `DURABILITY=replicated` it resolves when they have reached a replica
   * too.
   * @throws {QueueUnavailableError} when they have not reached one in time, or may not have
   */
  durably<T>(key: string, write: () => Promise<T>): Promise<T>;
  /**
   * The same for writes after which other data are removed: the removal must not survive where the write is lost.
   * Replicas carry out writes in the order of their primary, so a single server needs nothing. On a Cluster the two may
   * be on different servers.
   */
  durablyBeforeNext<T>(write: () => Promise<T>): Promise<T>;
  /** To add jobs to a queue and to look at them. */
  queue(name: QueueName): Queue;
  /** To take jobs from a queue and to settle them. */
  taker(name: QueueName): JobTaker;
  /** The same on a connection of the caller, who closes it. */
  openTaker(name: QueueName, connection: RedisClient): JobTaker;
  /**
   * Resolves when Redis answers and its data are laid out as this version expects.
   * @throws {LayoutMismatchError} when they are not.
   */
  ready(): Promise<void>;
  /** @throws {QueueUnavailableError} when a command sent now would not reach Redis. */
  assertConnected(): void;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** See `parseRedisUrl`. */
  readonly redisUrl: string;
  readonly role: Role;
  /** With `replicated` what is acknowledged is on a replica first. @default 'always' */
  readonly durability?: DurabilityMode;
  /** Called for each connection error, again and again while Redis is away. They heal by themselves. */
  readonly onError?: (error: Error) => void;
}

/** Writes the layout into an empty Redis, and compares it ever after. */
const checkLayout = async (redis: RedisClient): Promise<void> => {
  const ours = JSON.stringify(LAYOUT);
  await redis.setnx(`${REGISTRY}:layout`, ours);
  const theirs = await redis.get(`${REGISTRY}:layout`);
  if (theirs !== ours) {
    throw new LayoutMismatchError(
      `the data in this Redis have layout ${theirs}, this version of Clickrelay reads ${ours}; use the version that wrote them, or another database`,
    );
  }
};

/** Opens without waiting for Redis, so that a process can come up, and say what it waits for, while Redis is away. */
export const openStore = async (options: StoreOptions): Promise<Store> => {
  const redis = connectRedis(options.redisUrl, options.role);
  const onError = options.onError ?? (() => {});
  redis.on('error', onError);
  const queues = new Map<string, Queue>();
  const takers = new Map<string, JobTaker>();
  let layout: Promise<void> | undefined;

  const whenConnected = (): Promise<void> =>
    redis.status === 'ready' ? Promise.resolve() : new Promise((resolve) => redis.once('ready', () => resolve()));

  const openQueue = (name: QueueName): Queue => {
    // Nothing reads BullMQ's event stream; its default keeps 10,000 entries for every queue.
    const queue = new Queue(name.name, { connection: redis, prefix: name.prefix, streams: { events: { maxLen: 0 } } });
    queue.on('error', onError);
    // BullMQ never forgets a start that failed: another try needs another queue.
    queue.waitUntilReady().catch(() => {
      if (queues.get(queueKey(name)) === queue) queues.delete(queueKey(name));
    });
    return queue;
  };

  const openTaker = (name: QueueName, connection: RedisClient): JobTaker => {
    const taker = new JobTaker(name.name, null, {
      connection,
      prefix: name.prefix,
      autorun: false,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      // A crash is never the job's fault until proven: a dead letter for having crashed would be a loss.
      maxStalledCount: 1_000_000,
      // The outcome of a delivery is recorded beside its event.
      removeOnComplete: { count: 0 },
    });
    taker.on('error', onError);
    return taker;
  };

  const connectionOf = (key: string): Redis => {
    if (!(redis instanceof Cluster)) return redis;
    const owner = redis.slots[keySlot(key)]?.[0];
    const node = redis.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === owner);
    if (node === undefined) throw new QueueUnavailableError('no node of the Redis Cluster is known to have this key');
    return node;
  };
  const servers = (): Redis[] => (redis instanceof Cluster ? redis.nodes('master') : [redis]);
  const isCluster = redis instanceof Cluster;
  const isReplicated = options.durability === 'replicated';

  return {
    redis,
    role: options.role,
    isCluster,
    ingestShards: isCluster ? INGEST_SHARDS : 1,
    servers,
    connectionOf,
    durably: (key, write) =>
      isReplicated ? confirmReplicated(() => [connectionOf(key)], REPLICA_WAIT_MS.answer, write) : write(),
    durablyBeforeNext: (write) =>
      isReplicated && isCluster ? confirmReplicated(servers, REPLICA_WAIT_MS.work, write) : write(),
    queue: (name) => {
      const queue = queues.get(queueKey(name)) ?? openQueue(name);
      queues.set(queueKey(name), queue);
      return queue;
    },
    taker: (name) => {
      const taker = takers.get(queueKey(name)) ?? openTaker(name, redis);
      takers.set(queueKey(name), taker);
      return taker;
    },
    openTaker,
    ready: () => {
      layout ??= whenConnected()
        .then(() => checkLayout(redis))
        .catch((error) => {
          layout = undefined;
          throw error;
        });
      return layout;
    },
    assertConnected: () => {
      if (redis.status !== 'ready') {
        throw new QueueUnavailableError(
          `Redis is not connected (${redis.status}); nothing was stored, send it again later`,
        );
      }
    },
    close: async () => {
      await Promise.allSettled([...queues.values(), ...takers.values()].map((handle) => handle.close()));
      redis.disconnect();
    },
  };
};

/** The queues of a lane. */
export const ingestQueues = (store: Store, lane: Lane): QueueName[] =>
  Array.from({ length: store.ingestShards }, (_, shard) => ingestQueue(lane, shard));

let turn = 0;

/** The queue of a lane whose turn it is: a group goes whole to one of them. */
export const nextIngestQueue = (store: Store, lane: Lane): QueueName => ingestQueue(lane, turn++ % store.ingestShards);

/** Adds jobs in one pipeline. A job whose id exists is left as it is. */
export const addJobs = async (
  store: Store,
  name: QueueName,
  jobs: readonly { data: unknown; options?: JobsOptions }[],
): Promise<void> => {
  const [first] = jobs;
  if (jobs.length === 1 && first !== undefined) await store.queue(name).add('', first.data, first.options);
  else if (jobs.length > 1)
    await store
      .queue(name)
      .addBulk(jobs.map(({ data, options }) => ({ name: '', data, ...(options && { opts: options }) })));
};
