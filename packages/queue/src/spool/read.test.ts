import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { appendAll, drain, numbered, useSpool } from '../../test/use-spool.ts';
import { type Disk, realDisk } from './disk.ts';
import { finishBatch, readBatch, stopReading } from './read.ts';
import { encodeEntry, encodeFooter } from './record.ts';
import { recover } from './recover.ts';
import { openSpool } from './spool.ts';
import { createState, type SpoolBatch, type SpoolState } from './state.ts';

const folder = useSpool();

/** The state over a folder with finished segments of ten records each. */
const stateOver = async (segments: number): Promise<SpoolState> => {
  for (let segment = 0; segment < segments; segment++) {
    const records = numbered(segment * 10, segment * 10 + 10).map(encodeEntry);
    const name = `${String(segment + 1).padStart(15, '0')}.spool`;
    writeFileSync(join(folder.dir, name), Buffer.concat([...records, encodeFooter(10)]));
  }
  const state = createState({ dir: folder.dir });
  await recover(state);
  return state;
};

describe('the position in a spool', () => {
  it('moves when a batch is finished, and not when it is read', async () => {
    const state = await stateOver(1);
    const first = await readBatch(state);
    expect(first?.entries).toEqual(numbered(0, 10));
    expect(await readBatch(state)).toEqual(first);
    await finishBatch(state, first as SpoolBatch);
    expect(await readBatch(state)).toBeUndefined();
    await stopReading(state);
  });

  it('goes from segment to segment, each of which is removed once it is drained', async () => {
    const state = await stateOver(3);
    for (let segment = 0; segment < 3; segment++) {
      const batch = (await readBatch(state)) as SpoolBatch;
      expect(folder.segments()).toHaveLength(3 - segment);
      expect(batch.entries).toEqual(numbered(segment * 10, segment * 10 + 10));
      await finishBatch(state, batch);
      expect(state.records).toBe(20 - segment * 10);
    }
    expect(await readBatch(state)).toBeUndefined();
    expect(folder.segments()).toEqual([]);
    expect(state).toMatchObject({ records: 0, bytes: 0, oldestAt: null });
  });

  it('is found again by the next process', async () => {
    const before = await stateOver(2);
    await finishBatch(before, (await readBatch(before)) as SpoolBatch);
    await stopReading(before);
    const after = createState({ dir: folder.dir });
    await recover(after);
    expect(after.records).toBe(10);
    expect((await readBatch(after))?.entries).toEqual(numbered(10, 20));
    await stopReading(after);
  });

  it('is not believed when a bit of it turned over, though it hits a record', async () => {
    const before = await stateOver(1);
    await finishBatch(before, (await readBatch({ ...before, batchEntries: 1 })) as SpoolBatch);
    await stopReading(before);
    const path = join(folder.dir, '000000000000001.position');
    const [, at] = /^(\d+)/.exec(readFileSync(path, 'latin1')) as RegExpExecArray;
    writeFileSync(path, readFileSync(path, 'latin1').replace(/^\d+/, String(Number(at) * 3)));
    const after = createState({ dir: folder.dir });
    await recover(after);
    expect((await readBatch(after))?.entries).toEqual(numbered(0, 10));
    await stopReading(after);
  });
});

const eio = async (): Promise<never> => {
  throw Object.assign(new Error('EIO'), { code: 'EIO' });
};

describe('a segment that the disk does not let go', () => {
  const STUCK = { kind: 'stuck', segment: '000000000000001.spool', errorCode: 'EIO' };
  const isFirst = (path: string): boolean => path.endsWith('/000000000000001.spool');

  it('holds up no other when it cannot be read, is told, and is drained once it can', async () => {
    await stateOver(3);
    let isBad = false;
    const disk: Disk = {
      ...realDisk,
      open: (path, flags) => (isBad && isFirst(path) ? eio() : realDisk.open(path, flags)),
    };
    await folder.open({ disk });
    isBad = true;
    const others = [await folder.spool.read()];
    await folder.spool.done(others[0] as SpoolBatch);
    others.push(await folder.spool.read());
    await folder.spool.done(others[1] as SpoolBatch);
    expect(others.flatMap((batch) => batch?.entries)).toEqual(numbered(10, 30));
    await expect(folder.spool.read()).rejects.toThrow('EIO');
    expect(folder.spool.stats()).toMatchObject({ records: 10 });
    expect(folder.notices).toEqual([STUCK]);
    isBad = false;
    expect(await drain(folder.spool)).toEqual(numbered(0, 10));
    expect(folder.spool.stats()).toMatchObject({ records: 0, bytes: 0 });
  });

  it('is removed later, and not drained again, when it cannot be removed', async () => {
    await stateOver(2);
    let isBad = true;
    const disk: Disk = { ...realDisk, remove: (path) => (isBad && isFirst(path) ? eio() : realDisk.remove(path)) };
    await folder.open({ disk });
    for (const from of [0, 10]) {
      const batch = await folder.spool.read();
      expect(batch?.entries).toEqual(numbered(from, from + 10));
      await folder.spool.done(batch as SpoolBatch);
    }
    await expect(folder.spool.read()).rejects.toThrow('EIO');
    isBad = false;
    expect(await folder.spool.read()).toBeUndefined();
    expect(folder.segments()).toEqual([]);
  });
});

describe('a segment that is finished while the spool is read', () => {
  it('is not forgotten', async () => {
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let isFinishing = (): void => {};
    const finishing = new Promise<void>((resolve) => {
      isFinishing = resolve;
    });
    const disk: Disk = {
      ...realDisk,
      open: async (path, flags) => {
        if (flags !== 'r+') return realDisk.open(path, flags);
        isFinishing();
        await held;
        return realDisk.open(path, flags);
      },
    };
    const spool = await openSpool({ dir: folder.dir, disk, segmentBytes: 100 });
    const appended = appendAll(spool, numbered(0, 3));
    await finishing;
    const read = spool.read();
    letGo();
    await appended;
    expect((await read)?.entries).toEqual(numbered(0, 3));
    expect(spool.stats().bytes).toBeGreaterThan(0);
    await spool.close();
  });
});
