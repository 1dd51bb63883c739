import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startRedis } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

let dataDir: string;
let env: Record<string, string>;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'clickrelay-cli-'));
  env = { DATA_DIR: dataDir, PORT: String(await freePort()), API_PORT: String(await freePort()) };
});
afterEach(() => rm(dataDir, { recursive: true }));

test('doctor names what an unsafe Redis would lose, with the line that mends it', async () => {
  const redis = await startRedis({ args: ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru'] });
  const { code, stdout } = await runCli(['doctor', '--json'], { ...env, REDIS_URL: redis.url });
  await redis.stop();
  const { ok, checks } = JSON.parse(stdout);
  expect([code, ok]).toEqual([1, false]);
  expect(checks).toContainEqual({
    name: 'redis',
    ok: false,
    found: 'appendonly is no',
    mend: 'redis-cli config set appendonly yes',
  });
  expect(checks).toContainEqual(expect.objectContaining({ name: 'redis', found: 'maxmemory-policy is allkeys-lru' }));
});

test('doctor says what is missing before a first start, in words', async () => {
  await chmod(dataDir, 0o755);
  const redisUrl = `redis://127.0.0.1:${await freePort()}`;
  const { code, stdout } = await runCli(['doctor'], { ...env, REDIS_URL: redisUrl, CALLBACK_AUTH: 'none' });
  expect(code).toBe(1);
  expect(stdout).toContain(`WRONG  data         ${dataDir} can be read by other users
                    -> chmod 700 '${dataDir}'
WRONG  credentials  CALLBACK_AUTH=none: anybody can post callbacks
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
