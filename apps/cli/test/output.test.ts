import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { COMPILE_CACHE } from '@clickrelay/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const main = join(import.meta.dirname, '../src/main.ts');
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'clickrelay-cli-'));
});
afterAll(() => rm(dataDir, { recursive: true }));

/** Runs the command with this output, or with a pipe that nobody reads. */
const run = async (args: string[], stdout: number | 'pipe') => {
  const child = spawn(process.execPath, [main, ...args], {
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      NODE_NO_WARNINGS: '1',
      DATA_DIR: dataDir,
      PORT: '1',
      API_PORT: '2',
    },
    stdio: ['ignore', stdout, 'pipe'],
  });
  // Long before it can write.
  child.stdout?.destroy();
  const [stderr, [code]] = await Promise.all([text(child.stderr as Readable), once(child, 'exit')]);
  return { code, stderr };
};

const commands = ['--help', 'events --help', 'doctor', 'doctor --json'].map((line) => [line, line.split(' ')] as const);

test.each(commands)('`%s` ends quietly when nobody reads it', async (_, args) => {
  expect(await run(args, 'pipe')).toEqual({ code: 141, stderr: '' });
});

test.each(commands)('`%s` says in one line that the disk is full', async (line, args) => {
  const message = 'the output cannot be written: ENOSPC: no space left on device, write';
  const told = line.includes('--json') ? JSON.stringify({ error: { code: 'output', message } }) : `error: ${message}`;
  expect(await run(args, openSync('/dev/full', 'w'))).toEqual({ code: 1, stderr: `${told}\n` });
});
