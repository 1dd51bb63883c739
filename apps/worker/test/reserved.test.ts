import { setTimeout as sleep } from 'node:timers/promises';
import { type LoggedEvent, shardOf, splitCallback } from '@clickrelay/core';
import { ingestQueue, listDeliveries, listEvents, readLedger, shareDedupe } from '@clickrelay/queue';
import { type Envelope, sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

/* Callbacks whose event the commit reserved. */

const worker = useWorker();

const TTL_MS = 72 * 3_600_000;
const QUEUE = ingestQueue('messages');

const idOf = (envelope: Envelope): string => {
  const [logged] = splitCallback(JSON.stringify(envelope), new Date().toISOString()) as [LoggedEvent];
  return logged.event.id;
};

/** Commits while no worker runs. @returns the callback, and the id of its job */
const commitBefore = async (): Promise<{ callback: Envelope; jobId: string }> => {
  await shareDedupe(worker.store, TTL_MS);
  const callback = sampleCallback('moText');
  await worker.commit(callback);
  const [job] = await worker.store.queue(QUEUE).getJobs(['waiting']);
  expect(job?.progress).toHaveProperty('version');
  return { callback, jobId: job?.id ?? 'no job' };
};

describe('a callback whose event was reserved', () => {
  it('is delivered once and logged, and its destinations are in the ledger', async () => {
    const crm = await worker.addDestination('crm');
    const fails = await worker.addDestination('fails', 500);
    const { callback } = await commitBefore();
    await worker.start();
    await crm.waitFor(1);
    await fails.waitFor(3);
    await worker.ingestIsEmpty();
    const deliveries = await listDeliveries(worker.store, idOf(callback));
    expect(deliveries.map(({ destinationId }) => destinationId)).toEqual(['crm', 'fails']);
    expect(await readLedger(worker.store)).toMatchObject({ events: 1, unrouted: 0, balanced: true });
    expect(crm.requests).toHaveLength(1);
  });

  it('is dropped when it is sent again', async () => {
    const crm = await worker.addDestination('crm');
    const { callback } = await commitBefore();
    await worker.start();
    await crm.waitFor(1);
    for (let again = 0; again < 3; again++) {
      await worker.commit(callback);
      await worker.ingestIsEmpty();
    }
    expect(crm.requests).toHaveLength(1);
  });

  it('goes to a destination that was added just before', async () => {
    await worker.addDestination('crm');
    await worker.start();
    for (let round = 0; round < 5; round++) {
      const added = await worker.addDestination(`added-${round}`);
      await worker.commit(sampleCallback('moText'));
      await added.waitFor(1);
    }
  });

  it('is not sent again to destinations where it had ended when its worker died before logging it', async () => {
    const crm = await worker.addDestination('crm');
    const audit = await worker.addDestination('audit');
    const { callback, jobId } = await commitBefore();
    const id = idOf(callback);
    const { redis } = worker.store;
    await redis.hset(`${QUEUE.prefix}:${QUEUE.name}:${jobId}`, 'ats', '1');
    await redis.hset(`cr:{e${String(shardOf(id)).padStart(2, '0')}}:${id}:d`, 'crm', 'd');
    await worker.start();
    await audit.waitFor(1);
    await worker.ingestIsEmpty();
    expect(crm.requests).toEqual([]);
    expect((await listEvents(worker.store, { limit: 5 })).items.map(({ event }) => event.id)).toEqual([id]);
    expect(await readLedger(worker.store)).toMatchObject({ events: 1, unrouted: 0, balanced: true });
  });

  it('can be leased only once it is in the log', async () => {
    await worker.addDestination('bot', 200, { type: 'pull' });
    await worker.start();
    // The client knows the command of a script only once it has run.
    const before = sampleCallback('moText');
    await worker.commit(before);
    await worker.ingestIsEmpty();
    const scripts = worker.store.redis as unknown as Record<'appendEvents', (...args: unknown[]) => Promise<unknown>>;
    const appendEvents = scripts.appendEvents.bind(worker.store.redis);
    scripts.appendEvents = (...args) => sleep(300).then(() => appendEvents(...args));
    const callback = sampleCallback('moText');
    const committed = worker.commit(callback);
    const id = idOf(callback);
    await waitUntil(async () => (await listDeliveries(worker.store, id)).length > 0);
    const logged = (await listEvents(worker.store, { limit: 5 })).items.map(({ event }) => event.id);
    expect(logged).toEqual([id, idOf(before)]);
    await committed;
    await worker.ingestIsEmpty();
  });
});
