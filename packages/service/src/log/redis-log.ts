import type { Logger } from 'pino';

export interface RedisLog {
  /** Called for every failed attempt to connect; logs only the first. */
  readonly onError: (error: Error) => void;
  readonly onReady: () => void;
  isAway(): boolean;
}

/**
 * Logs `redis.away` once when the connection is lost, and `redis.back` once when it is restored.
 * @param describe the fields of `redis.away`
 */
export const createRedisLog = (
  log: Pick<Logger, 'info' | 'warn'>,
  describe: (error: Error) => object = () => ({}),
): RedisLog => {
  let isAway = false;
  return {
    onError: (error) => {
      if (!isAway) log.warn(describe(error), 'redis.away');
      isAway = true;
    },
    onReady: () => {
      if (isAway) log.info('redis.back');
      isAway = false;
    },
    isAway: () => isAway,
  };
};
