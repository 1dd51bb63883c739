export { findRedisServer } from './find-redis-server.ts';
export { freePort } from './free-port.ts';
