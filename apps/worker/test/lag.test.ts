import { readLag } from '@clickrelay/queue';
import { sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const worker = useWorker();

/** Of this hour and the one before, in case one ends while a test runs. */
const rows = async () => (await readLag(worker.store, 2, Date.now())).rows;

it("Clickatell's own lag is counted for new events only, whether they came alone or together", async () => {
  const agoMs = 100_000;
  const late = (type: string, more: Record<string, unknown> = {}) =>
    sampleCallback(type, { timestamp: Date.now() - agoMs, ...more });
  const alone = late('moText');
  await worker.start();
  await worker.commit(alone);
  await worker.ingestIsEmpty();
  const status = late('messageStatusUpdate', { statusCode: 3, status: 'DELIVERED_TO_GATEWAY', channel: 'sms' });
  const read = late('messageStatusUpdate', { statusCode: 6, status: 'READ' });
  // Again, as when our answer was lost: those are repeats.
  await worker.commit(alone, alone, late('moText'), late('moText'), status, status, read);
  await worker.ingestIsEmpty();
  await waitUntil(async () => (await rows()).reduce((sum, { events }) => sum + events, 0) >= 4);
  await worker.stop();
  const found = await rows();
  expect(found.map(({ lane, class: name, events }) => [lane, name, events])).toEqual([
    ['messages', null, 3],
    ['statuses', expect.any(String), 1],
  ]);
  for (const { medianMs } of found) {
    expect(medianMs).toBeGreaterThan(60_000);
    expect(medianMs).toBeLessThanOrEqual(300_000);
  }
});
