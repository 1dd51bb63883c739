export {
  type Destination,
  type DestinationAnswer,
  type ReceivedRequest,
  type ScriptedAnswer,
  startDestination,
} from './destination.ts';
export { fairNow } from './fair-now.ts';
export type { Cut, CutMoment } from './fault-connection.ts';
export { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
export { beginSlotMove, type SlotMove } from './move-slot.ts';
export { PERSON_KEY } from './person-key.ts';
export { COMPILE_CACHE, type Program, type ProgramOptions, startProgram } from './processes.ts';
export { type RedisOptions, type RedisServer, startRedis } from './redis.ts';
export { type RedisCluster, startRedisCluster } from './redis-cluster.ts';
export { redisCommand } from './redis-command.ts';
export { type RedisSentinels, startRedisSentinels } from './redis-sentinels.ts';
export { cannotShiftClock, createShiftedClock, type ShiftedClock } from './shifted-clock.ts';
export { type WaitOptions, waitUntil } from './wait-until.ts';
