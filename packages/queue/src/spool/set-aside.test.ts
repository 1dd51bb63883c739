import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendAll, drain, footerless, numbered, numberOf, useSpool } from '../../test/use-spool.ts';
import { realDisk } from './disk.ts';
import { encodeEntry, encodeFooter, type SpoolEntry } from './record.ts';
import type { SpoolBatch } from './state.ts';

const folder = useSpool();

describe('a damaged spool', () => {
  it('sets the damage aside and gives out everything else', async () => {
    const seed = Math.floor(Math.random() * 1_000_000);
    console.log(`seed ${seed}`);
    const entries = numbered(0, 50);
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.boolean(), fc.integer({ min: 1, max: 255 }), async (place, isFinished, flip) => {
        rmSync(folder.dir, { recursive: true, force: true });
        folder.notices.length = 0;
        await folder.open();
        await appendAll(folder.spool, entries);
        await folder.close();
        const path = folder.onlySegment();
        if (!isFinished) footerless(path);
        const bytes = readFileSync(path);
        const recordBytes = 16 + bytes.readUInt32LE(4);
        // Somewhere before the last record, of which nobody can tell damage from a torn end by its looks alone.
        const at = place % (bytes.length - 2 * recordBytes - 30);
        bytes[at] = (bytes[at] as number) ^ flip;
        writeFileSync(path, bytes);
        await folder.open();
        const kept = await drain(folder.spool);
        expect(kept).toHaveLength(49);
        expect(entries).toEqual(expect.arrayContaining(kept));
        expect(kept.map(numberOf)).toEqual(kept.map(numberOf).toSorted((a, b) => a - b));
        expect(folder.notices).toEqual([
          { kind: 'damaged', segment: expect.any(String), bytes: expect.any(Number), keptIn: expect.any(String) },
        ]);
        const { keptIn } = folder.notices[0] as { keptIn: string };
        expect(bytes.includes(readFileSync(keptIn))).toBe(true);
        expect(folder.spool.stats()).toMatchObject({ records: 0, setAside: 1 });
        await folder.close();
      }),
      { seed, numRuns: 40 },
    );
  });

  it('keeps a whole last record with a wrong check sum: it may have been acknowledged', async () => {
    await folder.open();
    await appendAll(folder.spool, numbered(0, 3));
    await folder.close();
    const path = folder.onlySegment();
    footerless(path);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] = 0;
    writeFileSync(path, bytes);
    await folder.open();
    expect(await drain(folder.spool)).toEqual(numbered(0, 2));
    expect(folder.notices.map(({ kind }) => kind)).toEqual(['damaged']);
  });
});

describe('a spool whose disk takes nothing for damage', () => {
  it('gives out everything once it does, also what stands before the damage', async () => {
    await folder.open();
    await appendAll(folder.spool, numbered(0, 10));
    await folder.close();
    const path = folder.onlySegment();
    const bytes = readFileSync(path);
    const recordBytes = 16 + bytes.readUInt32LE(4);
    bytes[5 * recordBytes] = 0;
    writeFileSync(path, bytes);
    await folder.open();
    // No folder can be made where a file is.
    writeFileSync(join(folder.dir, 'set-aside'), '');
    const before = await folder.spool.read();
    expect(before?.entries.map(numberOf)).toEqual([0, 1, 2, 3, 4]);
    await folder.spool.done(before as SpoolBatch);
    await expect(folder.spool.read()).rejects.toThrow('EEXIST');
    rmSync(join(folder.dir, 'set-aside'));
    expect((await drain(folder.spool)).map(numberOf)).toEqual([6, 7, 8, 9]);
    expect(folder.spool.stats()).toMatchObject({ records: 0, setAside: 1 });
  });
});

describe('a body that looks like the files of the spool', () => {
  const receivedAt = '2026-11-30T12:00:00.000Z';
  const unreadable = (...parts: Buffer[]): SpoolEntry => ({
    kind: 'quarantine',
    reason: 'no JSON',
    receivedAt,
    body: Buffer.concat(parts),
  });

  it('is no footer, when its process dies after it', async () => {
    const entry = unreadable(Buffer.from('body'), encodeFooter(7));
    writeFileSync(join(folder.dir, '000000000000001.spool'), encodeEntry(entry));
    await folder.open();
    expect(folder.spool.stats().records).toBe(1);
    expect(await drain(folder.spool)).toEqual([entry]);
  });

  it('is no callback, when the record around it is damaged', async () => {
    const bytes = encodeEntry(unreadable(encodeEntry(numbered(0, 1)[0] as SpoolEntry)));
    bytes[9] = (bytes[9] as number) ^ 1;
    writeFileSync(join(folder.dir, '000000000000001.spool'), Buffer.concat([bytes, encodeFooter(1)]));
    await folder.open();
    expect(await drain(folder.spool)).toEqual([]);
    expect(folder.spool.stats().setAside).toBe(1);
  });
});

describe('a file for damage that took two tries', () => {
  it('is counted', async () => {
    await folder.open();
    await appendAll(folder.spool, numbered(0, 2));
    await folder.close();
    const path = folder.onlySegment();
    const bytes = readFileSync(path);
    bytes[0] = 0;
    writeFileSync(path, bytes);
    let isFull = true;
    await folder.open({
      disk: {
        ...realDisk,
        open: async (path, flags) => {
          const file = await realDisk.open(path, flags);
          const full = async (): Promise<never> => {
            throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
          };
          return isFull && path.endsWith('.damaged') ? Object.assign(file, { write: full }) : file;
        },
      },
    });
    await expect(folder.spool.read()).rejects.toThrow('ENOSPC');
    isFull = false;
    expect(await drain(folder.spool)).toEqual(numbered(1, 2));
    expect(folder.spool.stats().setAside).toBe(1);
  });
});
