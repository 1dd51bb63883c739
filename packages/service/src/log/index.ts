export { describeError, type ErrorFacts, errorFields } from './describe-error.ts';
export { logStore } from './log-store.ts';
export { openLog } from './open-log.ts';
export { createErrorLog, createRedisLog, type ExplainRedis, type RedisLog } from './redis-log.ts';
