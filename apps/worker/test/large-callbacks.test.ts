import { queueDepths, readLogBytes } from '@clickrelay/queue';
import { type Envelope, sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const worker = useWorker();

const elementsOf = (count: number): Record<string, unknown>[] => {
  const [element] = sampleCallback('moText').event['moText'] as Record<string, unknown>[];
  return Array.from({ length: count }, (_, index) => ({ ...element, messageId: `bulk-${index}` }));
};

const usedBytes = async (): Promise<number> =>
  Number(/used_memory:(\d+)/.exec(await worker.store.redis.info('memory'))?.[1]);

describe('a callback whose name is as long as all of the rest', () => {
  const long = 'n'.repeat(50_000);
  const EVENTS = 300;
  it.each([
    ['integrationName', { integrationName: long, event: { moText: elementsOf(EVENTS) } }],
    ['integrationId', { integrationId: long, event: { moText: elementsOf(EVENTS) } }],
    ['name of an array', { event: { [long]: elementsOf(EVENTS) } }],
  ] satisfies [string, Partial<Envelope>][])('takes no more of Redis than its elements do: %s', async (_, body) => {
    const before = await usedBytes();
    await worker.start();
    const envelope: Envelope = { integrationId: 'i', integrationName: 'n', ...body };
    await worker.commit(envelope);
    await worker.ingestIsEmpty();
    const { total } = await readLogBytes(worker.store);
    expect(total).toBeGreaterThan(EVENTS * 200);
    expect(total).toBeLessThan(3 * JSON.stringify(envelope).length);
    expect((await usedBytes()) - before).toBeLessThan(20 * JSON.stringify(envelope).length);
  });
});

describe('a callback of thousands of elements', () => {
  it('does not go ahead of everybody else at a destination', async () => {
    const EVENTS = 2_000;
    const order: string[] = [];
    await worker.addDestination(
      'crm',
      ({ body }) => {
        order.push((JSON.parse(body) as { messageId: string }).messageId);
        return { status: 200, delayMs: 10 };
      },
      { config: { concurrency: 2 } },
    );
    await worker.start();
    await worker.commit({ integrationId: 'i', integrationName: 'n', event: { moText: elementsOf(EVENTS) } });
    const waiting = async (): Promise<number> => (await queueDepths(worker.store)).destinations[0]?.waiting ?? 0;
    await waitUntil(async () => (await waiting()) > EVENTS / 2, { timeoutMs: 60_000 });
    const sentAfter = order.length;
    await worker.commit(...Array.from({ length: 5 }, () => sampleCallback('moText')));
    const isSingle = (id: string): boolean => !id.startsWith('bulk-');
    await waitUntil(() => order.filter(isSingle).length === 5, { timeoutMs: 120_000 });
    const ahead = order.slice(sentAfter).filter((id) => !isSingle(id)).length;
    expect(ahead).toBeLessThan(500);
  });
});
