export { describeError, type ErrorFacts, errorFields } from './describe-error.ts';
export { openLog } from './open-log.ts';
export { createRedisLog, type RedisLog } from './redis-log.ts';
