import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendAll, drain, footerless, numbered, numberOf, useSpool } from '../../test/use-spool.ts';

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
    await expect(folder.spool.read()).rejects.toThrow('EEXIST');
    rmSync(join(folder.dir, 'set-aside'));
    expect((await drain(folder.spool)).map(numberOf)).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9]);
    expect(folder.spool.stats()).toMatchObject({ records: 0, setAside: 1 });
  });
});
