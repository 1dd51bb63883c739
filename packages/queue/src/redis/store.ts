import { type Lane, QueueUnavailableError } from '@clickrelay/core';
import { Queue, type RedisQueueBackend, Worker } from 'bullmq';
import { Cluster, type Redis } from 'ioredis';
import { createRedisClock, type RedisClock } from './clock.ts';
import { confirmReplicated } from './confirm-replicated.ts';
import { connectRedis, type RedisClient, type Role } from './connection.ts';
import type { DurabilityMode } from './durability-mode.ts';
import { LayoutMismatchError } from './errors.ts';
import { explainRedisError, type RedisTrouble, saysOnlyThatItFailed } from './explain-error.ts';
import { anyStore, type Identity, watchIdentity } from './identity.ts';
import { keySlot } from './key-slot.ts';
import { INGEST_SHARDS, ingestQueue, LAYOUT, type QueueName, queueKey, REGISTRY } from './names.ts';
import { createPeople, nobody, type People } from './people.ts';
import { createPutAside, type PutAside } from './put-aside.ts';
import type { StoreMemory } from './remember-store.ts';

/** How long a taken job stays ours without renewal. After that, another worker takes the jobs of a crashed one. */
export const LOCK_MS = 5_000;

/**
 * A healthy replica answers within milliseconds. A commit waits for less than its deadline, so that its error can name
 * the reason. A worker needs the same connection for other work, and tries again later.
 */
const REPLICA_WAIT_MS = { answer: 1_000, work: 200 } as const;

/** BullMQ marks a stalled job in one check and returns it in the next. The checks of all processes share this pace. */
export const STALLED_CHECK_MS = 900;

/** A Worker that takes jobs only on request: it has no loop and no blocking connection of its own. */
export class JobTaker extends Worker {
  declare public backend: RedisQueueBackend;
  /** The time that jobs are put off from, and taken by: that of Redis. */
  now: () => number = Date.now;

  override createBackend(): void {
    this.backend = this.backendFactory(this.name, this.opts, { withBlockingConnection: false }) as RedisQueueBackend;
  }
}

/** Where the time stands in BullMQ's command for a take: behind eleven keys and the prefix. */
const TAKE_TIME = 12;

/** BullMQ wakes what sleeps by the clock of this machine. It gets that of Redis instead: see clock.ts. */
const goBy = (clock: RedisClock, taker: JobTaker): void => {
  taker.now = clock.now;
  const { backend } = taker;
  const send = backend.execCommand.bind(backend);
  backend.execCommand = (client, command, args) => {
    if (command === 'moveToActive') args[TAKE_TIME] = clock.now();
    return send(client, command, args);
  };
};

/** A connection to Redis, and what runs over it. Every function of this package takes a store. */
export interface Store {
  readonly redis: RedisClient;
  readonly role: Role;
  /** What is due at a time goes by it. */
  readonly clock: RedisClock;
  /** Whether this Redis is the one that the process began with. */
  readonly identity: Identity;
  /** How people are named where no number may stand. */
  readonly people: People;
  /** On a Cluster, tags are on different servers: no command, script or pipeline may touch two of them. */
  readonly isCluster: boolean;
  /** By hash tag: the parts of a Cluster that cannot be used for now. */
  readonly aside: PutAside;
  /** How many queues each lane has: on a Cluster, several, which spread its groups over the servers. */
  readonly ingestShards: number;
  /** The servers that take writes: one, or the masters of a Cluster. */
  servers(): Redis[];
  /** The connection that now carries commands for this key. @throws when no node of the Cluster is known to have it */
  connectionOf(key: string): Redis;
  /**
   * Carries out writes to keys of one tag. With `DURABILITY=replicated`, resolves only when a replica has them too.
   * @throws {QueueUnavailableError} when no replica is known to have them in time
   */
  durably<T>(key: string, write: () => Promise<T>): Promise<T>;
  /**
   * The same for writes after which other data are removed: a removal must not survive when the write is lost. A
   * replica follows the order of its primary, so a single server needs nothing. On a Cluster, the write and the removal
   * may go to different servers.
   */
  durablyBeforeNext<T>(write: () => Promise<T>): Promise<T>;
  /** For adding jobs to a queue and looking at them. */
  queue(name: QueueName): Queue;
  /** For taking jobs from a queue and settling them. */
  taker(name: QueueName): JobTaker;
  /** The same on a connection of the caller, who also closes it. */
  openTaker(name: QueueName, connection: RedisClient): JobTaker;
  /**
   * Resolves when Redis answers, is ours, and its data have the layout of this version.
   * @throws {LayoutMismatchError} when they have another
   * @throws {PersonKeyMismatchError} when they began with another person key
   * @throws {StoreLostError} when it is not the Redis that this process remembers
   */
  ready(): Promise<void>;
  /** Why Redis refused this, for people; or why it cannot be reached now. Undefined when that is not known. */
  explain(error?: unknown): RedisTrouble | undefined;
  /** @throws {QueueUnavailableError} when a command sent now would not reach Redis, or one that is not ours */
  assertConnected(): void;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** See `parseRedisUrl`. */
  readonly redisUrl: string;
  readonly role: Role;
  /** With `replicated`, nothing is acknowledged before a replica has it. @default 'always' */
  readonly durability?: DurabilityMode;
  /** Where the process remembers which store is its own. @default uses whatever Redis it is given */
  readonly memory?: StoreMemory | undefined;
  /** The `PERSON_KEY`, for a process that names people. @default it names nobody */
  readonly personKey?: string | undefined;
  /** Called for each connection error, repeatedly while Redis is away. The connection recovers by itself. */
  readonly onError?: (error: Error) => void;
}

/**
 * Writes the layout into an empty Redis. Afterwards, compares it.
 * @throws {LayoutMismatchError}
 */
export const writeLayout = async (redis: RedisClient): Promise<void> => {
  const ours = JSON.stringify(LAYOUT);
  await redis.setnx(`${REGISTRY}:layout`, ours);
  const theirs = await redis.get(`${REGISTRY}:layout`);
  if (theirs !== ours) {
    throw new LayoutMismatchError(
      `the data in this Redis have layout ${theirs}, this version of Clickrelay reads ${ours}; ` +
        'use the version that wrote them, or another database',
    );
  }
};

const whenConnected = (redis: RedisClient): Promise<void> =>
  redis.status === 'ready' ? Promise.resolve() : new Promise((resolve) => redis.once('ready', () => resolve()));

/** Opens without waiting for Redis, so that a process can start, and say what it waits for, while Redis is away. */
export const openStore = async (options: StoreOptions): Promise<Store> => {
  const redis = connectRedis(options.redisUrl, options.role);
  const onError = options.onError ?? (() => {});
  /** Since the connection was lost, or could not be made. */
  let lastError: Error | undefined;
  redis.on('error', (error) => {
    lastError = error;
    onError(error);
  });
  redis.on('ready', () => {
    lastError = undefined;
  });
  const queues = new Map<string, Queue>();
  const takers = new Map<string, JobTaker>();
  let layout: Promise<void> | undefined;

  const openQueue = (name: QueueName): Queue => {
    // Nothing reads the event stream of BullMQ, which by default keeps 10,000 entries for every queue.
    const queue = new Queue(name.name, { connection: redis, prefix: name.prefix, streams: { events: { maxLen: 0 } } });
    queue.on('error', onError);
    // A BullMQ queue never recovers from a failed start: another try needs another queue.
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
      // A crash may not be the fault of the job. To make it a dead letter for that would be a loss.
      maxStalledCount: 1_000_000,
      // The outcome of a delivery is kept beside its event.
      removeOnComplete: { count: 0 },
    });
    taker.on('error', onError);
    goBy(clock, taker);
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
  const clock = createRedisClock(servers, () => connectionOf(REGISTRY));
  const isCluster = redis instanceof Cluster;
  const identity = options.memory === undefined ? anyStore : watchIdentity(redis, options.memory);
  // BullMQ wrote the settings of its queues into the store that is gone: those that are opened anew write them again.
  identity.onAdopt(async () => queues.clear());
  const people = options.personKey === undefined ? nobody : createPeople(options.personKey);
  identity.onAdopt(() => people.agree(redis));
  const isReplicated = options.durability === 'replicated';

  return {
    redis,
    role: options.role,
    clock,
    identity,
    people,
    isCluster,
    aside: createPutAside(),
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
      layout ??= whenConnected(redis)
        .then(() => identity.look())
        .then(() => writeLayout(redis))
        .then(() => people.agree(redis))
        .catch((error) => {
          layout = undefined;
          throw error;
        });
      return layout;
    },
    explain: (error) => {
      // A command that never reached Redis does not know why; the connection does.
      const why = lastError !== undefined && (error === undefined || saysOnlyThatItFailed(error)) ? lastError : error;
      return explainRedisError(why, options.redisUrl);
    },
    assertConnected: () => {
      if (redis.status !== 'ready') {
        throw new QueueUnavailableError(
          `Redis is not connected (${redis.status}); nothing was stored, send it again later`,
        );
      }
      identity.assertOurs();
    },
    close: async () => {
      identity.stop();
      await Promise.allSettled([...queues.values(), ...takers.values()].map((handle) => handle.close()));
      redis.disconnect();
    },
  };
};

/** The queues of a lane. */
export const ingestQueues = (store: Store, lane: Lane): QueueName[] =>
  Array.from({ length: store.ingestShards }, (_, shard) => ingestQueue(lane, shard));
