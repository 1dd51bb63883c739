import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isLocked } from '../src/lock.ts';

const program = fileURLToPath(new URL('fixtures/lock-taker.ts', import.meta.url));
let root: string;
let takers: ChildProcess[];

const launch = (): ChildProcess => fork(program, { env: { NODE_NO_WARNINGS: '1' }, execArgv: [] });
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'clickrelay-lock-'));
  takers = [launch(), launch()];
});
afterEach(async () => {
  for (const taker of takers) taker.kill('SIGKILL');
  await rm(root, { recursive: true });
});

interface Answer {
  isIn: boolean;
  holder: number;
  isLocked: boolean;
}

/** Sends the folder to all takers at the same moment. */
const tryAll = async (dir: string): Promise<Answer[]> => {
  const answers = takers.map(async (taker) => (await once(taker, 'message'))[0] as Answer);
  for (const taker of takers) taker.send(dir);
  return Promise.all(answers);
};

const makeDir = (name: string): string => {
  const dir = join(root, name);
  mkdirSync(dir, { recursive: true });
  return dir;
};

test('of two that come at the same moment exactly one gets a DATA_DIR', async () => {
  const outcomes = [];
  for (let round = 0; round < 200; round++) {
    const answers = await tryAll(makeDir(`round ${round}`));
    outcomes.push(answers.filter(({ isIn }) => isIn).length);
    expect(answers.map((answer) => answer.isLocked)).toEqual([true, true]);
  }
  expect(outcomes).toEqual(Array(200).fill(1));
});

test('and again after the one that had it was killed, however long the path is', async () => {
  const dir = makeDir(join('l'.repeat(120), 'ö'.repeat(100)));
  for (let round = 0; round < 3; round++) {
    const answers = await tryAll(dir);
    const winners = takers.filter((_, index) => answers[index]?.isIn);
    expect(winners).toHaveLength(1);
    expect(isLocked(dir)).toBe(true);
    const [winner] = winners as [ChildProcess];
    expect(answers.find(({ isIn }) => isIn)?.holder).toBe(winner.pid);
    const exited = once(winner, 'exit');
    winner.kill('SIGKILL');
    await exited;
    expect(isLocked(dir)).toBe(false);
    takers = [...takers.filter((taker) => taker !== winner), launch()];
  }
});

test('a folder that cannot be locked is told', () => {
  expect(() => isLocked(makeDir('dir'))).not.toThrow();
  mkdirSync(join(root, 'dir', 'start.lock'));
  expect(() => isLocked(join(root, 'dir'))).toThrow(`DATA_DIR ${join(root, 'dir')} cannot be locked: `);
});
