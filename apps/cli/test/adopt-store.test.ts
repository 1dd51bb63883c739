import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

let dataDir: string;
let redis: RedisServer;
let env: Record<string, string>;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'clickrelay-cli-'));
  redis = await startRedis();
  env = { DATA_DIR: dataDir, REDIS_URL: redis.url };
});
afterEach(async () => {
  await redis.stop();
  await rm(dataDir, { recursive: true });
});

test('doctor --adopt says what is missing, wants a yes, and has this Redis stand in for the one that is gone', async () => {
  expect((await runCli(['doctor', '--adopt'], env)).stdout).toMatch(/^nothing to adopt: no part remembers another/);
  await writeFile(join(dataDir, 'store.json'), '{"id":"str_gone"}');

  const unsure = await runCli(['doctor', '--adopt'], env);
  expect(unsure.code).toBe(1);
  expect(unsure.stderr).toContain(
    'This Redis is not marked as a store; parts remember str_gone.\nIt has 0 destinations',
  );
  expect(unsure.stderr).toContain('nothing was changed; to take this Redis for ours, add --yes');

  const { code, stdout } = await runCli(['doctor', '--adopt', '--yes', '--json'], env);
  expect([code, JSON.parse(stdout)]).toEqual([
    0,
    { adopted: expect.stringMatching(/^str_/), standsInFor: ['str_gone'] },
  ]);
  expect((await runCli(['doctor', '--adopt'], env)).stdout).toMatch(/^nothing to adopt/);
});
