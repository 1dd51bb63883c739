import { DAY_MS, HOUR_MS, type Lane, MINUTE_MS } from '@clickrelay/core';
import { describe, expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { shardKeys } from '../redis/names.ts';
import { createReadyMinutes, wasReadySince } from '../registry/ready-minutes.ts';
import { countInSpan, longestGap, readLaneFacts } from './lane-facts.ts';

const { openStore, store } = useStore();

const NOW = Date.parse('2026-03-30T15:30:00.000Z');
const { intake } = shardKeys(0);

const count = async (lane: Lane, at: number, callbacks: number): Promise<void> => {
  await store.redis.hset(
    `${intake}:d${Math.floor(at / DAY_MS)}`,
    `${Math.floor((at % DAY_MS) / HOUR_MS)}:${lane}`,
    `${callbacks},${callbacks},0`,
  );
};
const heard = async (lane: Lane, firstAt: number, lastAt: number): Promise<void> => {
  await store.redis.hset(`${intake}:seen`, `${lane}:first`, firstAt * 1_000, `${lane}:last`, lastAt * 1_000);
};

describe('a lane', () => {
  it('that nothing came in says so', async () => {
    const nothing = {
      groups: 0,
      oldestGroupAt: null,
      firstAt: null,
      lastAt: null,
      sameSpanBefore: [null, null, null, null],
      countedMs: 0,
      longestGapMs: 0,
      lastWeek: 0,
      wasReady: null,
    };
    expect(await readLaneFacts(store, NOW)).toEqual({ messages: nothing, statuses: nothing });
  });

  it('that is silent is held against the same span of the four weeks before', async () => {
    const last = NOW - 2 * HOUR_MS;
    await heard('messages', NOW - 30 * DAY_MS, last);
    for (const [week, callbacks] of [
      [1, 20],
      [2, 30],
      [3, 40],
      [4, 50],
    ] as const) {
      // The span is half of 13 h, all of 14 h, half of 15 h.
      const at = NOW - week * 7 * DAY_MS;
      await count('messages', at - 2 * HOUR_MS, 10);
      await count('messages', at - HOUR_MS, callbacks);
      await count('messages', at, 10);
    }
    await count('messages', last, 7);
    const { messages, statuses } = await readLaneFacts(store, NOW);
    expect(messages).toMatchObject({ lastAt: last, sameSpanBefore: [30, 40, 50, 60], countedMs: 30 * DAY_MS });
    expect(messages).toMatchObject({ lastWeek: 7 + 5 });
    expect(statuses).toMatchObject({ sameSpanBefore: [null, null, null, null] });
  });

  it('knows nothing of weeks before its first callback, nor of hours that are no longer kept', async () => {
    await heard('messages', NOW - 10 * DAY_MS, NOW - 2 * HOUR_MS);
    await count('messages', NOW - 7 * DAY_MS - HOUR_MS, 6);
    expect((await readLaneFacts(store, NOW)).messages.sameSpanBefore).toEqual([6, null, null, null]);
    const other = await openStore();
    await heard('messages', NOW - 40 * DAY_MS, NOW - 5 * DAY_MS);
    expect((await readLaneFacts(other, NOW)).messages.sameSpanBefore).toEqual([
      expect.any(Number),
      expect.any(Number),
      expect.any(Number),
      null,
    ]);
    await other.close();
  });
});

describe('the rhythm', () => {
  const at = (...hours: number[]) => hours.map((hour) => ({ at: hour * HOUR_MS, callbacks: 10 }));

  it('counts an hour as far as it lies in the span', () => {
    expect(countInSpan(at(1, 2, 3), 1.5 * HOUR_MS, 2.2 * HOUR_MS)).toBe(5 + 2);
    expect(countInSpan(at(1, 2, 3), 4 * HOUR_MS, 5 * HOUR_MS)).toBe(0);
  });

  it('has its longest gap between two callbacks, and none that is still open', () => {
    expect(longestGap(at(5, 6, 10, 11), 5 * HOUR_MS)).toBe(4 * HOUR_MS);
    expect(longestGap(at(8, 9), 0)).toBe(8 * HOUR_MS);
    expect(longestGap([], 0)).toBe(0);
    expect(longestGap([...at(5), { at: 6 * HOUR_MS, callbacks: 0 }, ...at(9)], 5 * HOUR_MS)).toBe(4 * HOUR_MS);
  });
});

describe('a span in which receivers were ready', () => {
  const FROM = Date.parse('2026-03-29T23:50:30.000Z');
  const minutes = (from: number, to: number) =>
    Array.from({ length: Math.ceil((to - from) / MINUTE_MS) }, (_, index) => from + index * MINUTE_MS);
  const note = async (times: readonly number[]): Promise<void> => {
    const ready = createReadyMinutes();
    for (const time of times) ready.note(time);
    await ready.write(store);
  };
  const NOW_READY = FROM + 30 * MINUTE_MS;
  const was = () => wasReadySince(store, FROM, NOW_READY);

  it('is one without a minute that no receiver told of, over midnight too', async () => {
    const all = minutes(FROM, NOW_READY);
    expect(await was()).toBe(false);
    // Two receivers, one after the other.
    await note(all.slice(0, 20));
    expect(await was()).toBe(false);
    await note(all.slice(18));
    expect(await was()).toBe(true);
    expect(await wasReadySince(store, FROM - 5 * MINUTE_MS, NOW_READY)).toBe(false);
  });

  it('is not one with a gap, and a short one is always one', async () => {
    await note(minutes(FROM, NOW_READY).filter((_, index) => index !== 12));
    expect(await was()).toBe(false);
    expect(await wasReadySince(store, NOW_READY - MINUTE_MS, NOW_READY)).toBe(true);
  });

  it('is told later for the time in which Redis was away', async () => {
    const ready = createReadyMinutes();
    for (const time of minutes(FROM, NOW_READY)) ready.note(time);
    store.redis.disconnect();
    await expect(ready.write(store)).rejects.toThrow();
    await store.redis.connect();
    await ready.write(store);
    expect(await was()).toBe(true);
    expect(await store.redis.ttl(`cr:{registry}:ready:${Math.floor(FROM / DAY_MS)}`)).toBeGreaterThan(32 * 86_400);
  });
});
