import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findRedisServer } from '@clickrelay/service/machine';
import { type RedisCluster, type RedisServer, redisCommand, startRedisCluster, waitUntil } from '@clickrelay/testkit';
import type { Run } from './run.ts';

/** A Redis Cluster whose slots are moved by `redis-cli --cluster`, as people do it. */
export interface MovingCluster extends RedisCluster {
  /** `redis-cli --cluster …`. @returns what it prints @throws {Error} with what it printed */
  cli(...args: readonly string[]): Promise<string>;
  /** Adds a master without slots, with a replica. @returns both */
  grow(): Promise<readonly [master: RedisServer, replica: RedisServer]>;
  /** Moves slots from one master to another. */
  reshard(from: RedisServer, to: RedisServer, slots: number): Promise<string>;
  states(): Promise<string[]>;
  /** Resolves when no slot is open and each has a master. Mends what it can. */
  mend(): Promise<void>;
}

/** Ten are the default of `redis-cli`, and each batch waits for the disks of both masters. */
export const KEYS_AT_ONCE = ['--cluster-pipeline', '200'] as const;
const LONGEST_MOVE_MS = 480_000;

const exec = promisify(execFile);

/** Longer than a busy machine stalls a node that nobody killed. */
const NODE_TIMEOUT_MS = 4_000;

export const nodeId = async ({ port }: RedisServer): Promise<string> =>
  /[0-9a-f]{40}/.exec(await redisCommand(port, 'CLUSTER', 'MYID'))?.[0] ?? '';

export const addressOf = ({ port }: RedisServer): string => `127.0.0.1:${port}`;

export const startMovingCluster = async (run: Run): Promise<MovingCluster> => {
  const cluster = await startRedisCluster({ nodeTimeoutMs: NODE_TIMEOUT_MS });
  run.defer(() => cluster.stop());
  const program = join(dirname(findRedisServer()), 'redis-cli');
  const { masters } = cluster;

  const cli = async (...args: readonly string[]): Promise<string> => {
    try {
      const { stdout } = await exec(program, ['--cluster', ...args], { timeout: LONGEST_MOVE_MS, maxBuffer: 1e8 });
      return stdout;
    } catch (error) {
      const { stdout = '', message } = error as Error & { stdout?: string };
      // A dot for each key.
      const said = stdout
        .replaceAll(/\.{2,}/g, '…')
        .trim()
        .split('\n')
        .slice(-3)
        .join(' / ');
      throw new Error(`redis-cli --cluster ${args[0]}: ${said || message.slice(0, 300)}`, { cause: error });
    }
  };
  /** One that still answers. */
  const anyNode = async (): Promise<string> => {
    for (const node of [...masters, ...cluster.replicas]) {
      if (await redisCommand(node.port, 'PING').catch(() => undefined)) return addressOf(node);
    }
    throw new Error('no node of the Cluster answers');
  };
  /** What each node that answers says of the Cluster. */
  const states = async (): Promise<string[]> => {
    const told = await Promise.allSettled(
      [...masters, ...cluster.replicas].map(async ({ port }) => {
        const info = await redisCommand(port, 'CLUSTER', 'INFO');
        const nodes = await redisCommand(port, 'CLUSTER', 'NODES');
        const own = nodes.split('\n').find((line) => line.includes('myself'));
        return `${port}: ${/cluster_state:\w+/.exec(info)} ${/cluster_slots_ok:\d+/.exec(info)} ${own?.slice(41)}`;
      }),
    );
    return told.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  };
  const isClean = async (): Promise<boolean> => {
    if ((await states()).some((state) => !state.includes('cluster_state:ok'))) return false;
    const said = await cli('check', await anyNode()).catch((error: Error) => error.message);
    return said.includes('All 16384 slots covered') && !/\[(WARNING|ERR)\]/.test(said);
  };

  return {
    ...cluster,
    cli,
    states,
    grow: async () => {
      const [master, replica] = await Promise.all([cluster.startNode(), cluster.startNode()]);
      const known = await anyNode();
      await cli('add-node', addressOf(master), known);
      const id = await nodeId(master);
      await waitUntil(isClean, { timeoutMs: 30_000, what: 'a Cluster that agrees on the new master' });
      await cli('add-node', addressOf(replica), known, '--cluster-slave', '--cluster-master-id', id);
      await waitUntil(
        async () => (await redisCommand(replica.port, 'INFO', 'replication')).includes('master_link_status:up'),
        { timeoutMs: 30_000, what: 'the replica of the new master' },
      );
      return [master, replica];
    },
    reshard: async (from, to, slots) => {
      const [fromId, toId] = await Promise.all([nodeId(from), nodeId(to)]);
      const ids = ['--cluster-from', fromId, '--cluster-to', toId];
      return cli('reshard', addressOf(to), ...ids, '--cluster-slots', String(slots), ...KEYS_AT_ONCE, '--cluster-yes');
    },
    mend: async () => {
      await waitUntil(
        async () => {
          if (await isClean()) return true;
          for (const state of await states()) run.step(state);
          const said = await cli('fix', await anyNode()).catch((error: Error) => error.message);
          run.step(`fix: ${said.trim().split('\n').slice(-2).join(' / ')}`);
          return false;
        },
        { timeoutMs: 90_000, everyMs: 500, what: 'a Cluster without open slots' },
      );
    },
  };
};
