import type { OwnRedis } from './own-redis.ts';
import type { Role } from './role.ts';

/** Longer than a delivery may take (15 s). */
export const GRACE_MS = 20_000;

/** What runs, in the order in which it stops. */
export interface Parts {
  readonly roles: Role[];
  redis: OwnRedis | undefined;
}

/** Stops one part after the other, and Redis last, because the others still write to it. */
export const stopParts = async ({ roles, redis }: Parts): Promise<void> => {
  for (const role of roles) await role.stop(GRACE_MS);
  await redis?.stop();
};

export const killParts = ({ roles, redis }: Parts): void => {
  for (const role of roles) role.kill();
  if (redis !== undefined) process.kill(redis.pid, 'SIGKILL');
};
