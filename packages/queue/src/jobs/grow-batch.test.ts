import { expect, it } from 'vitest';
import { type Batch, FIRST_BATCH, growBatch } from './grow-batch.ts';

it('a batch is as large as the two before it together, up to sixteen', () => {
  const sizes: number[] = [];
  let batch: Batch = FIRST_BATCH;
  for (let n = 0; n < 10; n++) {
    sizes.push(batch.size);
    batch = growBatch(batch);
  }
  expect(sizes).toEqual([1, 1, 2, 3, 5, 8, 13, 16, 16, 16]);
});
