import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@clickrelay/service/machine';
import { startProgram, startRedis } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

let dataDir: string;
let env: Record<string, string>;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'clickrelay-cli-'));
  env = { DATA_DIR: dataDir, PORT: String(await freePort()), API_PORT: String(await freePort()) };
});
afterEach(() => rm(dataDir, { recursive: true }));

test('doctor names the unsafe settings of a Redis, with the command that fixes each', async () => {
  const redis = await startRedis({ args: ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru'] });
  const { code, stdout } = await runCli(['doctor', '--json'], { ...env, REDIS_URL: redis.url });
  await redis.stop();
  const { ok, checks } = JSON.parse(stdout);
  expect([code, ok]).toEqual([1, false]);
  expect(checks).toContainEqual({
    name: 'redis',
    ok: false,
    found: 'appendonly is no',
    mend: `redis-cli -p ${redis.port} config set appendonly yes`,
  });
  expect(checks).toContainEqual(expect.objectContaining({ name: 'redis', found: 'maxmemory-policy is allkeys-lru' }));
});

test('doctor says that a Redis is full, and how to give it more', async () => {
  const redis = await startRedis({ args: ['--maxmemory', '4mb'] });
  const admin = connect(redis.port, '127.0.0.1');
  admin.write('SETRANGE x 2899999 y\r\n');
  await once(admin, 'data');
  admin.destroy();
  const { code, stdout } = await runCli(['doctor', '--json'], { ...env, REDIS_URL: redis.url });
  await redis.stop();
  expect(code).toBe(1);
  expect(JSON.parse(stdout).checks).toContainEqual({
    name: 'redis',
    ok: false,
    found: expect.stringMatching(/^\d+ % of its maxmemory is used$/),
    mend: 'redis-cli config set maxmemory 8388608',
  });
});

test('doctor says what is missing before the first start', async () => {
  await chmod(dataDir, 0o755);
  const redisUrl = `redis://127.0.0.1:${await freePort()}`;
  const { code, stdout } = await runCli(['doctor'], { ...env, REDIS_URL: redisUrl, CALLBACK_AUTH: 'none' });
  expect(code).toBe(1);
  expect(stdout).toContain(`WRONG  data         ${dataDir} can be read by other users
                    -> chmod 700 '${dataDir}'
WRONG  credentials  CALLBACK_AUTH=none: anyone can post callbacks
                    -> set CALLBACK_AUTH=query:<a long random secret>
`);
  expect(stdout).toContain(`WRONG  receiver     is not running here
                    -> clickrelay start
ok     port         ${env['PORT']} is free
WRONG  api          is not running here
                    -> clickrelay start
`);
  expect(stdout).toMatch(/WRONG {2}redis {8}.*\n {20}-> start Redis, or set REDIS_URL to where it is\n/);
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
    expect(stdout).toMatch(/^ok {5}receiver /m);
    expect(stdout).toMatch(
      /^WRONG {2}spool {8}1 callbacks wait for Redis \(0\.0 MiB\), the oldest for \d+ s\n {20}-> Redis takes no callbacks/m,
    );
  } finally {
    await receiver.stop();
  }
});
