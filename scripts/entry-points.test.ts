import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

// The scripts at the root of a checkout, with a program and a pnpm that only say what they were called with.

const ROOT = resolve(fileURLToPath(new URL('..', import.meta.url)));
const PNPM_VERSION = /^PNPM_VERSION=(.+)$/m.exec(readFileSync(join(ROOT, 'scripts/env.sh'), 'utf8'))?.[1];

let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'clickrelay-checkout-'));
  for (const file of ['clickrelay', 'start', 'scripts/env.sh']) {
    mkdirSync(dirname(join(checkout, file)), { recursive: true });
    copyFileSync(join(ROOT, file), join(checkout, file));
  }
  put('pnpm-lock.yaml', 'lock');
  put('.tools/installed', 'lock');
  put('.tools/redis/redis-server', '');
  put('apps/cli/dist/main.js', "console.log('ran', process.argv.slice(2).join(' '));");
  put('packages/core/src/index.ts', '');
  mkdirSync(join(checkout, 'proofs'));
  put('.tools/built', '');
  put('.tools/node_modules/.bin/pnpm', `#!/bin/sh\n[ "$1" = -v ] && echo ${PNPM_VERSION} || echo "pnpm $*"\n`);
  for (const program of ['node_modules/.bin/pnpm', 'redis/redis-server']) {
    chmodSync(join(checkout, '.tools', program), 0o755);
  }
});
afterEach(() => rmSync(checkout, { recursive: true }));

const put = (file: string, text: string): void => {
  mkdirSync(dirname(join(checkout, file)), { recursive: true });
  writeFileSync(join(checkout, file), text);
};

const run = (script: string, ...args: string[]): [stdout: string, stderr: string] => {
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, DATA_DIR: join(checkout, 'data') };
  const { stdout, stderr } = spawnSync(join(checkout, script), args, { env, encoding: 'utf8' });
  return [stdout.trim(), stderr.trim()];
};

/** As after a `git pull`. */
const makeStale = (): void => {
  const later = Date.now() / 1_000 + 60;
  utimesSync(join(checkout, 'packages/core/src/index.ts'), later, later);
};

it('a command runs what is built, and builds nothing when the sources are newer, but says so', () => {
  expect(run('clickrelay', 'events')).toEqual(['ran events', '']);
  makeStale();
  const [stdout, stderr] = run('clickrelay', 'events', '--json');
  expect(stdout).toBe('ran events --json');
  expect(stderr).toBe(
    '> the sources are newer than what is built, which this is; to build them, stop Clickrelay and run ./start',
  );
  put('pnpm-lock.yaml', 'another lock');
  expect(run('clickrelay', 'events')).toEqual(['ran events', stderr]);
});

it('in a checkout where nothing is built, a command says what builds', () => {
  rmSync(join(checkout, 'apps/cli/dist'), { recursive: true });
  expect(run('clickrelay', 'events')).toEqual([
    '',
    'error: nothing is built here yet; run ./start (or ./test), which builds',
  ]);
});

it('./start builds what is stale, but not beside a Clickrelay that runs here', () => {
  const runs = (pid: number) => put('data/run.json', JSON.stringify({ pid, roles: [] }, null, 2));
  const builds = (): boolean => run('start')[1].includes('pnpm exec turbo run build');
  const running = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'main.js', 'start']);
  makeStale();
  runs(running.pid as number);
  expect(builds()).toBe(false);
  running.kill('SIGKILL');
  // The pid of one that was killed is another program's now.
  runs(process.pid);
  expect(builds()).toBe(true);
});
