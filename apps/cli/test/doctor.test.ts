import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Condition } from '@clickrelay/health';
import { freePort } from '@clickrelay/service/machine';
import { redisCommand, startProgram, startRedis } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

let dataDir: string;
let env: Record<string, string>;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'clickrelay-cli-'));
  env = { DATA_DIR: dataDir, PORT: String(await freePort()), API_PORT: String(await freePort()) };
});
afterEach(() => rm(dataDir, { recursive: true }));

const doctor = async (more: Record<string, string> = {}) => {
  const { code, stdout } = await runCli(['doctor', '--json'], { ...env, ...more });
  const { ok, conditions } = JSON.parse(stdout) as { ok: boolean; conditions: Condition[] };
  return { code, ok, raised: conditions.filter(({ state }) => state === 'raised') };
};

test('doctor without an API asks Redis itself, and names its unsafe settings with the commands that mend them', async () => {
  const redis = await startRedis({ args: ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru'] });
  const { code, ok, raised } = await doctor({ REDIS_URL: redis.url });
  await redis.stop();
  expect([code, ok]).toEqual([1, false]);
  const told = JSON.stringify(raised.filter((one) => one.code === 'not_durable'));
  expect(told).toContain('appendonly');
  expect(told).toContain(`redis-cli -p ${redis.port} config set appendonly yes`);
  expect(told).toContain('maxmemory-policy');
});

test('doctor without an API knows a Redis that is not ours by what is remembered, or says that it cannot tell', async () => {
  const redis = await startRedis();
  const storeOf = async () => {
    const { stdout } = await runCli(['doctor', '--json'], { ...env, REDIS_URL: redis.url });
    const { conditions } = JSON.parse(stdout) as { conditions: Condition[] };
    const found = conditions.find(({ code }) => code === 'data_lost');
    return found && [found.state, found.sentence];
  };
  const nobody = 'cannot tell: no part that runs, and no folder here, remembers which Redis is ours';
  expect(await storeOf()).toEqual(['unknown', nobody]);
  await writeFile(join(dataDir, 'store.json'), '{"id":"str_gone"}');
  expect(await storeOf()).toEqual(['raised', 'the data of Clickrelay are gone from Redis']);
  await redisCommand(redis.port, 'SET', 'cr:{registry}:store', '{"id":"str_other"}');
  expect(await storeOf()).toEqual(['raised', 'Redis holds the data of another Clickrelay than before']);
  await redisCommand(redis.port, 'SET', 'cr:{registry}:store', '{"id":"str_other","adopts":["str_gone"]}');
  expect(await storeOf()).toBeUndefined();
  await redis.stop();
});

test('doctor says that a Redis is full, and how to give it more', async () => {
  const redis = await startRedis({ args: ['--maxmemory', '4mb'] });
  const admin = connect(redis.port, '127.0.0.1');
  admin.write('SETRANGE x 2899999 y\r\n');
  await once(admin, 'data');
  admin.destroy();
  const { code, raised } = await doctor({ REDIS_URL: redis.url });
  await redis.stop();
  expect(code).toBe(1);
  expect(raised.find((one) => one.code === 'redis_memory')).toMatchObject({
    severity: 'critical',
    sentence: expect.stringMatching(/\d+ %/),
  });
});

test('doctor says what is missing before the first start', async () => {
  await chmod(dataDir, 0o755);
  const redisUrl = `redis://127.0.0.1:${await freePort()}`;
  const { code, stdout } = await runCli(['doctor'], { ...env, REDIS_URL: redisUrl, CALLBACK_AUTH: 'none' });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^\d+ things need you, the worst first\n/);
  expect(stdout).toContain(`WARNING   other users can read DATA_DIR ${dataDir}, which holds secrets
          data_dir_open, seen now
          -> close it: chmod 700 '${dataDir}'
`);
  expect(stdout).toContain('CRITICAL  the receiver is not running here\n');
  expect(stdout).toContain('-> start it: clickrelay start\n');
  expect(stdout).toMatch(/^CRITICAL {2}.*ECONNREFUSED/m);
  expect(stdout).toMatch(/^ {10}so also: \d+ things that cannot be told$/m);
  expect(stdout).toContain(`port ${env['PORT']} is free`);
});

test('doctor shows what waits in the spool of a receiver while Redis is away', async () => {
  const receiver = await startProgram({
    args: [fileURLToPath(import.meta.resolve('@clickrelay/receiver/main'))],
    env: {
      ...env,
      CALLBACK_AUTH: 'none',
      HOST: '127.0.0.1',
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
      SPOOL_DIR: join(dataDir, 'spool'),
    },
    readyUrl: `http://127.0.0.1:${env['PORT']}/readyz`,
  });
  try {
    const url = `http://127.0.0.1:${env['PORT']}/client-callback/one-api-reply`;
    const answer = await fetch(url, { method: 'POST', body: '{"event":{"moText":[{}]}}' });
    expect(answer.status).toBe(200);
    const { code, stdout } = await runCli(['doctor'], env);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fine: .*receiver at \S+ takes callbacks; spool: 1 callbacks wait for Redis/m);
  } finally {
    await receiver.stop();
  }
});
