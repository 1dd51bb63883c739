import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { createSimulatedDisk } from '../../test/simulated-disk.ts';
import { appendAll, drain, footerless, numbered, numberOf, useSpool } from '../../test/use-spool.ts';
import { openSpool } from './spool.ts';

const folder = useSpool();

describe('a spool after a crash', () => {
  it('loses nothing but what was torn, wherever the last write was cut', async () => {
    await folder.open();
    await appendAll(folder.spool, numbered(0, 20));
    await folder.close();
    const whole = readFileSync(folder.onlySegment());
    const sample = numbered(0, 20);
    const ends: number[] = [];
    for (let at = 0; at < whole.length - 12; ) {
      at += 16 + whole.readUInt32LE(at + 4);
      ends.push(at);
    }
    for (let cut = 0; cut < whole.length; cut += 7) {
      const path = folder.onlySegment();
      writeFileSync(path, whole.subarray(0, cut));
      folder.notices.length = 0;
      await folder.open();
      const kept = ends.filter((end) => end <= cut).length;
      expect(folder.spool.stats().records).toBe(kept);
      const isTorn = cut !== 0 && !ends.includes(cut);
      expect(folder.notices.map(({ kind }) => kind)).toEqual(isTorn ? ['torn'] : []);
      expect(await drain(folder.spool)).toEqual(sample.slice(0, kept));
      await folder.close();
      writeFileSync(path, whole);
    }
  });

  it('takes a tail of zeros, as a power cut leaves it, for torn', async () => {
    await folder.open();
    await appendAll(folder.spool, numbered(0, 5));
    await folder.close();
    const path = folder.onlySegment();
    footerless(path);
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(5_000)]));
    await folder.open();
    expect(folder.notices).toEqual([{ kind: 'torn', segment: expect.any(String), bytes: 5_000 }]);
    expect(await drain(folder.spool)).toEqual(numbered(0, 5));
  });

  it('loses no acknowledged callback by kill -9 in the middle of writing', async () => {
    const acknowledged: number[] = [];
    for (let round = 0; round < 3; round++) {
      const program = await startProgram({
        args: [new URL('../../test/spool-process.ts', import.meta.url).pathname],
        env: { DIR: folder.dir, FROM: String(round * 1_000_000) },
        readyOutput: /\n/,
      });
      await waitUntil(() => program.stdout().split('\n').length > 200 * (round + 1));
      await program.stop('SIGKILL');
      acknowledged.push(...program.stdout().split('\n').slice(0, -1).map(Number));
    }
    await folder.open();
    const kept = new Set((await drain(folder.spool)).map(numberOf));
    expect(acknowledged.length).toBeGreaterThan(1_000);
    expect(acknowledged.filter((number) => !kept.has(number))).toEqual([]);
  });
});

describe('a spool whose clock was put back', () => {
  it('gives no segment the name of one in set-aside, whose file damage would be written over', async () => {
    mkdirSync(join(folder.dir, 'set-aside'));
    writeFileSync(join(folder.dir, 'set-aside', '000000000000009-0.damaged'), '');
    await folder.open({ now: () => 9 });
    await appendAll(folder.spool, numbered(0, 1));
    expect(folder.segments()).toEqual(['000000000000010.spool']);
  });
});

describe('a spool after a power cut', () => {
  it('has every acknowledged callback: written, synced, and its folder synced, before the answer', async () => {
    const handle = await openFile(folder.dir, 'r');
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    const { sync, datasync } = prototype;
    /** What would be left of each file, by its name. */
    const onDisk = new Map<string, Buffer>();
    let entriesOnDisk: string[] = [];
    prototype.datasync = async function (): Promise<void> {
      const files = folder.segments().map((name) => [name, readFileSync(join(folder.dir, name))] as const);
      await datasync.call(this);
      for (const [name, bytes] of files) onDisk.set(name, bytes);
    };
    prototype.sync = async function (): Promise<void> {
      const names = folder.segments();
      await sync.call(this);
      entriesOnDisk = names;
    };
    try {
      await folder.open({ segmentBytes: 5_000 });
      for (let i = 0; i < 40; i++) {
        await appendAll(folder.spool, numbered(i * 10, i * 10 + 10));
        if (i % 10 !== 9) continue;
        const cut = mkdtempSync(join(tmpdir(), 'clickrelay-spool-cut-'));
        for (const name of entriesOnDisk) writeFileSync(join(cut, name), onDisk.get(name) ?? '');
        const after = await openSpool({ dir: cut });
        expect(await drain(after)).toEqual(numbered(0, i * 10 + 10));
        await after.close();
        rmSync(cut, { recursive: true });
      }
    } finally {
      Object.assign(prototype, { sync, datasync });
    }
  });

  it('has its folder too, when it was made for the first callback', async () => {
    let random = 0.99;
    const disk = createSimulatedDisk(() => random);
    const first = await openSpool({ dir: '/spool', disk: disk.boot() });
    await appendAll(first, numbered(0, 3));
    // A cut that leaves nothing but what was synced.
    random = 0;
    disk.crash();
    random = 0.99;
    await first.close().catch(() => {});
    const second = await openSpool({ dir: '/spool', disk: disk.boot() });
    expect(await drain(second)).toEqual(numbered(0, 3));
    await second.close();
  });
});
