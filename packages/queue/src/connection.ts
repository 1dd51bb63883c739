import { Redis, type RedisOptions } from 'ioredis';

/**
 * - `producer` (receiver, API): fails fast. Nothing is buffered while Redis is away and every command has a deadline,
 *   so that a callback is refused in time rather than kept waiting.
 * - `consumer` (worker): waits. Commands are repeated until Redis is back, because the work they record is done.
 */
export type Role = 'producer' | 'consumer';

const PRODUCER = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  // BullMQ's default has none; a command that Redis took but never answered would hang for ever.
  commandTimeout: 1_400,
  // A network that died without a word is noticed by TCP after a quarter of an hour only.
  socketTimeout: 3_000,
} satisfies RedisOptions;

const CONSUMER = {
  // Demanded by BullMQ for anything that takes jobs.
  maxRetriesPerRequest: null,
  socketTimeout: 10_000,
} satisfies RedisOptions;

/** Quick, and spread, so that receivers neither lag behind a restarted Redis nor hit it all at once. */
const reconnectInMs = (times: number): number => Math.min(20 * 2 ** times, 500) * (0.5 + Math.random() / 2);

/** @param redisUrl `redis://` or `rediss://`, with user, password and database as usual. */
export const connectRedis = (redisUrl: string, role: Role): Redis => {
  const options = {
    ...(role === 'producer' ? PRODUCER : CONSUMER),
    connectTimeout: 2_000,
    retryStrategy: reconnectInMs,
    // A primary that became a replica answers READONLY until we look up the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions;
  return new Redis(redisUrl, options);
};
