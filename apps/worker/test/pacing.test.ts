import {
  destinationQueue,
  listDeadLetters,
  listDeliveries,
  listHolds,
  pauseDestination,
  resumeDestination,
} from '@clickrelay/queue';
import { type Envelope, sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const worker = useWorker();

const textFrom = (from: string, content: string): Envelope => {
  const envelope = sampleCallback('moText');
  const [element] = envelope.event['moText'] as Record<string, unknown>[];
  Object.assign(element as object, { from, content, messageId: `${from}-${content}` });
  return envelope;
};

const eventOf = (request: { body: string }): { from: string; type: string; data: { text?: string } } =>
  JSON.parse(request.body);

describe('a destination with a filter', () => {
  it('gets the events that pass its filter, and others as soon as the filter changes', async () => {
    const crm = await worker.addDestination('crm', 200, { filter: "event.data.text.startsWith('STOP')" });
    await worker.start();
    await worker.commit(textFrom('27831', 'hello'), textFrom('27831', 'STOP'), sampleCallback('messageStatusUpdate'));
    await crm.waitFor(1);
    await worker.ingestIsEmpty();
    expect(crm.requests.map((request) => eventOf(request).data.text)).toEqual(['STOP']);

    const others = await worker.addDestination('crm', 200, { filter: "event.from == '27832'" });
    await worker.commit(textFrom('27831', 'STOP again'), textFrom('27832', 'hello'));
    await others.waitFor(1);
    await worker.ingestIsEmpty();
    expect(others.requests.map((request) => eventOf(request).from)).toEqual(['27832']);
  });

  it('that is invalid makes its events wait until it is fixed', async () => {
    await worker.addDestination('crm', 200, { filter: 'event.type ==' });
    await worker.start();
    await worker.commit(textFrom('27831', 'hello'));
    await worker.ingestIsEmpty();
    const crm = await worker.addDestination('crm', 200, { filter: 'true' });
    await crm.waitFor(1);
  });
});

describe('a destination with a rate', () => {
  it('gets no more than that rate, and everything in the end', async () => {
    const crm = await worker.addDestination('crm', 200, { config: { rate: '50/s' } });
    await worker.start();
    const startedAt = Date.now();
    await worker.commit(...Array.from({ length: 60 }, () => sampleCallback('moText')));
    await crm.waitFor(60);
    // 5 in each tenth of a second: the 60th comes in the 12th.
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1_090);
  });

  it('gets more as soon as its rate is raised', async () => {
    const crm = await worker.addDestination('crm', 200, { config: { rate: '1/m' } });
    await worker.start();
    await worker.commit(...Array.from({ length: 10 }, () => sampleCallback('moText')));
    await crm.waitFor(1);
    const fast = await worker.addDestination('crm');
    await fast.waitFor(9);
  });
});

describe('a destination that answers 429', () => {
  it('gets nothing at all until its Retry-After is over', async () => {
    let throttledAt = 0;
    const crm = await worker.addDestination('crm', () => {
      if (throttledAt > 0 && Date.now() - throttledAt >= 1_000) return 200;
      throttledAt ||= Date.now();
      return { status: 429, headers: { 'retry-after': '1' } };
    });
    await worker.start();
    await worker.commit(...Array.from({ length: 200 }, () => sampleCallback('moText')));
    await waitUntil(() => new Set(crm.requests.map(({ headers }) => headers['webhook-id'])).size === 200);
    // The attempts that were under way when it first said so had already left: 32 connections at most.
    const meanwhile = crm.requests.filter(({ at }) => at < throttledAt + 990);
    expect(meanwhile.length).toBeLessThanOrEqual(32);
  });
});

describe('a destination that fails again and again', () => {
  it('is probed with one delivery at a time, costs the others no attempts, and gets all once it recovers', async () => {
    const crm = await worker.addDestination('crm', 500);
    await worker.start({ RETRY_SCHEDULE: '0s,1s,1s' });
    await worker.commit(...Array.from({ length: 300 }, () => sampleCallback('moText')));
    await worker.ingestIsEmpty();
    await waitUntil(async () => (await listHolds(worker.store, Date.now())).get('crm')?.reason === 'failing');
    const asked = crm.requests.length;
    expect(asked).toBeLessThan(200);
    crm.answerWith(200);
    await waitUntil(() => new Set(crm.requests.slice(asked).map(({ headers }) => headers['webhook-id'])).size === 300, {
      timeoutMs: 60_000,
    });
    expect((await listDeadLetters(worker.store, { limit: 10 })).items).toEqual([]);
    await waitUntil(async () => (await listHolds(worker.store, Date.now())).size === 0);
  });
});

describe('a destination that takes messages and statuses', () => {
  it('gets waiting messages before waiting statuses', async () => {
    const crm = await worker.addDestination('crm', 200, { config: { concurrency: 1 } });
    await pauseDestination(worker.store, 'crm', 'test');
    await worker.start();
    await worker.commit(...Array.from({ length: 20 }, () => sampleCallback('messageStatusUpdate')));
    await worker.ingestIsEmpty();
    await worker.commit(...Array.from({ length: 5 }, () => sampleCallback('moText')));
    await worker.ingestIsEmpty();
    await resumeDestination(worker.store, 'crm');
    const types = (await crm.waitFor(25)).map((request) => eventOf(request).type);
    expect(types.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'moText'));
  });
});

describe('a destination that wants order', () => {
  const ORDERED = { config: { ordering: 'conversation', concurrency: 16 } };

  it('gets the events of a conversation one after the other, and those of other conversations meanwhile', async () => {
    const underWay = new Map<string, number>();
    let overlaps = 0;
    let most = 0;
    const crm = await worker.addDestination(
      'crm',
      async (request) => {
        const { from } = eventOf(request);
        underWay.set(from, (underWay.get(from) ?? 0) + 1);
        if ((underWay.get(from) ?? 0) > 1) overlaps++;
        most = Math.max(most, [...underWay.values()].filter((count) => count > 0).length);
        await new Promise((resolve) => setTimeout(resolve, 10));
        underWay.set(from, (underWay.get(from) ?? 0) - 1);
        return 200;
      },
      ORDERED,
    );
    await worker.start();
    const parties = ['27831', '27832', '27833', '27834', '27835', '27836'];
    for (let round = 0; round < 12; round++) {
      await worker.commit(...parties.map((from) => textFrom(from, String(round))));
    }
    const requests = await crm.waitFor(72, 60_000);
    expect(overlaps).toBe(0);
    expect(most).toBeGreaterThan(1);
    for (const party of parties) {
      const order = requests.map(eventOf).filter(({ from }) => from === party);
      expect(order.map(({ data }) => data.text)).toEqual(Array.from({ length: 12 }, (_, round) => String(round)));
    }
  });

  it('gets the rest of a conversation only after a failed event has succeeded; others pass', async () => {
    let hasOtherPassed = false;
    const crm = await worker.addDestination(
      'crm',
      (request) => {
        const { from, data } = eventOf(request);
        hasOtherPassed ||= from === '27832';
        return from === '27831' && data.text === '0' && !hasOtherPassed ? 500 : 200;
      },
      ORDERED,
    );
    await worker.start({ RETRY_SCHEDULE: `0s${',300ms'.repeat(20)}` });
    await worker.commit(textFrom('27831', '0'));
    await worker.commit(textFrom('27831', '1'), textFrom('27832', '0'));
    const arrivals = () => crm.requests.map(eventOf).map(({ from, data }) => `${from} ${data.text}`);
    await waitUntil(() => arrivals().includes('27831 1'));
    const requests = arrivals();
    expect(requests).toContain('27832 0');
    expect(requests.indexOf('27832 0')).toBeLessThan(requests.lastIndexOf('27831 0'));
    expect(requests.at(-1)).toBe('27831 1');
  });

  it('gets the rest of a conversation after a dead letter', async () => {
    const crm = await worker.addDestination(
      'crm',
      (request) => (eventOf(request).data.text === '0' ? 500 : 200),
      ORDERED,
    );
    await worker.start();
    await worker.commit(textFrom('27831', '0'));
    await worker.commit(textFrom('27831', '1'));
    await waitUntil(() => crm.requests.some((request) => eventOf(request).data.text === '1'));
    expect((await listDeadLetters(worker.store, { limit: 10 })).items).toHaveLength(1);
  });

  it('gets the rest after a worker died before it released the place of a delivered event', async () => {
    const crm = await worker.addDestination('crm', 200, ORDERED);
    await worker.start();
    await worker.commit(textFrom('27831', '0'));
    const [first] = await crm.waitFor(1);
    const id = first?.headers['webhook-id'] as string;
    await waitUntil(async () => (await listDeliveries(worker.store, id))[0]?.state === 'delivered');
    // Stands in for that death: the place is still taken.
    await waitUntil(async () => (await worker.store.redis.keys('*:order:*')).length === 0);
    const conversation = JSON.stringify([eventOf(first as { body: string }).from, '2799900002'].sort());
    const queue = destinationQueue('crm');
    await worker.store.redis.zadd(`${queue.prefix}:${queue.name}:order:${conversation}`, 1, id);
    await worker.commit(textFrom('27831', '1'));
    await crm.waitFor(2, 5_000);
  });
});
