import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { readJson, writeJson } from '../../data-dir.ts';
import { CommandError } from '../../errors.ts';
import { type RedisAddress, RedisReplyError, redisCommand } from './redis-command.ts';

export interface OwnRedisOptions {
  dataDir: string;
  password: string;
  /** @default `CLICKRELAY_REDIS_SERVER`, or redis-server or valkey-server on PATH */
  program?: string;
  /** Tells the person at the terminal that it ended, or was already running. */
  say: (line: string) => void;
  /** Called with the pid after each start of a process. */
  onPid?: (pid: number) => void;
}

export interface OwnRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Stops it, after it has written its data, and waits for its end. */
  stop(): Promise<void>;
}

/** A process of redis-server that we started, or that was already running. */
interface Running {
  pid: number;
  /** How it ended. */
  ended: Promise<string>;
}

/**
 * Runs a redis-server of our own on 127.0.0.1 that loses nothing it acknowledged, with its data in DATA_DIR/redis. If
 * it dies, starts it again on the same port.
 *
 * Two servers on one folder would destroy its data. A server that outlived a killed `start` is therefore taken over.
 * @throws {CommandError} when there is no redis-server here, or it does not come up
 */
export const startOwnRedis = async (options: OwnRedisOptions): Promise<OwnRedis> => {
  const { dataDir, password, say, onPid } = options;
  const dir = join(dataDir, 'redis');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const noteFile = join(dir, 'running.json');

  const noted = readJson<{ port: number }>(noteFile);
  const found = noted && (await takeOver({ port: noted.port, password }, dir));
  const port = found ? noted.port : await freePort();
  if (found) say(`the redis-server of an earlier run (pid ${found.pid}) is still there and goes on`);

  const launch = async (): Promise<Running> => {
    const program = findProgram(options.program);
    writeFileSync(join(dir, 'redis.conf'), redisConf({ port, password, dir }), { mode: 0o600 });
    // Written before it starts, so that no crash can leave a server that nobody knows of.
    writeJson(noteFile, { port });
    const log = join(dir, 'redis.log');
    const output = openSync(log, 'a', 0o600);
    // In a session of its own: Ctrl-C on the terminal must not stop it before the parts that still write to it.
    const child = spawn(program, [join(dir, 'redis.conf')], { stdio: ['ignore', output, output], detached: true });
    closeSync(output);
    let how: string | undefined;
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
    });
    ended.then((text) => {
      how = text;
    });
    while (!(await isUp({ port, password }))) {
      if (how !== undefined) {
        throw new CommandError('own_redis', `${program} ended (${how}); its log ${log} ends:\n${lastLines(log)}`);
      }
      await Promise.race([sleep(20), ended]);
    }
    return { pid: child.pid as number, ended };
  };

  let running = found ?? (await launch());
  onPid?.(running.pid);
  const stopping = new AbortController();

  const keepAlive = async (): Promise<void> => {
    let delayMs = 100;
    for (;;) {
      const startedAt = performance.now();
      const how = await running.ended;
      if (stopping.signal.aborted) return;
      say(`redis-server ended (${how}); starting it again`);
      if (performance.now() - startedAt > 60_000) delayMs = 100;
      for (;;) {
        await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => {});
        if (stopping.signal.aborted) return;
        delayMs = Math.min(delayMs * 2, 5000);
        try {
          running = await launch();
          if (stopping.signal.aborted) signal(running.pid, 'SIGTERM');
          break;
        } catch (error) {
          say((error as Error).message);
        }
      }
      onPid?.(running.pid);
      say(`redis-server runs again (pid ${running.pid})`);
    }
  };
  let isOver = false;
  const kept = keepAlive().finally(() => {
    isOver = true;
  });

  return {
    url: `redis://default:${password}@127.0.0.1:${port}`,
    port,
    get pid() {
      return running.pid;
    },
    stop: async () => {
      if (isOver) return;
      stopping.abort();
      signal(running.pid, 'SIGTERM');
      const force = setTimeout(() => signal(running.pid, 'SIGKILL'), 10_000);
      await kept;
      clearTimeout(force);
    },
  };
};

/** Finds a server of ours at this address that uses this folder. Waits while it loads its data. */
const takeOver = async (address: RedisAddress, dir: string): Promise<Running | undefined> => {
  for (let silences = 0; ; await sleep(100)) {
    try {
      const [, itsDir] = await redisCommand(address, ['CONFIG', 'GET', 'dir']);
      if (itsDir === undefined || realpathSync(itsDir) !== realpathSync(dir)) return undefined;
      const info = String(await redisCommand(address, ['INFO', 'server']));
      const pid = Number(/^process_id:(\d+)/m.exec(info)?.[1]);
      while (!(await isUp(address))) await sleep(100);
      return { pid, ended: watchEnd(pid, address) };
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      if (error instanceof RedisReplyError && message.startsWith('LOADING')) continue;
      if (error instanceof RedisReplyError) {
        // It may still be ours, with a password from before secrets.json was lost.
        throw new CommandError(
          'own_redis',
          `the Redis on port ${address.port}, where ${dir} was served last, refuses our password; ` +
            `end it, or remove ${dir}/running.json if it is somebody else's`,
        );
      }
      if (code !== 'ETIMEDOUT') return undefined;
      if (++silences === 5) {
        throw new CommandError(
          'own_redis',
          `port ${address.port}, where ${dir} was served last, is open but does not answer; ` +
            'end the redis-server there and start again',
        );
      }
    }
  }
};

/**
 * Watches a server that is not our child. Where nobody reaps orphans (a container without an init process), its pid
 * may stay for ever after its end, so this asks its port as well.
 */
const watchEnd = async (pid: number, address: RedisAddress): Promise<string> => {
  while (signal(pid, 0) && (await listens(address))) await sleep(250, undefined, { ref: false });
  return 'it is gone';
};

const listens = async (address: RedisAddress): Promise<boolean> => {
  try {
    await redisCommand(address, ['PING']);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== 'ECONNREFUSED';
  }
};

const signal = (pid: number, name: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
};

const isUp = async (address: RedisAddress): Promise<boolean> => {
  try {
    return (await redisCommand(address, ['PING'])) === 'PONG';
  } catch {
    return false;
  }
};

const redisConf = ({ port, password, dir }: RedisAddress & { dir: string }): string => {
  const quoted = (text: string) => `"${text.replace(/[\\"]/g, '\\$&')}"`;
  return [
    '# Written by clickrelay at each start.',
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${quoted(password)}`,
    `dir ${quoted(dir)}`,
    `logfile ${quoted(join(dir, 'redis.log'))}`,
    '# An acknowledged write is on disk.',
    'appendonly yes',
    'appendfsync always',
    'no-appendfsync-on-rewrite no',
    'save ""',
    '# A full Redis refuses; it never drops what it holds.',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
};

const findProgram = (given: string | undefined): string => {
  if (given) return given;
  try {
    return findRedisServer();
  } catch (error) {
    throw new CommandError('own_redis', `${(error as Error).message}; or set \`REDIS_URL\` to a Redis elsewhere`, {
      cause: error,
    });
  }
};

const lastLines = (path: string): string => readFileSync(path, 'utf8').trim().split('\n').slice(-6).join('\n');
