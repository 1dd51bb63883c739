import { expect, it } from 'vitest';
import { createRedisLog } from './redis-log.ts';

it('says that Redis is away once for each reason, and once that it is back', () => {
  const lines: unknown[] = [];
  const log = {
    warn: (fields: object, msg: string) => lines.push({ ...fields, msg }),
    info: (fields: object, msg: string) => lines.push({ ...fields, msg }),
  } as unknown as Parameters<typeof createRedisLog>[0];
  const redis = createRedisLog(log, (error) => ({ cause: (error as Error).message, mend: 'mend it' }));
  redis.onReady();
  for (const reason of ['refused', 'refused', 'refused', 'no password', 'no password'])
    redis.onError(new Error(reason));
  expect(redis.isAway()).toBe(true);
  redis.onReady();
  redis.onReady();
  expect(redis.isAway()).toBe(false);
  expect(lines).toEqual([
    { reason: 'refused', mend: 'mend it', msg: 'redis.away' },
    { reason: 'no password', mend: 'mend it', msg: 'redis.away' },
    { errors: 5, msg: 'redis.back' },
  ]);
});
