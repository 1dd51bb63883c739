import { listEvents, queueDepths } from '@clickrelay/queue';
import { type Envelope, sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const worker = useWorker();

const mediaOf = (bytes: number): Envelope => {
  const [media] = sampleCallback('moMedia').event['moMedia'] as [object];
  return {
    integrationId: 'i',
    integrationName: 'i',
    event: { moMedia: [{ ...media, content: 'A'.repeat(bytes) }] },
  } as Envelope;
};

it('a callback of 16 MB is delivered whole, even after failures, and leaves nothing but its log entry', async () => {
  const crm = await worker.addDestination('crm', (_, index) => (index === 0 ? 500 : 200));
  await worker.start();
  await worker.commit(mediaOf(16 * 1024 * 1024));
  const requests = await crm.waitFor(2, 20_000);
  for (const { body } of requests) expect(JSON.parse(body).raw.content).toHaveLength(16 * 1024 * 1024);
  await worker.ingestIsEmpty();
  const keys = (await worker.store.redis.keys('*')).filter((key) => key.includes(':text:'));
  for (const key of keys) expect(await worker.store.redis.ttl(key)).toBeGreaterThan(0);
  expect((await listEvents(worker.store, { limit: 10 })).items).toHaveLength(1);
});

it('a callback of 20,000 small elements becomes 20,000 events, without holding up others', async () => {
  const crm = await worker.addDestination('crm', 200, { events: ['moText'] });
  await worker.start();
  const many = Array.from({ length: 20_000 }, (_, n) => ({ messageId: `many-${n}`, status: 'x' }));
  await worker.commit({
    integrationId: 'i',
    integrationName: 'i',
    event: { somethingNew: many },
  } as unknown as Envelope);
  await waitUntil(async () => (await queueDepths(worker.store)).ingest.messages > 0);
  await worker.commit(sampleCallback('moText'));
  await crm.waitFor(1);
  await waitUntil(async () => (await worker.store.redis.zcard('cr:{e00}:log')) > 200);
  await worker.ingestIsEmpty();
});
