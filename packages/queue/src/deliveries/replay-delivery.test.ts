import { deliveryId } from '@clickrelay/core';
import { waitUntil } from '@clickrelay/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { openGraveyard } from '../../test/dead-letters.ts';
import { newEvent } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { removeDestination } from '../destinations/destinations.ts';
import { createDispatcher } from '../jobs/dispatcher.ts';
import { destinationQueue } from '../redis/names.ts';
import { createAttemptLog } from './attempt-log.ts';
import { enqueueDeliveries } from './enqueue-deliveries.ts';
import { listDeadLetters } from './list-dead-letters.ts';
import { readDelivery } from './read-deliveries.ts';
import { replayDelivery } from './replay-delivery.ts';

const { store } = useStore();
const { put, append, settleAll, bury, jobOf, stateOf } = openGraveyard(store);

describe('a replay', () => {
  let eventId: string;
  let id: string;
  beforeEach(async () => {
    await put('crm');
    const event = newEvent();
    await append([event]);
    eventId = event.event.id;
    id = deliveryId(eventId, 'crm');
  });

  it('of a dead letter sends it again from the first attempt on, and keeps the attempts that were made', async () => {
    await bury('crm', [eventId]);
    expect(await replayDelivery(store, id)).toBe('replayed');
    const job = await jobOf('crm', eventId);
    expect([await job?.getState(), job?.attemptsMade, job?.attemptsStarted, job?.data]).toEqual([
      'waiting',
      0,
      0,
      { r: 1 },
    ]);
    expect(await readDelivery(store, id)).toMatchObject({ state: 'pending', nextAttemptAt: null });
    expect((await readDelivery(store, id))?.attempts).toHaveLength(1);
    expect((await listDeadLetters(store, { limit: 10 })).items).toEqual([]);
    expect(await replayDelivery(store, id)).toBe('already_pending');
    expect(await settleAll('crm', 1, { kind: 'dead_letter', reason: 'answered 400 again' })).toEqual([eventId]);
    expect((await listDeadLetters(store, { limit: 10 })).items).toMatchObject([{ error: 'answered 400 again' }]);
    expect(await replayDelivery(store, id)).toBe('replayed');
  });

  it('of a delivered event sends it again', async () => {
    await createAttemptLog(store).record({
      eventId,
      destinationId: 'crm',
      startedAtMs: 1,
      durationMs: 1,
      outcome: { kind: 'delivered' },
      status: 200,
      error: undefined,
      response: '',
    });
    expect(await replayDelivery(store, id)).toBe('replayed');
    expect((await jobOf('crm', eventId))?.data).toEqual({ r: 1 });
    expect(await stateOf('crm', eventId)).toBe('pending');
    expect(await replayDelivery(store, id)).toBe('already_pending');
    expect(await settleAll('crm', 1, { kind: 'done' })).toEqual([eventId]);
  });

  it('of a delivery that waits or is under way changes nothing; one that waits for its retry gets it now', async () => {
    await enqueueDeliveries(store, 'crm', [{ eventId, job: { a: 1 } }]);
    expect(await replayDelivery(store, id)).toBe('already_pending');
    const whileActive: string[] = [];
    const dispatcher = createDispatcher(store, { onError: () => {} });
    dispatcher.add({
      queue: destinationQueue('crm'),
      room: () => 1,
      run: async () => {
        whileActive.push(await replayDelivery(store, id));
        return { kind: 'retry', delayMs: 60_000, reason: 'answered 503' };
      },
    });
    await waitUntil(async () => (await (await jobOf('crm', eventId))?.getState()) === 'delayed');
    await dispatcher.close(1_000);
    expect(whileActive).toEqual(['already_pending']);
    expect(await replayDelivery(store, id)).toBe('replayed');
    const job = await jobOf('crm', eventId);
    expect([await job?.getState(), job?.data]).toEqual(['waiting', { a: 1 }]);
  });

  it('that several people ask for at the same time is one', async () => {
    const replayAtOnce = async () => (await Promise.all([1, 2, 3, 4].map(() => replayDelivery(store, id)))).sort();
    await bury('crm', [eventId]);
    const ofDead = await replayAtOnce();
    expect(ofDead).toContain('replayed');
    expect(ofDead).not.toContain('not_found');
    expect(await settleAll('crm', 1, { kind: 'retry', delayMs: 60_000, reason: 'answered 503' })).toEqual([eventId]);
    expect(await replayAtOnce()).toContain('replayed');
    expect(await settleAll('crm', 1, { kind: 'done' })).toEqual([eventId]);
    expect(await replayAtOnce()).toContain('replayed');
    expect(await settleAll('crm', 1, { kind: 'done' })).toEqual([eventId]);
    expect(await jobOf('crm', eventId)).toBeUndefined();
  });

  it('of a delivery that is owed and whose job is gone makes a new one', async () => {
    await enqueueDeliveries(store, 'crm', [{ eventId }]);
    await (await jobOf('crm', eventId))?.remove();
    expect(await replayDelivery(store, id)).toBe('replayed');
    expect(await (await jobOf('crm', eventId))?.getState()).toBe('waiting');
  });

  it('of what never was delivered there is not found', async () => {
    await bury('crm', [eventId]);
    for (const unknown of [
      '',
      'rubbish',
      eventId,
      deliveryId(eventId, 'other'),
      deliveryId(newEvent().event.id, 'crm'),
    ]) {
      expect(await replayDelivery(store, unknown)).toBe('not_found');
    }
  });

  it('to a destination that was removed is not found', async () => {
    await bury('crm', [eventId]);
    await removeDestination(store, 'crm');
    expect(await replayDelivery(store, id)).toBe('not_found');
    expect(await store.redis.keys('*crm*')).toEqual([]);
  });
});
