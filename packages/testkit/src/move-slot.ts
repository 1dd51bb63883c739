import type { RedisServer } from './redis.ts';
import type { RedisCluster } from './redis-cluster.ts';
import { redisCommand } from './redis-command.ts';

export interface SlotMove {
  readonly from: RedisServer;
  readonly to: RedisServer;
  /** Moves up to so many of its keys, and leaves the slot open. */
  moveKeys(most: number): Promise<void>;
  /** Moves the rest, and closes the slot. */
  end(): Promise<void>;
}

const SLOTS = 16_384;
const KEYS_AT_ONCE = 50;

/** Opens a slot of a Cluster that was just started: from now on it is on its way to the next master. */
export const beginSlotMove = async ({ masters }: RedisCluster, slot: number): Promise<SlotMove> => {
  const at = masters.findLastIndex((_, index) => Math.floor((SLOTS * index) / masters.length) <= slot);
  const [from, to] = [masters[at], masters[(at + 1) % masters.length]] as [RedisServer, RedisServer];
  const [fromId, toId] = await Promise.all([from, to].map(idOf));
  await redisCommand(to.port, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId as string);
  await redisCommand(from.port, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId as string);

  /** @returns how many */
  const moveSome = async (most: number): Promise<number> => {
    const reply = await redisCommand(from.port, 'CLUSTER', 'GETKEYSINSLOT', slot, most);
    const keys = reply.split('\r\n').filter((line) => line !== '' && !/^[*$]\d+$/.test(line));
    if (keys.length > 0) await redisCommand(from.port, 'MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
    return keys.length;
  };
  return {
    from,
    to,
    moveKeys: async (most) => {
      for (let left = most; left > 0; left -= KEYS_AT_ONCE) await moveSome(Math.min(left, KEYS_AT_ONCE));
    },
    end: async () => {
      while ((await moveSome(KEYS_AT_ONCE)) > 0);
      for (const { port } of [to, from, ...masters]) {
        await redisCommand(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId as string);
      }
    },
  };
};

const idOf = async ({ port }: RedisServer): Promise<string> =>
  /[0-9a-f]{40}/.exec(await redisCommand(port, 'CLUSTER', 'MYID'))?.[0] as string;
