import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis, waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommitter } from '../intake/commit.ts';
import type { CommittedCallback, IngestGroup } from '../intake/ingest-group.ts';
import { ingestQueue } from './names.ts';
import { openStore } from './store.ts';

/*
 * A power cut: Redis is killed, and what it had not synced is cut off its file. What had been synced is written down by
 * a library that is preloaded into it (test/synced-length.c), which takes a Linux with gcc.
 */

const canCompile = process.platform === 'linux' && spawnSync('gcc', ['--version']).status === 0;
if (!canCompile)
  console.warn('NOT RUN: what a power cut leaves (G2, G3). It takes a Linux with gcc, which is not here.');

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'clickrelay-power-cut-'));
  if (!canCompile) return;
  const source = new URL('../../test/synced-length.c', import.meta.url).pathname;
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', join(dir, 'shim.so'), source, '-ldl']);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const cutPower = async (appendfsync: 'always' | 'everysec') => {
  const notes = await mkdtemp(join(dir, 'notes-'));
  process.env['SYNCED_LENGTHS'] = notes;
  process.env['LD_PRELOAD'] = join(dir, 'shim.so');
  const redis = await startRedis({ args: ['--appendfsync', appendfsync] });
  delete process.env['LD_PRELOAD'];
  delete process.env['SYNCED_LENGTHS'];
  const acknowledged: string[] = [];
  let cutBytes = 0;
  try {
    const store = await openStore({ redisUrl: redis.url, role: 'producer' });
    await store.ready();
    const { commit } = createCommitter(store);
    let isOver = false;
    const sender = async (_: unknown, index: number): Promise<void> => {
      for (let n = 0; !isOver; n++) {
        const text = `callback ${index}.${n}`;
        await commit({ text, lane: 'messages' }, '2026-03-01T12:00:00.000Z').then(
          () => acknowledged.push(text),
          () => {},
        );
      }
    };
    const senders = Array.from({ length: 16 }, sender);
    await new Promise((resolve) => setTimeout(resolve, 1_700 + Math.random() * 600));
    await waitUntil(() => acknowledged.length > 200, { timeoutMs: 60_000 });
    // Right behind an acknowledgement, so that something may be lost that must not be.
    const before = acknowledged.length;
    await waitUntil(() => acknowledged.length > before, { everyMs: 1 });
    await redis.kill('SIGKILL');
    isOver = true;
    await Promise.all(senders);
    await store.close();

    const folder = join(redis.dir, 'appendonlydir');
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.incr.aof'))) {
      const synced = Number(readFileSync(join(notes, file), 'utf8'));
      cutBytes += statSync(join(folder, file)).size - synced;
      truncateSync(join(folder, file), synced);
    }
    await redis.restart();
    const after = await openStore({ redisUrl: redis.url, role: 'consumer' });
    await after.ready();
    const jobs = await after.queue(ingestQueue('messages')).getJobs(['waiting'], 0, -1, true);
    const kept = new Set(
      jobs.flatMap(({ data }) => (data as IngestGroup).callbacks.map(({ text }: CommittedCallback) => text)),
    );
    await after.close();
    const lost = acknowledged.filter((text) => !kept.has(text)).length;
    console.log(
      `power cut, ${appendfsync}: ${acknowledged.length} acknowledged, ${cutBytes} bytes cut off, ${lost} lost`,
    );
    return { acknowledged: acknowledged.length, lost };
  } finally {
    await redis.stop();
  }
};

describe.skipIf(!canCompile)('a power cut', () => {
  it('with `always` loses nothing that was acknowledged', async () => {
    const { acknowledged, lost } = await cutPower('always');
    expect(acknowledged).toBeGreaterThan(100);
    expect(lost).toBe(0);
  });

  it('with `everysec` loses the last second, as /readyz says', async () => {
    const { acknowledged, lost } = await cutPower('everysec');
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(acknowledged);
  });
});
