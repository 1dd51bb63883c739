import { HOUR_MS } from '@clickrelay/core';
import { waitUntil } from '@clickrelay/testkit';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { countLogBytes } from '../../test/count-log-bytes.ts';
import { newConversations, newEvent } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { createEventLog, type EventLog } from './append.ts';
import { listEvents } from './list-events.ts';
import { readLogBytes } from './retention.ts';

const TTL_MS = 72 * HOUR_MS;

const { store } = useStore();
let log: EventLog;

beforeEach(() => {
  log = createEventLog(store, { dedupeTtlMs: TTL_MS });
});

describe('the duplicate window', () => {
  const third = fc.integer({ min: 1, max: 100_000_000 });
  const at = fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 });
  const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  it('is never shorter than its time to live', async () => {
    await fc.assert(
      fc.asyncProperty(third, at, part, async (thirdMs, firstMs, share) => {
        const window = createEventLog(store, { dedupeTtlMs: 3 * thirdMs });
        const event = newEvent();
        expect(await window.append('m1', [event], firstMs)).toEqual(['new']);
        expect(await window.append('m2', [event], firstMs + Math.floor(3 * thirdMs * share))).toEqual(['seen']);
      }),
      { numRuns: 150 },
    );
  });

  it('is at most a third longer, and ends again after the second time', async () => {
    await fc.assert(
      fc.asyncProperty(third, at, fc.nat(1_000_000), part, async (thirdMs, firstMs, laterMs, share) => {
        const window = createEventLog(store, { dedupeTtlMs: 3 * thirdMs });
        const event = newEvent();
        const secondMs = firstMs + 4 * thirdMs + laterMs;
        expect(await window.append('m1', [event], firstMs)).toEqual(['new']);
        expect(await window.append('m2', [event], secondMs)).toEqual(['new']);
        expect(await window.append('m3', [event], secondMs + Math.floor(3 * thirdMs * share))).toEqual(['seen']);
      }),
      { numRuns: 150 },
    );
  });

  it('holds between processes whose clocks differ', async () => {
    await fc.assert(
      fc.asyncProperty(third, at, part, async (thirdMs, firstMs, share) => {
        const window = createEventLog(store, { dedupeTtlMs: 3 * thirdMs });
        const event = newEvent();
        expect(await window.append('m1', [event], firstMs)).toEqual(['new']);
        expect(await window.append('m2', [event], firstMs - Math.floor(thirdMs * share))).toEqual(['seen']);
      }),
      { numRuns: 150 },
    );
  });

  it('takes an event again after it is over, and counts its bytes once', async () => {
    const short = createEventLog(store, { dedupeTtlMs: 300 });
    const event = newEvent();
    const startedAt = performance.now();
    expect(await short.append('m1', [event], Date.now())).toEqual(['new']);
    await waitUntil(async () => (await short.append('m2', [event], Date.now()))[0] === 'new', { everyMs: 5 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(300);
    expect((await listEvents(store, { limit: 10 })).items).toEqual([event]);
    expect((await readLogBytes(store)).total).toBe(await countLogBytes(store));
  });

  it('leaves nothing behind in Redis', async () => {
    await log.append('m1', newConversations(100), Date.now());
    const keys = await store.redis.keys('*:seen:*');
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      const left = await store.redis.pttl(key);
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(2 * TTL_MS);
    }
    const short = createEventLog(store, { dedupeTtlMs: 300 });
    await short.append('m2', newConversations(100), Date.now());
    await waitUntil(async () => (await store.redis.keys('*:seen:*')).every((key) => keys.includes(key)));
  });

  it('outlives the last event of a generation by its time to live', async () => {
    // The hash expires as a whole: its first field must not take the last one with it.
    await log.append('m1', [newEvent()], Date.now());
    const [key] = await store.redis.keys('*:seen:*');
    expect(await store.redis.pttl(key as string)).toBeGreaterThanOrEqual((TTL_MS / 3) * 4);
  });
});
