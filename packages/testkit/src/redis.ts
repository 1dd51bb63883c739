import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { waitUntil } from './wait-until.ts';

export interface RedisOptions {
  /** Its data folder. @default a new temporary folder, removed by `stop` */
  dir?: string;
  /** @default a free one */
  port?: number;
  /** Further arguments of redis-server, after ours: `['--appendfsync', 'everysec']`. */
  args?: string[];
  /** Added to the environment of this process. */
  env?: Record<string, string>;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** The running server's; `restart` changes it. */
  readonly pid: number;
  readonly dir: string;
  /** Sends a signal, and waits for the end of the process if the signal ends it. @default SIGKILL */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again with the same port and folder, killing it first if it is still running. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Removes servers and folders that would outlive this process. */
const leftovers = new Set<() => void>();
process.once('exit', () => {
  for (const remove of leftovers) remove();
});

/**
 * Starts a real Redis on 127.0.0.1 that loses nothing it acknowledged (appendonly, appendfsync always, noeviction) and
 * resolves when it answers.
 * @throws {Error} when there is no redis-server or valkey-server here, or when it does not start
 */
export const startRedis = async (options: RedisOptions = {}): Promise<RedisServer> => {
  const program = findRedisServer();
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'clickrelay-redis-')));
  const port = options.port ?? (await freePort());
  const log = join(dir, 'redis.log');

  let child: ChildProcess | undefined;
  const removeAtExit = (): void => {
    child?.kill('SIGKILL');
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
  };
  leftovers.add(removeAtExit);

  const start = async (): Promise<ChildProcess> => {
    const output = openSync(log, 'a');
    const started = spawn(
      program,
      [
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', dir],
        ...['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--maxmemory-policy', 'noeviction'],
        ...(options.args ?? []),
      ],
      { stdio: ['ignore', output, output], env: { ...process.env, ...options.env } },
    );
    closeSync(output);
    let startError: Error | undefined;
    started.on('error', (error) => {
      startError = error;
    });
    try {
      await waitUntil(
        async () => {
          if (startError !== undefined || started.exitCode !== null || started.signalCode !== null) return 'ended';
          return (await answersPing(port)) && 'up';
        },
        { timeoutMs: 20_000, what: `Redis on port ${port}` },
      );
      if (startError !== undefined || started.exitCode !== null || started.signalCode !== null) {
        throw new Error('it ended at once', { cause: startError });
      }
    } catch (error) {
      started.kill('SIGKILL');
      throw new Error(
        `${program} did not start on port ${port}: ${(error as Error).message}; its log ends:\n${tail(log)}`,
        {
          cause: error,
        },
      );
    }
    return started;
  };

  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ends = signal !== 'SIGSTOP' && signal !== 'SIGCONT';
    const ended = ends ? once(child, 'exit') : undefined;
    child.kill(signal);
    await ended;
  };

  try {
    child = await start();
  } catch (error) {
    leftovers.delete(removeAtExit);
    if (options.dir === undefined) await removeFolder(dir);
    throw error;
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    get pid() {
      return child?.pid as number;
    },
    kill,
    restart: async () => {
      await kill('SIGKILL');
      child = await start();
    },
    stop: async () => {
      leftovers.delete(removeAtExit);
      await kill('SIGKILL');
      if (options.dir === undefined) await removeFolder(dir);
    },
  };
};

/** Whether a server on this port serves commands; one that asks for a password counts too. */
const answersPing = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(1000);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (answer) => end(/^(\+PONG|-NOAUTH)/.test(answer.toString())));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
    socket.once('close', () => end(false));
  });

const tail = (path: string): string => readFileSync(path, 'utf8').split('\n').slice(-6).join('\n').trim();

/** Retries, because a killed server may still be writing its last file. */
const removeFolder = (dir: string): Promise<void> =>
  rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
