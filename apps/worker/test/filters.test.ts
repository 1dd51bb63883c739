import { sampleCallback } from '@clickrelay/simulator';
import { expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const worker = useWorker();

const loops = (depth: number): string =>
  depth === 0 ? 'true' : `[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0].all(a, ${loops(depth - 1)})`;

it('a filter that never ends delays no other delivery, and lets nothing pass', { timeout: 30_000 }, async () => {
  // The API refuses it: here it stands in the registry.
  const nasty = await worker.addDestination('nasty', 200, { filter: loops(7) });
  const plain = await worker.addDestination('plain');
  await worker.start();
  await worker.commit(...Array.from({ length: 40 }, () => sampleCallback('moText')));
  await plain.waitFor(40);
  await worker.ingestIsEmpty();
  expect(nasty.requests).toEqual([]);
});
