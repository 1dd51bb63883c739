import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer } from '@clickrelay/service/machine';
import { waitUntil } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OwnRedis, startOwnRedis } from './own-redis.ts';
import { redisCommand } from './redis-command.ts';

const password = 'a "quoted" pass\\word';
let dataDir: string;
let said: string[];
const started: OwnRedis[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'clickrelay cli ü '));
  said = [];
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((redis) => redis.stop()));
  await rm(dataDir, { recursive: true });
});

const start = async (options: { password?: string; program?: string } = {}): Promise<OwnRedis> => {
  const redis = await startOwnRedis({
    dataDir,
    password,
    program: findRedisServer(),
    say: (line) => said.push(line),
    ...options,
  });
  started.push(redis);
  return redis;
};

test('our own Redis keeps what it acknowledged, asks for a password, and hides its files', async () => {
  const redis = await start();
  const setting = async (name: string) =>
    (await redisCommand({ port: redis.port, password }, ['CONFIG', 'GET', name]))[1];
  expect(await setting('appendonly')).toBe('yes');
  expect(await setting('appendfsync')).toBe('always');
  expect(await setting('maxmemory-policy')).toBe('noeviction');
  expect(await setting('bind')).toBe('127.0.0.1');
  expect(await setting('save')).toBe('');
  expect(await setting('dir')).toBe(join(dataDir, 'redis'));
  await expect(redisCommand({ port: redis.port, password: 'wrong' }, ['PING'])).rejects.toThrow('WRONGPASS');
  expect((await stat(join(dataDir, 'redis', 'redis.conf'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(dataDir, 'redis'))).mode & 0o777).toBe(0o700);
});

test('our own Redis is started again on the same port, with its data, when it dies', async () => {
  const redis = await start();
  const { pid, port } = redis;
  await redisCommand({ port, password }, ['SET', 'key', 'kept']);
  process.kill(pid, 'SIGKILL');
  await waitUntil(() => said.length === 2);
  expect(said).toEqual([
    'redis-server ended (SIGKILL); starting it again',
    `redis-server runs again (pid ${redis.pid})`,
  ]);
  expect(redis.pid).not.toBe(pid);
  expect(await redisCommand({ port, password }, ['GET', 'key'])).toBe('kept');
});

test('a server that outlived its supervisor is taken over, watched and stopped as one of our own', async () => {
  const first = await start();
  const second = await start();
  expect([second.pid, second.port]).toEqual([first.pid, first.port]);
  expect(said).toEqual([`the redis-server of an earlier run (pid ${first.pid}) is still there and goes on`]);
  // In real life the first supervisor is dead. Here it must not start a server of its own.
  const stopped = first.stop();
  await waitUntil(() => said.includes(`redis-server runs again (pid ${second.pid})`) && second.pid !== first.pid);
  await stopped;
  expect(await redisCommand({ port: second.port, password }, ['PING'])).toBe('PONG');
});

test('a Redis on the noted port that refuses our password is left alone and reported', async () => {
  const first = await start();
  await expect(start({ password: 'another' })).rejects.toThrow(
    `the Redis on port ${first.port}, where ${join(dataDir, 'redis')} was served last, refuses our password; end it`,
  );
});

test('a server that does not start is reported with the end of its log', async () => {
  const first = await start();
  await first.stop();
  const manifest = join(dataDir, 'redis', 'appendonlydir', 'appendonly.aof.manifest');
  expect(await readFile(manifest, 'utf8')).toContain('appendonly.aof');
  await rm(join(dataDir, 'redis', 'appendonlydir', 'appendonly.aof.1.base.rdb'));
  await expect(start()).rejects.toThrow(/ended \(code 1\); its log .*redis\.log ends:\n.*No such file/s);
  await expect(start({ program: '/nowhere/redis-server' })).rejects.toThrow('ENOENT');
});
