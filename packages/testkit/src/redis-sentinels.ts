import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { type Program, startProgram } from './processes.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { redisCommand } from './redis-command.ts';
import { waitUntil } from './wait-until.ts';

export interface RedisSentinels {
  /** `redis+sentinel://` with the three Sentinels. */
  readonly url: string;
  /** The first one starts as the primary. */
  readonly servers: readonly RedisServer[];
  stop(): Promise<void>;
}

/** How long a primary may be silent before it counts as dead. */
const DOWN_AFTER_MS = 500;

/** Starts a real primary with replicas, and three real Sentinels that watch them, on 127.0.0.1. */
export const startRedisSentinels = async ({ replicas: count = 1 } = {}): Promise<RedisSentinels> => {
  const primary = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  const replicas = await Promise.all(
    Array.from({ length: count }, () =>
      startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port), '--repl-diskless-sync-delay', '0'] }),
    ),
  );
  const dir = await mkdtemp(join(tmpdir(), 'clickrelay-sentinels-'));
  const sentinels: Program[] = [];
  const ports: number[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(sentinels.map((sentinel) => sentinel.stop('SIGKILL')));
    await Promise.all([primary, ...replicas].map((server) => server.stop()));
    await rm(dir, { recursive: true, force: true });
  };
  try {
    for (const { port } of replicas) {
      await waitUntil(async () => (await redisCommand(port, 'INFO', 'replication')).includes('master_link_status:up'), {
        timeoutMs: 20_000,
      });
    }
    for (let index = 0; index < 3; index++) {
      const port = await freePort();
      const config = join(dir, `${index}.conf`);
      await writeFile(
        config,
        [
          `port ${port}`,
          'bind 127.0.0.1',
          `dir ${dir}`,
          `sentinel monitor mymaster 127.0.0.1 ${primary.port} 2`,
          `sentinel down-after-milliseconds mymaster ${DOWN_AFTER_MS}`,
          'sentinel failover-timeout mymaster 3000',
          'sentinel parallel-syncs mymaster 1',
          '',
        ].join('\n'),
      );
      sentinels.push(
        await startProgram({ command: findRedisServer(), args: [config, '--sentinel'], readyOutput: /\+monitor/ }),
      );
      ports.push(port);
    }
    for (const port of ports) {
      await waitUntil(
        async () => {
          const known = await redisCommand(port, 'INFO', 'sentinel');
          return known.includes(`slaves=${count},sentinels=3`);
        },
        { timeoutMs: 20_000, what: 'the Sentinels' },
      );
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
  return { url: `redis+sentinel://${hosts}/mymaster`, servers: [primary, ...replicas], stop };
};
