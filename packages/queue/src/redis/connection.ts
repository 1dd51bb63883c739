import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { parseRedisUrl } from './redis-url.ts';

/**
 * - `producer` (receiver, API): fails fast. Nothing is buffered while Redis is away, and every command has a deadline,
 * so
 *   that a callback is refused in time instead of waiting.
 * - `consumer` (worker): waits. Commands are repeated until Redis is back, because the work they record is done.
 */
export type Role = 'producer' | 'consumer';

/** One server, which Sentinels may have named, or a Cluster. */
export type RedisClient = Redis | Cluster;

const PRODUCER = {
  maxRetriesPerRequest: 1,
  // BullMQ sets none by default: a command that Redis took and never answered would hang for ever.
  commandTimeout: 1_400,
  // TCP notices a network that died silently only after a quarter of an hour.
  socketTimeout: 3_000,
} satisfies RedisOptions;

const CONSUMER = {
  // BullMQ demands this of every connection that takes jobs.
  maxRetriesPerRequest: null,
  socketTimeout: 10_000,
} satisfies RedisOptions;

const CONNECT_TIMEOUT_MS = 2_000;

/**
 * A command for a node that has died is sent again every 100 ms: a producer's until its deadline, a consumer's until a
 * replica has taken over, which takes `cluster-node-timeout` (15 s by default) and a little more.
 */
const CLUSTER_TRIES = { producer: 14, consumer: 300 } as const;

/** Short and spread, so that receivers neither lag behind a restarted Redis nor hit it all at once. */
const reconnectInMs = (times: number): number => Math.min(20 * 2 ** times, 250) * (0.5 + Math.random() / 2);

/**
 * @param redisUrl see `parseRedisUrl`
 * @throws {InvalidRedisUrlError}
 */
export const connectRedis = (redisUrl: string, role: Role): RedisClient => {
  const address = parseRedisUrl(redisUrl);
  const perServer = {
    ...(role === 'producer' ? PRODUCER : CONSUMER),
    connectTimeout: CONNECT_TIMEOUT_MS,
    // How soon to ask a server again that is still reading its file when we connect. The default of ioredis is 1 s.
    maxLoadingRetryTime: 100,
    // A primary that became a replica answers READONLY until we look up the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions;
  const enableOfflineQueue = role === 'consumer';
  if (address.kind === 'server') {
    return new Redis(address.url, { ...perServer, enableOfflineQueue, retryStrategy: reconnectInMs });
  }

  const login = {
    ...(address.username !== undefined && { username: address.username }),
    ...(address.password !== undefined && { password: address.password }),
    ...(address.tls && { tls: {} }),
  } satisfies RedisOptions;
  if (address.kind === 'cluster') {
    return new Cluster([...address.nodes], {
      redisOptions: { ...perServer, ...login },
      enableOfflineQueue,
      clusterRetryStrategy: reconnectInMs,
      maxRedirections: CLUSTER_TRIES[role],
      retryDelayOnFailover: 100,
      retryDelayOnClusterDown: 100,
      slotsRefreshInterval: 2_000,
      // With TLS a node is addressed by the name in its certificate.
      ...(address.tls && { dnsLookup: (host, callback) => callback(null, host) }),
    } satisfies ClusterOptions);
  }
  const redis = new Redis({
    ...perServer,
    ...login,
    enableOfflineQueue,
    retryStrategy: reconnectInMs,
    sentinels: [...address.sentinels],
    name: address.name,
    db: address.db,
    sentinelRetryStrategy: reconnectInMs,
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    ...(address.sentinelUsername !== undefined && { sentinelUsername: address.sentinelUsername }),
    ...(address.sentinelPassword !== undefined && { sentinelPassword: address.sentinelPassword }),
    ...(address.tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    // The Sentinels tell of a failover at once; without this, only a failed command would.
    failoverDetector: true,
  });
  connectAgainWhenGivenUp(redis);
  return redis;
};

/** How soon to connect again after ioredis gave the connection up. */
const CONNECT_AGAIN_MS = 50;

/**
 * ioredis gives a connection up for good when Sentinels announce a failover in the very moment in which it asks them
 * for the primary: its detector ends that attempt, and an attempt that ends so is not repeated. (Redis.js `_connect`:
 * `setStatus("end")`.) The process would be without Redis until it is restarted.
 */
const connectAgainWhenGivenUp = (redis: Redis): void => {
  let isWanted = true;
  const disconnect = redis.disconnect.bind(redis);
  redis.disconnect = (reconnect = false) => {
    if (!reconnect) isWanted = false;
    disconnect(reconnect);
  };
  redis.on('end', () => {
    setTimeout(() => {
      // An error is reported by the `error` event, and leads to `end` again.
      if (isWanted && redis.status === 'end') redis.connect().catch(() => {});
    }, CONNECT_AGAIN_MS);
  });
};
