import {
  countSelected,
  createReplay,
  listDeadLetters,
  type ReplaySelection,
  readReplay,
  setReplayState,
} from '@clickrelay/queue';
import { type Destination, sampleCallback, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const worker = useWorker();

const DEAD: ReplaySelection = { state: 'dead_letter' };
const ids = (requests: Destination['requests']) => requests.map(({ headers }) => headers['webhook-id'] as string);

/** A destination that refuses everything once, so that each event is a dead letter. */
const addDead = async (count: number, type: 'moText' | 'messageStatusUpdate' = 'moText'): Promise<Destination> => {
  const crm = await worker.addDestination('crm', 500, { config: { retrySchedule: '0s' } });
  await worker.start();
  for (let at = 0; at < count; at += 200) {
    await worker.commit(...Array.from({ length: Math.min(200, count - at) }, () => sampleCallback(type)));
  }
  await waitUntil(async () => (await countSelected(worker.store, DEAD)) === count, { timeoutMs: 60_000 });
  crm.answerWith(200);
  return crm;
};

const make = (selection: ReplaySelection, rate: string | null = null) =>
  createReplay(worker.store, { selection, rate, by: 'test' }, Date.now() + 1);
const isDone = (id: string) =>
  waitUntil(async () => (await readReplay(worker.store, id))?.state === 'done', { timeoutMs: 60_000 });

describe('a replay of many', () => {
  it('sends every dead letter again, once, with its id, and tells how far it is', async () => {
    const crm = await addDead(450);
    const first = new Set(ids(crm.requests));
    crm.requests.length = 0;
    const { id, matched } = await make(DEAD);
    expect(matched).toBe(450);
    await isDone(id);
    await crm.waitFor(450);
    expect(new Set(ids(crm.requests))).toEqual(first);
    expect(crm.requests).toHaveLength(450);
    expect(await readReplay(worker.store, id)).toMatchObject({ state: 'done', replayed: 450, skipped: 0, by: 'test' });
    expect((await listDeadLetters(worker.store, { limit: 1 })).items).toEqual([]);
  });

  it('keeps to its rate', async () => {
    const crm = await addDead(300);
    crm.requests.length = 0;
    const startedAt = Date.now();
    const { id } = await make(DEAD, '200/s');
    await isDone(id);
    await crm.waitFor(300);
    // The first share goes at once, 280 more at 200 a second.
    expect((crm.requests.at(-1)?.at ?? 0) - startedAt).toBeGreaterThanOrEqual(1_250);
  });

  it('can be cancelled half-way, and goes on where it stopped', async () => {
    const crm = await addDead(300);
    crm.requests.length = 0;
    const { id } = await make(DEAD, '50/s');
    await crm.waitFor(25);
    await setReplayState(worker.store, id, 'cancelled');
    // Until nothing comes for half a second.
    for (let seen = -1; seen < crm.requests.length; await new Promise((resolve) => setTimeout(resolve, 500))) {
      seen = crm.requests.length;
    }
    expect(crm.requests.length).toBeLessThan(300);
    await setReplayState(worker.store, id, 'running');
    await isDone(id);
    await crm.waitFor(300);
    expect(new Set(ids(crm.requests)).size).toBe(300);
    expect(crm.requests).toHaveLength(300);
  });

  it('goes on in the next worker when the one that carried it out has stopped', async () => {
    const crm = await addDead(200);
    crm.requests.length = 0;
    const { id } = await make(DEAD, '100/s');
    await crm.waitFor(30);
    await worker.stop();
    await worker.start();
    await isDone(id);
    await crm.waitFor(200);
    expect(new Set(ids(crm.requests)).size).toBe(200);
  });

  it('does not send again what fails again meanwhile', async () => {
    const crm = await addDead(20);
    crm.answerWith(500);
    crm.requests.length = 0;
    const { id } = await make(DEAD);
    await isDone(id);
    await waitUntil(async () => (await countSelected(worker.store, DEAD)) === 20);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(crm.requests).toHaveLength(20);
  });

  it('takes only what is chosen, by type, time and filter', async () => {
    const crm = await addDead(5);
    crm.answerWith(500);
    await worker.commit(...Array.from({ length: 7 }, () => sampleCallback('messageStatusUpdate')));
    await waitUntil(async () => (await countSelected(worker.store, DEAD)) === 12);
    const count = (selection: Partial<ReplaySelection>) => countSelected(worker.store, { ...DEAD, ...selection });
    expect(await count({ kind: 'refused' })).toBe(12);
    expect(await count({ kind: 'not_built' })).toBe(0);
    expect(await count({ events: ['mo*'] })).toBe(5);
    expect(await count({ filter: "event.type == 'messageStatusUpdate'" })).toBe(7);
    expect(await count({ since: Date.now() + 10_000 })).toBe(0);
    expect(await count({ until: Date.now() - 60_000 })).toBe(0);
    expect(await count({ destinationId: 'crm' })).toBe(12);
    expect(await count({ destinationId: 'nowhere' })).toBe(0);
  });

  it('sends again what was delivered, and a second time when it is asked for a second time', async () => {
    const crm = await worker.addDestination('crm');
    await worker.start();
    await worker.commit(...Array.from({ length: 30 }, () => sampleCallback('moText')));
    await crm.waitFor(30);
    const delivered: ReplaySelection = { state: 'delivered', destinationId: 'crm' };
    for (const round of [2, 3]) {
      await waitUntil(async () => (await countSelected(worker.store, delivered)) === 30);
      await isDone((await make(delivered)).id);
      await crm.waitFor(30 * round);
    }
    expect(new Set(ids(crm.requests)).size).toBe(30);
    expect(crm.requests).toHaveLength(90);
  });
});
