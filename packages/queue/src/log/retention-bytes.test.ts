import { type LoggedEvent, shardOf } from '@clickrelay/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countLogBytes } from '../../test/count-log-bytes.ts';
import { idsOf, newConversations, newEventOf, newEvents } from '../../test/sample-events.ts';
import { KEEP, NOW, useRetention } from '../../test/use-retention.ts';
import { createAttemptLog } from '../deliveries/attempt-log.ts';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { eventKeys, shardKeys } from '../redis/names.ts';
import { createEventLog } from './append.ts';
import { readLogBytes } from './retention.ts';
import { readTrimmedEarly } from './trimmed-early.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const { left, logAgo, put, store, trim } = useRetention();

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

  it('tells how many events left before their time, and none of those that had expired', async () => {
    const events = newConversations(4);
    const [expired, ...young] = events as [LoggedEvent, ...LoggedEvent[]];
    await logAgo(25 * HOUR, expired);
    await logAgo(2 * HOUR, ...young);
    const early = () => readTrimmedEarly(store, HOUR, Date.now());
    expect(await trim()).toBe(1);
    expect(await early()).toEqual({ events: 0, lastAt: null });
    const before = Date.now();
    expect(await trim({ eventBytes: 0 })).toBe(3);
    const { events: count, lastAt } = await early();
    expect(count).toBe(3);
    expect(Math.abs((lastAt ?? 0) - before)).toBeLessThanOrEqual(MINUTE);
    expect(await readTrimmedEarly(store, HOUR, Date.now() + 2 * HOUR)).toEqual({ events: 0, lastAt });
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
