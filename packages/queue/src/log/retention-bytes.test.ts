import { type LoggedEvent, shardOf } from '@clickrelay/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countLogBytes } from '../../test/count-log-bytes.ts';
import { idsOf, newConversations, newEventOf, newEvents } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { createAttemptLog } from '../deliveries/attempt-log.ts';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { putDestination } from '../destinations/destinations.ts';
import { eventKeys, shardKeys } from '../redis/names.ts';
import { createEventLog } from './append.ts';
import { readEvent } from './read-event.ts';
import { type Retention, readLogBytes, trimEventLog } from './retention.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.parse('2026-03-08T12:00:00.000Z');
const KEEP: Retention = { eventsMs: 24 * HOUR, eventBytes: 1_000_000_000, deliveriesMs: 12 * HOUR };

const { store } = useStore();

const put = (id: string) => putDestination(store, { id, type: 'webhook', events: ['*'], paused: null, config: {} });

/** Logs an event as of so long ago. */
const logAgo = async (agoMs: number, ...events: LoggedEvent[]): Promise<void> => {
  await createEventLog(store, { dedupeTtlMs: HOUR }).append('m1', events, Date.now());
  for (const { event } of events) {
    await store.redis.zadd(shardKeys(shardOf(event.id)).log, String((NOW - agoMs) * 1_000), event.id);
  }
};

const trim = (more: Partial<Retention> = {}) => trimEventLog(store, { ...KEEP, ...more }, NOW);

/** Which of these every reader of the log still sees. */
const left = async (events: LoggedEvent[]): Promise<string[]> => {
  const there: string[] = [];
  const ids = new Set<string>();
  for (const { event } of events) {
    const logged = await readEvent(store, event.id);
    if (logged !== undefined) there.push(event.id);
    if ((await store.redis.zscore(shardKeys(shardOf(event.id)).log, event.id)) !== null) ids.add(event.id);
  }
  expect([...ids]).toEqual(there);
  return there;
};

describe('a log that is too large', () => {
  it('loses the oldest events of a shard first, and no more than it has to', async () => {
    const first = newEventOf(7);
    const events = [first, ...newEvents(9, 'moText', { from: first.event.from, to: first.event.to })];
    expect(new Set(idsOf(events).map(shardOf))).toEqual(new Set([7]));
    for (const [index, event] of events.entries()) await logAgo((10 - index) * HOUR, event);
    const sizes = await Promise.all(events.map(({ event }) => store.redis.strlen(eventKeys(event.id).record)));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(await trim({ eventBytes: total })).toBe(0);
    expect(await trim({ eventBytes: total - 1 })).toBe(1);
    expect(await left(events)).toEqual(idsOf(events.slice(1)));
    const keep = sizes.slice(-4).reduce((sum, size) => sum + size, 0);
    expect(await trim({ eventBytes: keep })).toBe(5);
    expect(await left(events)).toEqual(idsOf(events.slice(-4)));
    expect((await readLogBytes(store)).total).toBe(keep);
  });

  it('passes over what is owed, and takes younger events instead', async () => {
    const first = newEventOf(7);
    const events = [first, ...newEvents(4, 'moText', { from: first.event.from, to: first.event.to })];
    for (const [index, event] of events.entries()) await logAgo((10 - index) * HOUR, event);
    await put('crm');
    await enqueueDeliveries(
      store,
      'crm',
      idsOf(events.slice(0, 2)).map((eventId) => ({ eventId })),
    );
    const sizes = await Promise.all(events.map(({ event }) => store.redis.strlen(eventKeys(event.id).record)));
    const keep = (sizes[0] as number) + (sizes[1] as number) + (sizes[4] as number);
    expect(await trim({ eventBytes: keep })).toBe(2);
    expect(await left(events)).toEqual(idsOf([...events.slice(0, 2), ...events.slice(4)]));
  });

  it('never keeps more than it may, nor loses what it must keep, nor miscounts', async () => {
    const pool = newConversations(70);
    await put('crm');
    const one = fc.record({
      agoMs: fc.oneof(fc.integer({ min: 0, max: 48 * HOUR }), fc.constantFrom(0, MINUTE, 12 * HOUR, 24 * HOUR)),
      state: fc.constantFrom('none', 'delivered', 'retry', 'dead_letter', 'of a removed destination'),
    });
    const share = fc.double({ min: 0, max: 1.2, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: pool.length, size: 'max' }), share, async (entries, keepShare) => {
        await store.redis.flushall();
        await put('crm');
        const events = pool.slice(0, entries.length);
        await createEventLog(store, { dedupeTtlMs: HOUR }).append('m1', events, Date.now());
        const attempts = createAttemptLog(store);
        await Promise.all(
          entries.map(async ({ agoMs, state }, index) => {
            const { id } = (events[index] as LoggedEvent).event;
            await store.redis.zadd(shardKeys(shardOf(id)).log, String((NOW - agoMs) * 1_000), id);
            if (state === 'none') return;
            await attempts.record({
              eventId: id,
              destinationId: state === 'of a removed destination' ? 'gone' : 'crm',
              startedAtMs: NOW,
              durationMs: 1,
              outcome:
                state === 'delivered'
                  ? { kind: 'delivered' }
                  : state === 'retry'
                    ? { kind: 'retry', delayMs: 1 }
                    : { kind: 'dead_letter' },
              status: 200,
              error: undefined,
              response: '',
            });
          }),
        );
        const { total: before, perShard } = await readLogBytes(store);
        expect(before).toBe(await countLogBytes(store));
        const eventBytes = Math.floor(before * keepShare);
        const removed = await trim({ eventBytes });
        const there = new Set(await left(events));
        expect(there.size).toBe(events.length - removed);
        const after = await readLogBytes(store);
        expect(after.total).toBe(await countLogBytes(store));
        const mayGo = new Set<number>();
        for (const [index, { agoMs, state }] of entries.entries()) {
          const { id } = (events[index] as LoggedEvent).event;
          const mustStay = agoMs <= MINUTE || state === 'retry' || state === 'dead_letter';
          if (mustStay) expect(there.has(id)).toBe(true);
          else if (agoMs > KEEP.eventsMs) expect(there.has(id)).toBe(false);
          else if (eventBytes >= before) expect(there.has(id)).toBe(true);
          else if (there.has(id)) mayGo.add(shardOf(id));
        }
        // A shard above its share has nothing left that may be removed.
        for (const [shard, bytes] of after.perShard.entries()) {
          const isAbove = eventBytes < before && bytes > (perShard[shard] as number) * (eventBytes / before);
          expect(isAbove && mayGo.has(shard)).toBe(false);
        }
        expect(await trim({ eventBytes: Math.max(eventBytes, after.total) })).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});
