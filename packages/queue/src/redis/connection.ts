import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { parseRedisUrl } from './redis-url.ts';

/**
 * - `producer` (receiver, API): fails fast. It buffers nothing while Redis is away, and every command has a deadline,
 *   so that a callback is refused in time instead of waiting.
 * - `consumer` (worker): waits. It repeats commands until Redis is back, because the work that they record is done.
 */
export type Role = 'producer' | 'consumer';

/** A single server, which Sentinels may have named, or a Cluster. */
export type RedisClient = Redis | Cluster;

const PRODUCER = {
  maxRetriesPerRequest: 1,
  // There is none by default: a command that Redis took and never answered would hang for ever.
  commandTimeout: 1_400,
  // TCP takes a quarter of an hour to notice a network that died silently.
  socketTimeout: 3_000,
} satisfies RedisOptions;

const CONSUMER = {
  // BullMQ requires this of every connection that takes jobs.
  maxRetriesPerRequest: null,
  socketTimeout: 10_000,
} satisfies RedisOptions;

const CONNECT_TIMEOUT_MS = 2_000;

/**
 * A command for a node that died is sent again every 100 ms. A producer tries until its deadline, a consumer until a
 * replica has taken over, which takes a little longer than `cluster-node-timeout` (15 s by default).
 */
const CLUSTER_TRIES = { producer: 14, consumer: 300 } as const;

/** Short and random, so that receivers neither wait long for a restarted Redis nor reach it all at once. */
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
    // How soon to ask again while a server still loads its data. The default of ioredis is 1 s.
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
      // While a slot moves. Most take milliseconds; one that stays open must not keep a command for long.
      retryDelayOnTryAgain: 20,
      slotsRefreshInterval: 2_000,
      // With TLS, a node is addressed by the name in its certificate.
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
    // With this, Sentinels announce a failover at once. Without it, only a failed command would reveal it.
    failoverDetector: true,
  });
  connectAgainWhenGivenUp(redis);
  return redis;
};

/** How soon to connect again after ioredis gave up the connection. */
const CONNECT_AGAIN_MS = 50;

/**
 * Connects again after ioredis gave up. It gives up for good if Sentinels announce a failover at the very moment when
 * it asks them for the primary: its detector ends that attempt, and ioredis does not repeat an attempt that ended so.
 * (Redis.js `_connect`: `setStatus("end")`.) The process would have no Redis until its restart.
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
      // The `error` event reports a failure, and `end` follows again.
      if (isWanted && redis.status === 'end') redis.connect().catch(() => {});
    }, CONNECT_AGAIN_MS);
  });
};
