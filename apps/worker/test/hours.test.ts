import { readHours, sumHours } from '@clickrelay/queue';
import { sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const worker = useWorker();

/** The sum of two hours, in case one ends during the test. */
const figures = async () => sumHours((await readHours(worker.store, ['crm'], 2, Date.now())).get('crm') ?? []);

it('attempts are counted by the hour: delivered, failed, and delivered at the first try', async () => {
  let answers = 0;
  await worker.addDestination('crm', () => (++answers === 1 ? 500 : 200));
  await worker.start();
  await worker.commit(sampleCallback('moText'));
  await waitUntil(() => answers === 2);
  await worker.commit(sampleCallback('moText'));
  await waitUntil(async () => {
    const { delivered, failed } = await figures();
    return delivered + failed === 3;
  });
  const { delivered, failed, firstTry, durations } = await figures();
  expect({ delivered, failed, firstTry }).toEqual({ delivered: 2, failed: 1, firstTry: 1 });
  expect(durations.reduce((sum, count) => sum + count, 0)).toBe(3);
});

it('a worker that stops saves its counts first', async () => {
  const crm = await worker.addDestination('crm');
  await worker.start();
  await worker.commit(sampleCallback('moText'));
  await crm.waitFor(1);
  await worker.stop();
  expect(await figures()).toMatchObject({ delivered: 1, firstTry: 1 });
});
