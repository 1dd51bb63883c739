import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants, createReadStream, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('logging-program.ts', import.meta.url));
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clickrelay-log-'));
});
afterEach(() => rm(dir, { recursive: true }));

const spawnLogging = async (stdout: number | 'pipe') => {
  const child = spawn(process.execPath, [program], { stdio: ['ignore', stdout, 'pipe', 'ipc'] });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await once(child, 'message');
  const log = async (line: string): Promise<void> => {
    child.send(line);
    expect(await once(child, 'message')).toEqual([line, undefined]);
  };
  const end = async () => {
    // `close` never comes after a disconnect().
    const ended = Promise.all([once(child, 'exit'), once(child.stderr as Readable, 'end')]);
    child.disconnect();
    const [[code, signal]] = await ended;
    return { code, signal, stderr };
  };
  return { child, log, end };
};

const inOrder = { code: 0, signal: null, stderr: '' };

describe('a process outlives its log', () => {
  it('when the disk of the log is full', async () => {
    const { log, end } = await spawnLogging(openSync('/dev/full', 'w'));
    for (const line of ['one', 'two', 'three']) await log(line);
    expect(await end()).toEqual(inOrder);
  });

  it('when the reader goes away', async () => {
    const { child, log, end } = await spawnLogging('pipe');
    child.stdout?.destroy();
    for (const line of ['one', 'two', 'three']) await log(line);
    expect(await end()).toEqual(inOrder);
  });

  it('and writes again when another reader comes', async () => {
    const fifo = join(dir, 'log');
    spawnSync('mkfifo', [fifo]);
    const first = createReadStream(fifo, { fd: openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK) });
    const { log, end } = await spawnLogging(openSync(fifo, 'w'));
    first.on('error', () => {}).destroy();
    await once(first, 'close');
    await log('nobody reads this');
    const second = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'ignore'] });
    let seen = '';
    second.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
    });
    await expect
      .poll(
        async () => {
          await log('somebody reads this');
          return seen;
        },
        { timeout: 20_000 },
      )
      .toContain('"msg":"somebody reads this"');
    expect(await end()).toEqual(inOrder);
  });
});
