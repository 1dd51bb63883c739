import { freePort } from '@clickrelay/service/machine';
import { type RedisServer, startRedis } from './redis.ts';
import { redisCommand } from './redis-command.ts';
import { waitUntil } from './wait-until.ts';

export interface RedisCluster {
  /** `redis+cluster://` with every node. */
  readonly url: string;
  readonly masters: readonly RedisServer[];
  /** One replica for each master, in the same order. */
  readonly replicas: readonly RedisServer[];
  /** Starts a node that knows no other so far, to be added to this Cluster. */
  startNode(): Promise<RedisServer>;
  /** Stops all nodes, those that were added too. */
  stop(): Promise<void>;
}

const SLOTS = 16_384;
interface RedisClusterOptions {
  /** @default true */
  readonly withReplicas?: boolean;
  /**
   * How long a node may be silent before it counts as dead, in ms. Where none is meant to die, choose longer than a
   * busy machine may stall.
   * @default 1000
   */
  readonly nodeTimeoutMs?: number;
}

/** Starts a real Redis Cluster on 127.0.0.1: three masters, by default with a replica each. */
export const startRedisCluster = async ({
  withReplicas = true,
  nodeTimeoutMs = 1_000,
}: RedisClusterOptions = {}): Promise<RedisCluster> => {
  const buses = new Map<RedisServer, number>();
  const startNode = async (): Promise<RedisServer> => {
    const bus = await freePort();
    const node = await startRedis({
      args: [
        ...['--cluster-enabled', 'yes', '--cluster-port', String(bus)],
        ...['--cluster-node-timeout', String(nodeTimeoutMs), '--repl-diskless-sync-delay', '0'],
      ],
    });
    buses.set(node, bus);
    return node;
  };
  const masters = await Promise.all([startNode(), startNode(), startNode()]);
  const replicas = withReplicas ? await Promise.all([startNode(), startNode(), startNode()]) : [];
  const nodes = [...masters, ...replicas];
  const stop = async (): Promise<void> => {
    await Promise.all([...buses.keys()].map((node) => node.stop()));
  };

  try {
    for (const [index, { port }] of masters.entries()) {
      const [from, to] = [index, index + 1].map((part) => Math.floor((SLOTS * part) / masters.length)) as [
        number,
        number,
      ];
      await redisCommand(port, 'CLUSTER', 'ADDSLOTSRANGE', from, to - 1);
      await redisCommand(port, 'CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    }
    const [first, ...others] = nodes as [RedisServer, ...RedisServer[]];
    for (const node of others) {
      await redisCommand(first.port, 'CLUSTER', 'MEET', '127.0.0.1', node.port, buses.get(node) as number);
    }
    const ids = await Promise.all(masters.map(async ({ port }) => idIn(await redisCommand(port, 'CLUSTER', 'MYID'))));
    for (const [index, replica] of replicas.entries()) {
      const id = ids[index] as string;
      await waitUntil(async () => (await redisCommand(replica.port, 'CLUSTER', 'NODES')).includes(id));
      await redisCommand(replica.port, 'CLUSTER', 'REPLICATE', id);
    }
    for (const { port } of nodes) {
      await waitUntil(
        async () => {
          const info = await redisCommand(port, 'CLUSTER', 'INFO');
          return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`);
        },
        { timeoutMs: 20_000, what: 'the Redis Cluster' },
      );
    }
    for (const { port } of replicas) {
      await waitUntil(async () => (await redisCommand(port, 'INFO', 'replication')).includes('master_link_status:up'), {
        timeoutMs: 20_000,
      });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  return { url, masters, replicas, startNode, stop };
};

const idIn = (reply: string): string => /[0-9a-f]{40}/.exec(reply)?.[0] as string;
