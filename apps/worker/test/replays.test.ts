import {
  countSelected,
  createReplay,
  type DeliverySelection,
  listDeadLetters,
  listEvents,
  listFailedAgain,
  readReplay,
  setReplayState,
} from '@clickrelay/queue';
import { sampleCallback } from '@clickrelay/simulator';
import { type Destination, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const worker = useWorker();

const DEAD: DeliverySelection = { state: 'dead_letter' };
const countOf = async (selection: DeliverySelection) => (await countSelected(worker.store, selection)).matched;
const ids = (requests: Destination['requests']) => requests.map(({ headers }) => headers['webhook-id'] as string);

/** A destination that refuses everything once, so that each event is a dead letter. */
const addDead = async (count: number, type: 'moText' | 'messageStatusUpdate' = 'moText'): Promise<Destination> => {
  const crm = await worker.addDestination('crm', 500, { config: { retrySchedule: '0s' } });
  await worker.start();
  for (let at = 0; at < count; at += 200) {
    await worker.commit(...Array.from({ length: Math.min(200, count - at) }, () => sampleCallback(type)));
  }
  await waitUntil(async () => (await countOf(DEAD)) === count, { timeoutMs: 60_000 });
  crm.answerWith(200);
  return crm;
};

const make = (selection: DeliverySelection, rate: string | null = null) =>
  createReplay(worker.store, { selection, rate, by: 'test' }, Date.now() + 1);
const isDone = (id: string) =>
  waitUntil(async () => (await readReplay(worker.store, id))?.state === 'done', { timeoutMs: 60_000 });

describe('a replay of many', () => {
  it('sends every dead letter again once, with its id, and reports its progress', async () => {
    const crm = await addDead(250);
    const first = new Set(ids(crm.requests));
    crm.requests.length = 0;
    const { id, matched } = await make(DEAD);
    expect(matched).toBe(250);
    await isDone(id);
    await crm.waitFor(250);
    expect(new Set(ids(crm.requests))).toEqual(first);
    expect(crm.requests).toHaveLength(250);
    expect(await readReplay(worker.store, id)).toMatchObject({ state: 'done', replayed: 250, skipped: 0, by: 'test' });
    expect((await listDeadLetters(worker.store, { limit: 1 })).items).toEqual([]);
  });

  it('keeps to its rate', async () => {
    const crm = await addDead(150);
    crm.requests.length = 0;
    const startedAt = Date.now();
    const { id } = await make(DEAD, '100/s');
    await isDone(id);
    await crm.waitFor(150);
    // The first share goes at once, 140 more at 100 a second.
    expect((crm.requests.at(-1)?.at ?? 0) - startedAt).toBeGreaterThanOrEqual(1_250);
  });

  it.each(['paused', 'cancelled'] as const)('can be %s half-way, and goes on where it stopped', async (state) => {
    const crm = await addDead(150);
    crm.requests.length = 0;
    const { id } = await make(DEAD, '25/s');
    await crm.waitFor(13);
    await setReplayState(worker.store, id, state);
    // Waits until nothing has come for half a second.
    for (let seen = -1; seen < crm.requests.length; await new Promise((resolve) => setTimeout(resolve, 500))) {
      seen = crm.requests.length;
    }
    expect(crm.requests.length).toBeLessThan(150);
    await setReplayState(worker.store, id, 'running');
    await isDone(id);
    await crm.waitFor(150);
    expect(new Set(ids(crm.requests)).size).toBe(150);
    expect(crm.requests).toHaveLength(150);
  });

  it('continues in another worker when the one that ran it stops', async () => {
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

  it('does not send a delivery twice that fails again meanwhile', async () => {
    const crm = await addDead(20);
    crm.answerWith(500);
    crm.requests.length = 0;
    const { id } = await make(DEAD);
    await isDone(id);
    await waitUntil(async () => (await countOf(DEAD)) === 20);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(crm.requests).toHaveLength(20);
  });

  it('takes only what the type, time and filter choose', async () => {
    const crm = await addDead(5);
    crm.answerWith(500);
    await worker.commit(...Array.from({ length: 7 }, () => sampleCallback('messageStatusUpdate')));
    await waitUntil(async () => (await countOf(DEAD)) === 12);
    const countDead = (selection: Partial<DeliverySelection>) => countOf({ ...DEAD, ...selection });
    expect(await countDead({ kind: 'refused' })).toBe(12);
    expect(await countDead({ kind: 'not_built' })).toBe(0);
    expect(await countDead({ events: ['mo*'] })).toBe(5);
    expect(await countDead({ filter: "event.type == 'messageStatusUpdate'" })).toBe(7);
    expect(await countDead({ since: Date.now() + 10_000 })).toBe(0);
    expect(await countDead({ until: Date.now() - 60_000 })).toBe(0);
    expect(await countDead({ destinationId: 'crm' })).toBe(12);
    expect(await countDead({ destinationId: 'nowhere' })).toBe(0);
  });

  it('sends delivered events again, and once more for each further replay', async () => {
    const crm = await worker.addDestination('crm');
    await worker.start();
    await worker.commit(...Array.from({ length: 30 }, () => sampleCallback('moText')));
    await crm.waitFor(30);
    const delivered: DeliverySelection = { state: 'delivered', destinationId: 'crm' };
    for (const round of [2, 3]) {
      await waitUntil(async () => (await countOf(delivered)) === 30);
      await isDone((await make(delivered)).id);
      await crm.waitFor(30 * round);
    }
    expect(new Set(ids(crm.requests)).size).toBe(30);
    expect(crm.requests).toHaveLength(90);
  });

  it('takes the named deliveries, or all that match except the named ones', async () => {
    const crm = await addDead(12);
    const [one, two, ...rest] = (await listDeadLetters(worker.store, { limit: 50 })).items;
    const named = [one?.deliveryId ?? '', two?.deliveryId ?? '', 'rubbish', `dlv_gone_${one?.eventId.slice(4)}`];
    crm.requests.length = 0;
    const { id, matched, counted } = await make({ ...DEAD, deliveries: named });
    expect([matched, counted.leftOut]).toEqual([
      2,
      [
        { reason: 'destination_gone', count: 1 },
        { reason: 'unknown', count: 1 },
      ],
    ]);
    await isDone(id);
    await crm.waitFor(2);
    expect(new Set(ids(crm.requests))).toEqual(new Set([one?.eventId, two?.eventId]));

    const except = rest.slice(0, 4).map(({ deliveryId }) => deliveryId);
    crm.requests.length = 0;
    const others = await make({ ...DEAD, except: [...except, named[0] ?? ''] });
    expect([others.matched, others.counted.leftOut]).toEqual([6, [{ reason: 'excepted', count: 4 }]]);
    await isDone(others.id);
    await crm.waitFor(6);
    const left = (await listDeadLetters(worker.store, { limit: 50 })).items;
    expect(new Set(left.map(({ deliveryId }) => deliveryId))).toEqual(new Set(except));
    // One was delivered in the meantime: the replay that names it says so, and does not send it twice.
    await waitUntil(async () => (await readReplay(worker.store, id))?.delivered === 2);
    const again = await countSelected(worker.store, { ...DEAD, deliveries: named.slice(0, 2) });
    expect(again).toMatchObject({ matched: 0, leftOut: [{ reason: 'delivered', count: 2 }] });
  });

  it.each(['paused', 'cancelled'] as const)(
    'that is %s stays so in the next worker, and can be let go on',
    async (state) => {
      const crm = await addDead(60);
      crm.requests.length = 0;
      const { id } = await make(DEAD, '20/s');
      await crm.waitFor(4);
      await setReplayState(worker.store, id, state);
      await worker.stop();
      await worker.start();
      // Meanwhile a later replay is carried out.
      const other = await make({ ...DEAD, since: Date.now() + 60_000 });
      await isDone(other.id);
      const held = await readReplay(worker.store, id);
      expect([held?.state, held?.matched]).toEqual([state, 60]);
      expect(held?.replayed).toBeLessThan(60);
      await setReplayState(worker.store, id, 'running');
      await isDone(id);
      await crm.waitFor(60);
      expect(new Set(ids(crm.requests)).size).toBe(60);
      expect(crm.requests).toHaveLength(60);
      await setReplayState(worker.store, id, state);
      expect((await readReplay(worker.store, id))?.state).toBe('done');
    },
  );

  it('counts what was delivered and what failed again, and keeps the list of the failures', async () => {
    const crm = await addDead(9);
    const failing = new Set(ids(crm.requests).slice(0, 3));
    crm.answerWith(({ headers }) => (failing.has(headers['webhook-id'] as string) ? 500 : 200));
    const { id } = await make(DEAD);
    const counts = async (replay = id) => {
      const { replayed, delivered, failed } = (await readReplay(worker.store, replay)) ?? {};
      return { replayed, delivered, failed };
    };
    const story = { replayed: 9, delivered: 6, failed: 3 };
    await waitUntil(async () => (await counts()).delivered === 6 && (await counts()).failed === 3);
    expect(await counts()).toEqual(story);
    const found: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await listFailedAgain(worker.store, id, { limit: 2, cursor });
      found.push(...page.items);
      cursor = page.next;
    }
    const eventIds = found.map((delivery) => `evt_${delivery.slice('dlv_crm_'.length)}`);
    expect([found.length, new Set(eventIds)]).toEqual([3, failing]);

    crm.answerWith(200);
    const second = await make(DEAD);
    await waitUntil(async () => (await counts(second.id)).delivered === 3);
    expect(await counts(second.id)).toEqual({ replayed: 3, delivered: 3, failed: 0 });
    expect([await counts(), (await listFailedAgain(worker.store, id, { limit: 9 })).items]).toEqual([story, found]);
    // Deliveries outside a replay of many leave nothing behind.
    await worker.commit(sampleCallback('moText'));
    await waitUntil(async () => (await listEvents(worker.store, { limit: 50 })).items.length === 10);
    const replayKeys = await worker.store.redis.keys('cr:{e*:replay:*');
    expect(new Set(replayKeys.map((key) => key.split(':')[3]))).toEqual(new Set([id, second.id]));
  });
});
