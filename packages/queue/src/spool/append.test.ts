import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { appendAll, callback, drain, numbered, useSpool } from '../../test/use-spool.ts';
import { realDisk } from './disk.ts';

const folder = useSpool();

describe('a spool at its bounds', () => {
  it('refuses what would not fit, says so, and takes again when there is room', async () => {
    await folder.open({ maxBytes: 100_000 });
    const large = callback('x'.repeat(30_000));
    await appendAll(folder.spool, [large, large, large]);
    await expect(folder.spool.append(large)).rejects.toMatchObject({
      code: 'queue_unavailable',
      status: 503,
      message: expect.stringContaining('`SPOOL_MAX_BYTES`'),
    });
    expect(folder.notices).toEqual([{ kind: 'full', maxBytes: 100_000 }]);
    expect(folder.spool.stats().refusing).toMatch(/^it is full/);
    await drain(folder.spool);
    expect(folder.spool.stats().refusing).toBeNull();
    await folder.spool.append(large);
  });

  it('counts what is on its way to the disk', async () => {
    await folder.open({ maxBytes: 100_000 });
    const large = callback('x'.repeat(30_000));
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => folder.spool.append(large)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });

  it('acknowledges nothing that a full disk did not take, and goes on when there is room', async (context) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder.dir], { stdio: 'pipe' });
    } catch {
      console.error('NOT RUN: the spool on a full disk needs a mount of tmpfs, which this machine does not allow');
      context.skip();
    }
    try {
      await folder.open();
      const filler = join(folder.dir, 'filler');
      const acknowledged: string[] = [];
      let refused = 0;
      const send = async (text: string): Promise<void> => {
        try {
          await folder.spool.append(callback(text));
          acknowledged.push(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'queue_unavailable', status: 503 });
          refused++;
        }
      };
      const fill = async (name: string): Promise<void> => {
        for (let i = 0; i < 200; i++) {
          await Promise.all([0, 1, 2].map((n) => send(`${name} ${i} ${n} ${'x'.repeat(7_001)}`)));
        }
      };
      await fill('before');
      expect(acknowledged.length).toBeGreaterThan(200);
      expect(refused).toBeGreaterThan(200);
      expect(folder.notices.map(({ kind }) => kind)).toContain('failing');
      expect(folder.spool.stats().refusing).toContain('ENOSPC');

      const kept = async (): Promise<string[]> =>
        (await drain(folder.spool)).map((entry) => (entry as { text: string }).text);
      const first = await kept();
      expect(acknowledged.filter((text) => !first.includes(text))).toEqual([]);
      // Room is there again, and nobody has to send anything for the spool to find out.
      await waitUntil(() => folder.spool.stats().refusing === null);

      acknowledged.length = 0;
      writeFileSync(filler, Buffer.alloc(1_000_000));
      await fill('after');
      expect(refused).toBeGreaterThan(600);
      // A start on the full disk takes over what is there.
      await folder.reopen();
      const taken = acknowledged.length;
      expect(folder.spool.stats().records).toBeGreaterThanOrEqual(taken);
      rmSync(filler);
      await send('with room again');
      expect(acknowledged).toContain('with room again');
      await folder.reopen();
      const second = await kept();
      expect(acknowledged.filter((text) => !second.includes(text))).toEqual([]);
    } finally {
      await folder.close();
      execFileSync('umount', [folder.dir]);
    }
  });
});

describe('a spool whose disk fails when a segment is finished', () => {
  it('gives out what it acknowledged, without a restart', async () => {
    await folder.open({
      disk: {
        ...realDisk,
        open: async (path, flags) => {
          const file = await realDisk.open(path, flags);
          if (flags !== 'wx') return file;
          const close = file.close.bind(file);
          const failing = async (): Promise<void> => {
            await close();
            throw Object.assign(new Error('EIO'), { code: 'EIO' });
          };
          return Object.assign(file, { close: failing });
        },
      },
    });
    await appendAll(folder.spool, numbered(0, 5));
    expect(await drain(folder.spool)).toEqual(numbered(0, 5));
  });
});

describe('a spool whose fsync fails', () => {
  it('goes on in another file: nobody knows what of this one is on disk, and the next fsync may say that all is well', async () => {
    let fails = false;
    await folder.open({
      disk: {
        ...realDisk,
        open: async (path, flags) => {
          const file = await realDisk.open(path, flags);
          const datasync = file.datasync.bind(file);
          const failing = (): Promise<void> =>
            fails ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })) : datasync();
          return Object.assign(file, { datasync: failing });
        },
      },
    });
    await appendAll(folder.spool, numbered(0, 3));
    const before = folder.segments();
    fails = true;
    await expect(folder.spool.append(callback('refused'))).rejects.toMatchObject({ code: 'queue_unavailable' });
    fails = false;
    await appendAll(folder.spool, numbered(3, 6));
    expect(folder.segments()).toHaveLength(2);
    expect(folder.segments()).toEqual(expect.arrayContaining(before));
    expect(await drain(folder.spool)).toEqual(numbered(0, 6));
  });
});
