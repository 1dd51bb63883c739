import type { Redis } from 'ioredis';
import type { Store } from './store.ts';

/** What Redis tells of itself beside what decides its durability; null where it does not tell. */
export interface ServerUse {
  /** `err` when the last rewrite of the append-only file failed. */
  readonly lastRewrite: 'ok' | 'err' | null;
  readonly usedBytes: number;
  /** `maxmemory`; 0 without one. */
  readonly maxBytes: number;
  /** The memory of its machine. */
  readonly machineBytes: number | null;
  /** How often, since it started, a write waited for its disk. */
  readonly delayedFsyncs: number;
  /** The replicas that are connected. */
  readonly replicas: number;
}

const fieldOf = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];

const readOne = async (server: Redis): Promise<ServerUse> => {
  const info = await server.info();
  const number = (name: string): number => Number(fieldOf(info, name) ?? 0);
  const lastRewrite = fieldOf(info, 'aof_last_bgrewrite_status');
  return {
    lastRewrite: lastRewrite === 'ok' || lastRewrite === 'err' ? lastRewrite : null,
    // As Redis compares it with `maxmemory`: see memory.ts.
    usedBytes: number('used_memory') - number('mem_not_counted_for_evict'),
    maxBytes: number('maxmemory'),
    machineBytes: number('total_system_memory') || null,
    delayedFsyncs: number('aof_delayed_fsync'),
    replicas: number('connected_slaves'),
  };
};

const shareOf = ({ usedBytes, maxBytes, machineBytes }: ServerUse): number => {
  const limit = maxBytes || machineBytes || 0;
  return limit === 0 ? 0 : usedBytes / limit;
};

/** The server, or of the masters of a Cluster the worst in each respect. */
export const readServers = async (store: Store): Promise<ServerUse> => {
  const all = await Promise.all(store.servers().map(readOne));
  const [fullest] = all.toSorted((a, b) => shareOf(b) - shareOf(a));
  if (fullest === undefined) throw new Error('no server of the Redis Cluster is known');
  return {
    ...fullest,
    lastRewrite: all.some(({ lastRewrite }) => lastRewrite === 'err') ? 'err' : fullest.lastRewrite,
    delayedFsyncs: all.reduce((sum, { delayedFsyncs }) => sum + delayedFsyncs, 0),
    replicas: Math.min(...all.map(({ replicas }) => replicas)),
  };
};
