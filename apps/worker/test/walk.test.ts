import { type LoggedEvent, splitCallback } from '@clickrelay/core';
import {
  announceTest,
  ingestQueue,
  listDeadLetters,
  listDeliveries,
  listEvents,
  pauseDestination,
  readCallbackOf,
  readDestination,
  readDestinationFacts,
  readIntake,
  readRepeats,
  readTestReport,
  replayDelivery,
  resumeDestination,
  sumIntake,
  TEST_MESSAGE,
} from '@clickrelay/queue';
import { sampleCallback, samples } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { config } from '../src/config.ts';
import { SECRET, useWorker } from './use-worker.ts';

const worker = useWorker();

describe('a callback', () => {
  it('reaches its destination as signed events, each once, even when it is sent again', async () => {
    const crm = await worker.addDestination('crm');
    await worker.start();

    await worker.commit(samples.reply, samples.status);
    const requests = await crm.waitFor(9);
    await worker.commit(samples.reply, samples.status);
    await worker.ingestIsEmpty();

    expect(crm.requests).toHaveLength(9);
    expect(new Set(requests.map(({ headers }) => headers['webhook-id'])).size).toBe(9);
    const elements = [samples.reply, samples.status].flatMap(({ event }) => Object.values(event).flat());
    const sent = requests.map(({ body, headers }) =>
      new Webhook(SECRET).verify(body, headers as Record<string, string>),
    );
    for (const element of elements) expect(sent).toContainEqual(expect.objectContaining({ raw: element }));
  });

  it('is shown with each of its events, with the other events and the repeats', async () => {
    const text = () => sampleCallback('moText');
    const batch = [text(), text(), text()].map(({ event }) => (event['moText'] as object[])[0]);
    const whole = { ...text(), event: { moText: [...batch, batch[0]] } };
    const alone = sampleCallback('moText', { content: 'größer 😀' });
    const empty = { ...text(), event: { moText: [] } };
    const receivedAt = new Date().toISOString();
    const group = [empty, whole, alone, whole].map((envelope) => ({ text: JSON.stringify(envelope), receivedAt }));
    await worker.store.queue(ingestQueue('messages')).add('', { callbacks: group });
    await worker.start();
    await worker.ingestIsEmpty();
    await worker.commit(alone);
    await worker.ingestIsEmpty();

    const { items } = await listEvents(worker.store, { limit: 10 });
    const idOf = (element: unknown): string =>
      items.find(
        ({ event }) => (event.raw as { messageId: string }).messageId === (element as { messageId: string }).messageId,
      )?.event.id ?? 'none';
    const [first, second, third] = batch.map(idOf) as [string, string, string];
    const facts = { lane: 'messages', committedTogether: 4, receivedAt, complete: true };
    const size = Buffer.byteLength(JSON.stringify(whole));
    const { others, ...callback } = (await readCallbackOf(worker.store, second)) ?? { others: [] };
    expect([callback, new Set(others)]).toEqual([{ ...facts, size, elements: 4 }, new Set([first, third])]);
    const single = idOf((alone.event['moText'] as object[])[0]);
    expect(await readCallbackOf(worker.store, single)).toEqual({
      ...facts,
      size: Buffer.byteLength(JSON.stringify(alone)),
      elements: 1,
      others: [],
    });
    expect((await readRepeats(worker.store, [first, second, single])).map(({ count }) => count)).toEqual([3, 1, 1]);
    const { messages } = sumIntake(await readIntake(worker.store, {}, Date.now()));
    expect(messages).toEqual({ callbacks: 5, events: 4, repeats: 6 });
  });

  it('that was announced as a test is reported but not kept; one that only looks like a test is an event', async () => {
    const crm = await worker.addDestination('crm');
    await worker.start();
    const test = sampleCallback('moText', { messageId: `${TEST_MESSAGE}1` });
    const forged = sampleCallback('moText', { messageId: `${TEST_MESSAGE}1`, content: 'a real one' });
    const [logged] = splitCallback(JSON.stringify(test), new Date().toISOString()) as [LoggedEvent];
    const { id } = logged.event;
    await announceTest(worker.store, id);
    await worker.commit(test);
    await worker.ingestIsEmpty();
    await worker.commit(test, forged);
    await worker.ingestIsEmpty();

    const report = { lane: 'messages', eventType: 'moText', valid: true, wantedBy: ['crm'] };
    expect(await readTestReport(worker.store, id)).toMatchObject(report);
    const [request] = await crm.waitFor(1);
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ data: { text: 'a real one' } });
    const { items } = await listEvents(worker.store, { limit: 10 });
    expect(items.map(({ event }) => event.data['text'])).toEqual(['a real one']);
    expect(crm.requests).toHaveLength(1);
    const { messages } = sumIntake(await readIntake(worker.store, {}, Date.now()));
    expect(messages).toEqual({ callbacks: 1, events: 1, repeats: 0 });
  });

  it('goes only to the destinations that want it', async () => {
    const messages = await worker.addDestination('messages', 200, { events: ['mo*'] });
    const statuses = await worker.addDestination('statuses', 200, { events: ['messageStatusUpdate'] });
    await worker.start();

    await worker.commit(samples.reply, samples.status);

    await messages.waitFor(8);
    await statuses.waitFor(1);
    await worker.ingestIsEmpty();
    expect([messages.requests.length, statuses.requests.length]).toEqual([8, 1]);
  });

  it('goes to a destination that was added just before it', async () => {
    await worker.start();
    for (let round = 0; round < 10; round++) {
      const added = await worker.addDestination(`crm-${round}`);
      await worker.commit(sampleCallback('moText'));
      await added.waitFor(1, 2_000);
    }
  });

  it('that was committed while no worker ran is delivered when one starts', async () => {
    const crm = await worker.addDestination('crm');
    await worker.commit(samples.status);
    await worker.start();
    await crm.waitFor(1);
  });

  it('is accepted again once DEDUPE_TTL is over', async () => {
    const crm = await worker.addDestination('crm');
    await worker.start({ DEDUPE_TTL: '300ms' });
    await worker.commit(samples.status);
    await crm.waitFor(1);
    await waitUntil(async () => {
      await worker.commit(samples.status);
      await worker.ingestIsEmpty();
      // Once more for each time that it was over.
      return crm.requests.length >= 2;
    });
  });
});

describe('a destination that fails', () => {
  it('gets every attempt of the schedule; then there is a dead letter, which a replay delivers', async () => {
    const crm = await worker.addDestination('crm', 500);
    await worker.start();

    await worker.commit(sampleCallback('moText'));
    const [dead] = await waitUntil(async () => {
      const { items } = await listDeadLetters(worker.store, { limit: 10 });
      return items.length === 1 ? items : undefined;
    });

    expect(crm.requests).toHaveLength(3);
    expect(dead).toMatchObject({ destinationId: 'crm', eventType: 'moText', attempts: 3 });
    expect(dead?.error).toContain('500');
    const [delivery] = await listDeliveries(worker.store, dead?.eventId as string);
    expect(delivery?.attempts.map(({ number, outcome, status }) => [number, outcome, status])).toEqual([
      [1, 'retry', 500],
      [2, 'retry', 500],
      [3, 'dead_letter', 500],
    ]);

    crm.answerWith(200);
    expect(await replayDelivery(worker.store, dead?.deliveryId as string)).toBe('replayed');
    await crm.waitFor(4);
    await waitUntil(
      async () => (await listDeliveries(worker.store, dead?.eventId as string))[0]?.state === 'delivered',
    );
    expect((await listDeadLetters(worker.store, { limit: 10 })).items).toEqual([]);
    expect(new Set(crm.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('delays no other destination', async () => {
    await worker.addDestination('hanging', 'hang');
    const healthy = await worker.addDestination('healthy');
    await worker.start();
    await worker.commit(...Array.from({ length: 300 }, () => sampleCallback('moText')));
    await healthy.waitFor(300);
  });

  it('is paused when it answers 410, and gets what waited once it is resumed', async () => {
    const crm = await worker.addDestination('crm', 410);
    await worker.start();
    await worker.commit(sampleCallback('moText'));
    await waitUntil(async () => (await readDestination(worker.store, 'crm'))?.paused);
    await worker.commit(sampleCallback('moText'));
    await worker.ingestIsEmpty();
    const [facts] = await readDestinationFacts(worker.store, Date.now());
    expect(facts?.paused).toEqual({ by: 'gone', at: expect.any(Number) });

    crm.answerWith(200);
    const before = crm.requests.length;
    await resumeDestination(worker.store, 'crm');
    await crm.waitFor(before + 2);
  });

  it('is never tried again before its Retry-After is over', async () => {
    const crm = await worker.addDestination('crm', (_, index) =>
      index === 0 ? { status: 429, headers: { 'retry-after': '1' } } : 200,
    );
    await worker.start();
    await worker.commit(sampleCallback('moText'));
    const [first, second] = await crm.waitFor(2);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });
});

describe('a paused destination', () => {
  it('gets nothing, and everything once it is resumed', async () => {
    const crm = await worker.addDestination('crm');
    await pauseDestination(worker.store, 'crm', 'maintenance');
    await worker.start();
    await worker.commit(samples.reply);
    await worker.ingestIsEmpty();
    expect(crm.requests).toHaveLength(0);
    await resumeDestination(worker.store, 'crm');
    await crm.waitFor(8);
  });
});

describe('a delivered event', () => {
  it('is sent again when someone replays it, with the same id', async () => {
    const crm = await worker.addDestination('crm');
    await worker.start();
    await worker.commit(samples.status);
    const [request] = await crm.waitFor(1);
    const eventId = request?.headers['webhook-id'] as string;
    const [delivery] = await waitUntil(async () => {
      const list = await listDeliveries(worker.store, eventId);
      return list[0]?.state === 'delivered' ? list : undefined;
    });
    expect(await replayDelivery(worker.store, delivery?.id as string)).toBe('replayed');
    const requests = await crm.waitFor(2);
    expect(requests[1]?.headers['webhook-id']).toBe(eventId);
  });
});

describe('a worker that is told to stop', () => {
  it('lets its attempts end, and the next worker repeats none of them', async () => {
    const crm = await worker.addDestination('crm', () => ({ status: 200, delayMs: 50 }));
    await worker.start();
    await worker.commit(...Array.from({ length: 200 }, () => sampleCallback('moText')));
    await crm.waitFor(20);
    await worker.stop(5_000);
    await worker.start();
    await crm.waitFor(200);
    await worker.ingestIsEmpty();
    expect(crm.requests).toHaveLength(200);
  });
});

it('every variable of the environment is described', () => {
  for (const [name, schema] of Object.entries(config.shape)) expect(schema.description, name).toBeTruthy();
});
