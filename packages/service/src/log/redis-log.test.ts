import { expect, it } from 'vitest';
import { createRedisLog } from './redis-log.ts';

it('says once that Redis is away, and once that it is back', () => {
  const lines: unknown[] = [];
  const log = {
    warn: (fields: object, msg: string) => lines.push({ ...fields, msg }),
    info: (msg: string) => lines.push({ msg }),
  } as unknown as Parameters<typeof createRedisLog>[0];
  const redis = createRedisLog(log, ({ message }) => ({ reason: message }));
  redis.onReady();
  redis.onError(new Error('first'));
  redis.onError(new Error('second'));
  expect(redis.isAway()).toBe(true);
  redis.onReady();
  redis.onReady();
  expect(redis.isAway()).toBe(false);
  expect(lines).toEqual([{ reason: 'first', msg: 'redis.away' }, { msg: 'redis.back' }]);
});
