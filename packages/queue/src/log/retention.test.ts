import { type LoggedEvent, shardOf } from '@clickrelay/core';
import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { countLogBytes } from '../../test/count-log-bytes.ts';
import { idsOf, newConversations, newEvent, newEvents } from '../../test/sample-events.ts';
import { KEEP, NOW, useRetention } from '../../test/use-retention.ts';
import { createAttemptLog } from '../deliveries/attempt-log.ts';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { listDeliveries } from '../deliveries/read-deliveries.ts';
import { removeDeadLetter } from '../deliveries/remove-dead-letter.ts';
import { removeDestination } from '../destinations/destinations.ts';
import { createDispatcher } from '../jobs/dispatcher.ts';
import type { Outcome } from '../jobs/outcome.ts';
import { destinationQueue, shardKeys } from '../redis/names.ts';
import { createEventLog } from './append.ts';
import { listEvents } from './list-events.ts';
import { readEvent } from './read-event.ts';
import { readLogBytes, startRetention, trimEventLog } from './retention.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const { left, logAgo, put, store, trim } = useRetention();

const attempt = (eventId: string, outcome: Outcome['kind'], destinationId = 'crm') =>
  createAttemptLog(store).record({
    eventId,
    destinationId,
    startedAtMs: NOW,
    durationMs: 1,
    outcome: outcome === 'retry' ? { kind: outcome, delayMs: 1 } : { kind: outcome },
    status: 200,
    error: undefined,
    response: '',
  });

describe('an event', () => {
  it('is removed with everything about it when its time is over, and not before', async () => {
    const [old, young] = newConversations(2) as [LoggedEvent, LoggedEvent];
    await logAgo(24 * HOUR + 1, old);
    await logAgo(24 * HOUR - 1, young);
    await put('crm');
    await attempt(old.event.id, 'delivered');
    await attempt(young.event.id, 'delivered');
    expect(await trim()).toBe(1);
    expect(await left([old, young])).toEqual([young.event.id]);
    expect(await listDeliveries(store, old.event.id)).toEqual([]);
    expect(await store.redis.keys(`*${old.event.id}*`)).toEqual([]);
    expect((await listEvents(store, { limit: 10 })).items).toEqual([young]);
    expect(await trim()).toBe(0);
  });

  it('that is still owed to a living destination stays, however old', async () => {
    const events = newConversations(5);
    const [pending, retried, dead, delivered, both] = idsOf(events) as [string, string, string, string, string];
    await logAgo(1_000 * HOUR, ...events);
    await put('crm');
    await put('archive');
    await enqueueDeliveries(store, 'crm', [{ eventId: pending }]);
    await attempt(retried, 'retry');
    await attempt(dead, 'dead_letter');
    await attempt(delivered, 'delivered');
    await attempt(both, 'delivered');
    await attempt(both, 'dead_letter', 'archive');
    const nothing = { eventsMs: 0, eventBytes: 0, deliveriesMs: 0 };
    expect(await trim(nothing)).toBe(1);
    expect(await left(events)).toEqual([pending, retried, dead, both]);
    expect((await listDeliveries(store, both)).map(({ state }) => state)).toEqual(['dead_letter', 'delivered']);
    expect(await trim(nothing)).toBe(0);

    await attempt(pending, 'delivered');
    expect(await trim(nothing)).toBe(1);
    expect(await left(events)).toEqual([retried, dead, both]);
    expect((await readLogBytes(store)).total).toBe(await countLogBytes(store));
  });

  it('whose dead letter was given up is removed', async () => {
    const [event] = newEvents(1) as [LoggedEvent];
    const { id } = event.event;
    await logAgo(1_000 * HOUR, event);
    await put('crm');
    await enqueueDeliveries(store, 'crm', [{ eventId: id }]);
    await attempt(id, 'dead_letter');
    const dispatcher = createDispatcher(store, { onError: () => {} });
    dispatcher.add({
      queue: destinationQueue('crm'),
      room: () => 1,
      run: async () => ({ kind: 'dead_letter', reason: 'answered 400' }),
    });
    await waitUntil(async () => (await store.queue(destinationQueue('crm')).getFailedCount()) === 1);
    await dispatcher.close(1_000);
    expect(await trim()).toBe(0);
    expect(await removeDeadLetter(store, `dlv_crm_${id.slice(4)}`)).toBe(true);
    expect(await trim()).toBe(1);
  });

  it('that is owed only to a removed destination is removed', async () => {
    const events = newConversations(2);
    const [removed, living] = idsOf(events) as [string, string];
    await logAgo(1_000 * HOUR, ...events);
    await put('crm');
    await put('archive');
    await enqueueDeliveries(store, 'archive', [{ eventId: removed }]);
    await enqueueDeliveries(store, 'crm', [{ eventId: living }]);
    expect(await trim()).toBe(0);
    await removeDestination(store, 'archive');
    expect(await trim()).toBe(1);
    expect(await left(events)).toEqual([living]);
    await removeDestination(store, 'crm');
    expect(await trim()).toBe(1);
    expect((await readLogBytes(store)).total).toBe(0);
  });

  it('that was logged within the last minute stays, however full the log: it may not be routed yet', async () => {
    const [fresh, settled] = newConversations(2) as [LoggedEvent, LoggedEvent];
    await logAgo(MINUTE - 1, fresh);
    await logAgo(MINUTE + 1, settled);
    expect(await trim({ eventsMs: 0, eventBytes: 0 })).toBe(1);
    expect(await left([fresh, settled])).toEqual([fresh.event.id]);
  });
});

describe('an event that was routed and of whose delivery nothing is known', () => {
  const logRouted = async (agoMs: number, event: LoggedEvent, routes: string[]) => {
    await createEventLog(store, { dedupeTtlMs: HOUR }).append('m1', [{ ...event, routes }], Date.now());
    await store.redis.zadd(shardKeys(shardOf(event.event.id)).log, String((NOW - agoMs) * 1_000), event.event.id);
  };
  /** As if the destination had been put then. */
  const putAgo = async (agoMs: number, id: string) => {
    await put(id);
    await store.redis.hset('cr:{registry}:since', id, (NOW - agoMs) * 1_000);
  };

  it('is owed: it stays, however old, until the delivery has ended', async () => {
    const [lost, half] = newConversations(2) as [LoggedEvent, LoggedEvent];
    await putAgo(2_000 * HOUR, 'crm');
    await putAgo(2_000 * HOUR, 'archive');
    await logRouted(1_000 * HOUR, lost, ['crm']);
    await logRouted(1_000 * HOUR, half, ['archive', 'crm']);
    await attempt(half.event.id, 'delivered', 'archive');
    expect(await trim({ eventBytes: 0 })).toBe(0);
    expect(await listDeliveries(store, half.event.id)).toHaveLength(1);
    await attempt(half.event.id, 'delivered');
    expect(await trim()).toBe(1);
    expect(await left([lost, half])).toEqual([lost.event.id]);
    await removeDestination(store, 'crm');
    expect(await trim()).toBe(1);
  });

  it('is not owed to a destination of the same name that came later', async () => {
    const event = newEvent();
    await putAgo(2 * HOUR, 'crm');
    await logRouted(1_000 * HOUR, event, ['crm']);
    expect(await trim()).toBe(1);
  });

  it('is told from one whose deliveries were dropped because all had ended', async () => {
    const event = newEvent();
    await putAgo(1_000 * HOUR, 'crm');
    await logRouted(20 * HOUR, event, ['crm']);
    await attempt(event.event.id, 'delivered');
    expect(await trim()).toBe(0);
    expect(await listDeliveries(store, event.event.id)).toEqual([]);
    expect(await readEvent(store, event.event.id)).toEqual(event);
    expect(await trim({ eventsMs: HOUR })).toBe(1);
    expect((await readLogBytes(store)).total).toBe(0);
  });
});

describe('the attempts of an event that is owed to nobody', () => {
  it('go before it does', async () => {
    const [old, young] = newConversations(2) as [LoggedEvent, LoggedEvent];
    await logAgo(12 * HOUR + 1, old);
    await logAgo(12 * HOUR - 1, young);
    await put('crm');
    await attempt(old.event.id, 'delivered');
    await attempt(young.event.id, 'delivered');
    expect(await trim()).toBe(0);
    expect(await left([old, young])).toEqual(idsOf([old, young]));
    expect(await listDeliveries(store, old.event.id)).toEqual([]);
    expect((await listDeliveries(store, young.event.id))[0]?.attempts).toHaveLength(1);
  });

  it('stay with it while it is owed to another', async () => {
    const [event] = newEvents(1) as [LoggedEvent];
    await logAgo(20 * HOUR, event);
    await put('crm');
    await put('archive');
    await attempt(event.event.id, 'delivered');
    await attempt(event.event.id, 'dead_letter', 'archive');
    await trim();
    expect((await listDeliveries(store, event.event.id)).map(({ state }) => state)).toEqual([
      'dead_letter',
      'delivered',
    ]);
  });
});

describe('trimming', () => {
  it('ends, with nothing, with one, and with more than a batch', async () => {
    expect(await trim()).toBe(0);
    await logAgo(48 * HOUR, newEvent());
    expect(await trim()).toBe(1);
    const many = newEvents(1_203, 'moText', { from: '1', to: '2' });
    await createEventLog(store, { dedupeTtlMs: HOUR }).append('m1', many, Date.now());
    expect(await trimEventLog(store, KEEP, Date.now() + 48 * HOUR)).toBe(1_203);
    expect(await left(many)).toEqual([]);
    expect(await readLogBytes(store)).toMatchObject({ total: 0 });
  });

  it('gets past more than a batch of events that must stay', async () => {
    const owed = newEvents(1_100, 'moText', { from: '1', to: '2' });
    const [free] = newEvents(1, 'moText', { from: '1', to: '2' }) as [LoggedEvent];
    await put('crm');
    await createEventLog(store, { dedupeTtlMs: HOUR }).append('m1', [...owed, free], Date.now());
    await enqueueDeliveries(
      store,
      'crm',
      idsOf(owed).map((eventId) => ({ eventId })),
    );
    expect(await trimEventLog(store, KEEP, Date.now() + 48 * HOUR)).toBe(1);
    expect(await left([free])).toEqual([]);
  });

  it('reaches all events of one microsecond, those beyond a batch in the next rounds', async () => {
    const events = newEvents(1_100, 'moText', { from: '1', to: '2' });
    await createEventLog(store, { dedupeTtlMs: HOUR }).append('m1', events, Date.now());
    const { log } = shardKeys(shardOf(events[0]?.event.id as string));
    await store.redis.zadd(log, ...idsOf(events).flatMap((id) => ['5', id]));
    let removed = await trim();
    for (let round = 0; round < 3; round++) removed += await trim();
    expect(removed).toBe(1_100);
  });

  it('runs regularly, and not while another process does it', async () => {
    const events = newConversations(3);
    await createEventLog(store, { dedupeTtlMs: HOUR }).append('m1', events, Date.now());
    for (const { event } of events) {
      await store.redis.zadd(shardKeys(shardOf(event.id)).log, String((Date.now() - 48 * HOUR) * 1_000), event.id);
    }
    const errors: unknown[] = [];
    const options = { everyMs: 20, onError: (error: unknown) => errors.push(error) };
    const turn = 'cr:{registry}:trimming';
    await store.redis.set(turn, 'another process');
    const asked = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await store.redis.info('commandstats'))?.[1] ?? 0);
    const before = await asked();
    const retentions = [startRetention(store, KEEP, options), startRetention(store, KEEP, options)];
    await waitUntil(async () => (await asked()) >= before + 6);
    expect(await left(events)).toHaveLength(3);
    await store.redis.del(turn);
    await waitUntil(async () => (await left(events)).length === 0);
    for (const retention of retentions) retention.stop();
    expect(errors).toEqual([]);
  });

  it('that fails is reported, and runs again the next time', async () => {
    await createEventLog(store, { dedupeTtlMs: HOUR }).append('m1', newConversations(1), Date.now());
    await store.redis.set('cr:{registry}:destinations', 'not a hash');
    const errors: Error[] = [];
    const retention = startRetention(store, KEEP, { everyMs: 20, onError: (error) => errors.push(error as Error) });
    await waitUntil(() => errors.length >= 2);
    expect(errors[0]?.message).toContain('WRONGTYPE');
    retention.stop();
  });
});
