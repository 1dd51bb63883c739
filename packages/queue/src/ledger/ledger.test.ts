import {
  addLedgers,
  type DestinationLedger,
  deliveryId,
  type Ledger,
  type LoggedEvent,
  shardOf,
} from '@clickrelay/core';
import { fairNow, waitUntil } from '@clickrelay/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idsOf, newConversations, newEvent, newEvents } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { createAttemptLog } from '../deliveries/attempt-log.ts';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { removeDeadLetter } from '../deliveries/remove-dead-letter.ts';
import { replayDelivery } from '../deliveries/replay-delivery.ts';
import { pauseDestination, putDestination, removeDestination } from '../destinations/destinations.ts';
import { holdDestination } from '../destinations/holds.ts';
import { addJobs } from '../jobs/add-jobs.ts';
import { createDispatcher } from '../jobs/dispatcher.ts';
import type { Outcome } from '../jobs/outcome.ts';
import { createEventLog } from '../log/append.ts';
import { STATE_LETTERS } from '../log/delivery-states.ts';
import { trimEventLog } from '../log/retention.ts';
import { claimOf, destinationQueue, eventKeys, ingestQueue, shardKeys } from '../redis/names.ts';
import { type LedgerOptions, readLedger, readLedgerPart } from './ledger.ts';

const HOUR = 3_600_000;

const { store } = useStore();

const put = (id: string) => putDestination(store, { id, type: 'webhook', events: ['*'], paused: null, config: {} });
const log = (events: readonly LoggedEvent[], routes: readonly string[], claim = 'm1') =>
  createEventLog(store, { dedupeTtlMs: HOUR }).append(
    claim,
    events.map((event) => ({ ...event, routes })),
    Date.now(),
  );
const attempt = async (eventId: string, destinationId: string, kind: Outcome['kind']) => {
  await createAttemptLog(store).record({
    eventId,
    destinationId,
    startedAtMs: Date.now(),
    durationMs: 1,
    outcome: kind === 'retry' ? { kind, delayMs: 60_000 } : { kind },
    status: 200,
    error: undefined,
    response: '',
  });
};
const queue = (eventId: string, destinationId: string, delayMs = 0) =>
  enqueueDeliveries(store, destinationId, [{ eventId, delayMs }]);

/** Every queued delivery of a destination ends as a dead letter. */
const buryAll = async (destinationId: string, count: number): Promise<void> => {
  const attempts = createAttemptLog(store);
  const dispatcher = createDispatcher(store, { onError: () => {} });
  dispatcher.add({
    queue: destinationQueue(destinationId),
    room: () => 10,
    run: async ({ id }) => {
      await attempts.record({
        eventId: id,
        destinationId,
        startedAtMs: Date.now(),
        durationMs: 1,
        outcome: { kind: 'dead_letter' },
        status: 400,
        error: undefined,
        response: '',
      });
      return { kind: 'dead_letter', reason: 'answered 400' };
    },
  });
  await waitUntil(async () => (await store.queue(destinationQueue(destinationId)).getFailedCount()) === count);
  await dispatcher.close(1_000);
};

const rowOf = ({ destinations }: Ledger, id = 'crm'): Partial<DestinationLedger> | undefined => {
  const row = destinations.find((one) => one.id === id);
  // Zeros say nothing.
  return row && Object.fromEntries(Object.entries(row).filter(([, value]) => value !== 0 && value !== id));
};
const read = (options: LedgerOptions = {}) => readLedger(store, options);

describe('the ledger', () => {
  it('is empty, and balances, when nothing came', async () => {
    await put('crm');
    expect(await read()).toMatchObject({
      events: 0,
      unrouted: 0,
      completeSince: null,
      balanced: true,
      destinations: [],
    });
  });

  it('has each delivery in one column, and the columns add up', async () => {
    const events = newConversations(8);
    const [delivered, waiting, retried, dead, given, everywhere, nowhere, parked] = idsOf(events) as string[];
    for (const id of ['crm', 'archive', 'slow']) await put(id);
    await log(events.slice(0, 5), ['crm']);
    await log(events.slice(5, 6), ['archive', 'crm']);
    await log(events.slice(6, 7), []);
    await log(events.slice(7), ['slow']);
    for (const id of [dead, given]) await queue(id as string, 'crm');
    await buryAll('crm', 2);
    await removeDeadLetter(store, deliveryId(given as string, 'crm'));
    await attempt(delivered as string, 'crm', 'delivered');
    await queue(waiting as string, 'crm');
    await attempt(retried as string, 'crm', 'retry');
    await queue(retried as string, 'crm', 60_000);
    await attempt(everywhere as string, 'crm', 'delivered');
    await queue(everywhere as string, 'archive');
    await queue(parked as string, 'slow');
    await pauseDestination(store, 'slow', 'moving house');

    const ledger = await read();
    expect(ledger).toMatchObject({ events: 8, unrouted: 1, balanced: true });
    expect(nowhere).toBeDefined();
    expect(rowOf(ledger)).toEqual({
      accepted: 6,
      delivered: 2,
      pending: 2,
      retrying: 1,
      dead: 1,
      removed: 1,
      differing: [],
    });
    expect(rowOf(ledger, 'archive')).toEqual({ accepted: 1, pending: 1, differing: [] });
    expect(rowOf(ledger, 'slow')).toEqual({ accepted: 1, parked: 1, differing: [] });
    expect((await read({ destinationId: 'slow' })).destinations.map(({ id }) => id)).toEqual(['slow']);

    await holdDestination(store, 'archive', { reason: 'failing', until: Date.now() + 60_000 });
    expect(rowOf(await read(), 'archive')).toMatchObject({ parked: 1 });
  });

  it('names what nobody will ever send, and a replay mends it', async () => {
    const [lost, jobless, buried, fine] = newConversations(4) as [LoggedEvent, LoggedEvent, LoggedEvent, LoggedEvent];
    await put('crm');
    await log([lost, jobless, buried, fine], ['crm']);
    await queue(jobless.event.id, 'crm');
    await queue(fine.event.id, 'crm');
    await store.queue(destinationQueue('crm')).remove(jobless.event.id);
    await attempt(buried.event.id, 'crm', 'dead_letter');

    const ledger = await read();
    expect(ledger.balanced).toBe(false);
    expect(rowOf(ledger)).toMatchObject({ accepted: 4, pending: 1, unaccounted: 3 });
    const of = ({ event }: LoggedEvent, problem: string) => ({
      deliveryId: deliveryId(event.id, 'crm'),
      eventId: event.id,
      problem,
    });
    expect(ledger.destinations[0]?.differing).toHaveLength(3);
    expect(ledger.destinations[0]?.differing).toEqual(
      expect.arrayContaining([of(lost, 'never_queued'), of(jobless, 'no_job'), of(buried, 'no_dead_letter')]),
    );

    for (const { deliveryId: id } of ledger.destinations[0]?.differing ?? []) {
      expect(await replayDelivery(store, id)).toBe('replayed');
    }
    expect(rowOf(await read())).toEqual({ accepted: 4, pending: 4, retrying: 1, differing: [] });
  });

  it('counts what its group of callbacks has still in hand as pending', async () => {
    const event = newEvent();
    await put('crm');
    await addJobs(store, ingestQueue('messages'), [{ data: {} }]);
    const [job] = await store.queue(ingestQueue('messages')).getJobs();
    await log([event], ['crm'], claimOf(ingestQueue('messages'), job?.id as string));
    expect(rowOf(await read())).toEqual({ accepted: 1, pending: 1, differing: [] });
    await job?.remove();
    expect(rowOf(await read())).toMatchObject({ accepted: 1, unaccounted: 1 });
  });

  it('does not take for lost what is written down while it looks', async () => {
    const [first, second] = newConversations(2) as [LoggedEvent, LoggedEvent];
    await put('crm');
    await log([first, second], ['crm']);
    const reading = read();
    setTimeout(() => void attempt(first.event.id, 'crm', 'delivered'), 50);
    setTimeout(() => void queue(second.event.id, 'crm'), 50);
    expect(rowOf(await reading)).toEqual({ accepted: 2, delivered: 1, pending: 1, differing: [] });
  });

  it('owes nothing to a destination that was removed, nor to a later one of the same name', async () => {
    const [owed, done, later] = newConversations(3) as [LoggedEvent, LoggedEvent, LoggedEvent];
    await put('crm');
    await log([owed, done], ['crm']);
    await queue(owed.event.id, 'crm');
    await attempt(done.event.id, 'crm', 'delivered');
    await removeDestination(store, 'crm');
    const expected = { accepted: 2, delivered: 1, removed: 1, differing: [] };
    expect(rowOf(await read())).toEqual(expected);
    await put('crm');
    expect(rowOf(await read())).toEqual(expected);
    await log([later], ['crm']);
    expect(rowOf(await read())).toMatchObject({ accepted: 3, unaccounted: 1 });
  });

  it('still knows what was delivered when retention has dropped the attempts, and says what has left the log', async () => {
    const [old, older, lost] = newConversations(3) as [LoggedEvent, LoggedEvent, LoggedEvent];
    await put('crm');
    await store.redis.hset('cr:{registry}:since', 'crm', 1);
    await log([old, older, lost], ['crm']);
    const nowMs = Date.now();
    const at = async (agoMs: number, { event }: LoggedEvent) => {
      const { log: key } = shardKeys(shardOf(event.id));
      await store.redis.zadd(key, String((nowMs - agoMs) * 1_000), event.id);
    };
    await at(12 * HOUR, old);
    await at(36 * HOUR, older);
    await at(12 * HOUR, lost);
    await attempt(old.event.id, 'crm', 'delivered');
    await attempt(older.event.id, 'crm', 'delivered');
    expect(rowOf(await read())).toMatchObject({ accepted: 3, delivered: 2, unaccounted: 1 });
    await trimEventLog(store, { eventsMs: 24 * HOUR, eventBytes: 1e9, deliveriesMs: 6 * HOUR }, nowMs);
    expect(await store.redis.exists(eventKeys(old.event.id).deliveries)).toBe(0);
    const ledger = await read();
    expect(rowOf(ledger)).toMatchObject({ accepted: 2, delivered: 1, unaccounted: 1 });
    expect(ledger.completeSince).toBe(new Date(nowMs - 36 * HOUR + 1).toISOString());
  });

  it('is of a time span: from its first millisecond on, and before its last', async () => {
    const events = newConversations(3);
    await put('crm');
    await log(events, ['crm']);
    for (const [index, { event }] of events.entries()) {
      await store.redis.zadd(shardKeys(shardOf(event.id)).log, String((1_000 + index) * 1_000), event.id);
    }
    const count = async (from?: number, to?: number) =>
      (await read({ from: from ? new Date(from) : undefined, to: to ? new Date(to) : undefined })).events;
    expect([await count(), await count(1_001), await count(1_001, 1_002), await count(1_003)]).toEqual([3, 2, 1, 0]);
  });

  it('passes over none of more events of one microsecond than it reads at once', async () => {
    const events = newEvents(700, 'moText', { from: '1', to: '2' });
    await log(events, []);
    const { log: key } = shardKeys(shardOf(events[0]?.event.id as string));
    const [first, ...others] = idsOf(events) as [string, ...string[]];
    await store.redis.zadd(key, '4', first, ...others.slice(0, 600).flatMap((id) => ['5', id]));
    expect((await read()).events).toBe(700);
    expect((await readLedgerPart(store, { maxEvents: 1 })).events).toBe(601);
  });

  it('is the same in however small parts it is read', async () => {
    const events = newConversations(400);
    await put('crm');
    await store.redis.hset('cr:{registry}:since', 'crm', 1);
    await log(events, ['crm']);
    for (const id of idsOf(events.slice(0, 395))) void attempt(id, 'crm', 'delivered');
    await waitUntil(async () => rowOf(await read())?.delivered === 395);
    const parts = [];
    let progress = 0;
    for (let cursor: string | null | undefined; cursor !== null; cursor = parts.at(-1)?.next ?? null) {
      const part = await readLedgerPart(store, { cursor, maxEvents: 1, to: new Date() });
      expect(part.progress).toBeGreaterThanOrEqual(progress);
      progress = part.progress;
      parts.push(part);
    }
    expect(parts.length).toBeGreaterThan(30);
    const { to: _, ...sum } = addLedgers(parts);
    expect(sum).toMatchObject({ events: 400, balanced: false });
    expect(rowOf(sum as Ledger)).toMatchObject({ accepted: 400, delivered: 395, unaccounted: 5 });
    expect(sum.destinations[0]?.differing).toHaveLength(5);
  });

  it('agrees with a model, whatever happens to deliveries, and its columns always add up', async () => {
    const fates = ['delivered', 'waiting', 'retrying', 'lost', 'jobless', 'dead letter of nobody', 'given up'] as const;
    const one = fc.record({ crm: fc.option(fc.constantFrom(...fates)), archive: fc.option(fc.constantFrom(...fates)) });
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 12 }), fc.boolean(), async (entries, isPaused) => {
        await store.redis.flushall();
        await put('crm');
        await put('archive');
        if (isPaused) await pauseDestination(store, 'crm', 'test');
        const events = newConversations(entries.length);
        for (const [index, fate] of entries.entries()) {
          const event = events[index] as LoggedEvent;
          const routes = (['crm', 'archive'] as const).filter((id) => fate[id] !== null);
          await log([event], routes);
          const { id } = event.event;
          for (const destination of routes) {
            const of = fate[destination];
            if (of === 'delivered') await attempt(id, destination, 'delivered');
            if (of === 'retrying') await attempt(id, destination, 'retry');
            if (of === 'waiting' || of === 'retrying' || of === 'jobless') await queue(id, destination);
            if (of === 'jobless') await store.queue(destinationQueue(destination)).remove(id);
            if (of === 'dead letter of nobody') await attempt(id, destination, 'dead_letter');
            if (of === 'given up')
              await store.redis.hset(eventKeys(id).deliveries, destination, STATE_LETTERS.given_up);
          }
        }
        const ledger = await read();
        for (const destination of ['crm', 'archive'] as const) {
          const of = (...some: (string | null)[]) => entries.filter((fate) => some.includes(fate[destination])).length;
          const row = ledger.destinations.find(({ id }) => id === destination);
          const accepted = entries.filter((fate) => fate[destination] !== null).length;
          expect(row === undefined).toBe(accepted === 0);
          if (row === undefined) continue;
          const open = of('waiting', 'retrying');
          expect({ ...row, differing: row.differing.length }).toEqual({
            id: destination,
            accepted,
            delivered: of('delivered'),
            pending: isPaused && destination === 'crm' ? 0 : open,
            parked: isPaused && destination === 'crm' ? open : 0,
            retrying: of('retrying'),
            dead: 0,
            removed: of('given up'),
            unaccounted: of('lost', 'jobless', 'dead letter of nobody'),
            differing: of('lost', 'jobless', 'dead letter of nobody'),
          });
          const { delivered, pending, parked, dead, removed, unaccounted } = row;
          expect(delivered + pending + parked + dead + removed + unaccounted).toBe(accepted);
        }
        expect(ledger.unrouted).toBe(entries.filter(({ crm, archive }) => crm === null && archive === null).length);
      }),
      { numRuns: 15 },
    );
  });

  it('of twenty thousand events takes no time to speak of', async () => {
    await put('crm');
    for (let n = 0; n < 20; n++) {
      const events = newConversations(1_000);
      await log(events, ['crm']);
      const states = store.redis.pipeline();
      for (const id of idsOf(events)) states.hset(eventKeys(id).deliveries, 'crm', 'd', 'crm#1', '["d",12,200]');
      await states.exec();
    }
    const startedAt = fairNow();
    expect(rowOf(await read())).toMatchObject({ accepted: 20_000, delivered: 20_000 });
    const ms = fairNow() - startedAt;
    console.log(`the ledger of 20,000 events took ${Math.round(ms)} ms`);
    expect(ms).toBeLessThan(15_000);
  });
});
