import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { numbered, useSpool } from '../../test/use-spool.ts';
import { finishBatch, readBatch } from './read.ts';
import { encodeEntry, encodeFooter } from './record.ts';
import { recover } from './recover.ts';
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
    await state.reading?.reader.close();
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
    await before.reading?.reader.close();
    const after = createState({ dir: folder.dir });
    await recover(after);
    expect(after.records).toBe(10);
    expect((await readBatch(after))?.entries).toEqual(numbered(10, 20));
    await after.reading?.reader.close();
  });
});
