import { HOUR_MS, type LoggedEvent, shardOf } from '@clickrelay/core';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { idsOf, newConversations, newEvent, newEvents } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { eventKeys, shardKeys } from '../redis/names.ts';
import { createEventLog, type EventLog } from './append.ts';
import { followEvents, listEvents } from './list-events.ts';

const TTL_MS = 72 * HOUR_MS;

const { openStore, store } = useStore();
let log: EventLog;

beforeEach(() => {
  log = createEventLog(store, { dedupeTtlMs: TTL_MS });
});

const append = (...events: LoggedEvent[]) => log.append('m1', events, Date.now());

/** Changes when an event was logged, in microseconds. */
const logAt = (micros: number, ...events: LoggedEvent[]) =>
  Promise.all(events.map(({ event }) => store.redis.zadd(shardKeys(shardOf(event.id)).log, String(micros), event.id)));

/** All pages, each checked to be no longer than asked for. */
const readNewestFirst = async (options: {
  limit: number;
  types?: string[];
  since?: Date;
  until?: Date;
  maxMs?: number;
}) => {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = await listEvents(store, { ...options, cursor });
    expect(items.length).toBeLessThanOrEqual(options.limit);
    ids.push(...idsOf(items));
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return ids;
};

const readOldestFirst = async (limit: number) => {
  const ids: string[] = [];
  let after: string | undefined;
  for (;;) {
    const { items, next } = await followEvents(store, { limit, after, since: new Date(0) });
    expect(items.length).toBeLessThanOrEqual(limit);
    if (items.length === 0) return ids;
    ids.push(...idsOf(items));
    after = next;
  }
};

describe('a record that cannot be read', () => {
  it.each([
    ['its head', (record: string) => record.replace('[', '{')],
    ['its text', (record: string) => `${record.slice(0, record.indexOf('\n'))}\nnot JSON`],
    ['all of it', () => 'rubbish\n'],
  ])('spoils its own row of a list, and no other: %s', async (_, damage) => {
    const [bad, good] = [newEvent(), newEvent()];
    await append(bad, good);
    const { record } = eventKeys(bad.event.id);
    await store.redis.set(record, damage((await store.redis.get(record)) as string));
    const rows = (items: LoggedEvent[]) => items.map(({ event: { id, valid, issues } }) => [id, valid, issues]);
    const told = [
      [bad.event.id, false, [{ path: '', message: 'what is stored of this event cannot be read' }]],
      [good.event.id, undefined, undefined],
    ];
    expect(rows((await listEvents(store, { limit: 10 })).items).sort()).toEqual(told.sort());
    expect(rows((await followEvents(store, { limit: 10, since: new Date(0) })).items).sort()).toEqual(told.sort());
  });
});

describe('a list of events', () => {
  it('is empty when there are none', async () => {
    expect(await listEvents(store, { limit: 10 })).toEqual({ items: [], next: null });
    expect((await followEvents(store, { limit: 10, since: new Date(0) })).items).toEqual([]);
  });

  it('pages through all of them exactly once, either way, also those of one microsecond', async () => {
    // Half of them share a shard, as a conversation does.
    const pool = [...newConversations(60), ...newEvents(60, 'moText', { from: '1', to: '2' })];
    const times = fc.array(fc.constantFrom(1, 2, 2, 2, 3, 1_700_000_000_000_000), {
      maxLength: pool.length,
      size: 'max',
    });
    await fc.assert(
      fc.asyncProperty(times, fc.integer({ min: 1, max: 130 }), fc.boolean(), async (scores, limit, fromEnd) => {
        await store.redis.flushall();
        const events = fromEnd ? pool.slice(pool.length - scores.length) : pool.slice(0, scores.length);
        await append(...events);
        await Promise.all(events.map((event, index) => logAt(scores[index] as number, event)));
        const expected = events
          .map(({ event: { id } }, index) => ({ id, score: scores[index] as number }))
          .sort((a, b) => a.score - b.score || (a.id < b.id ? -1 : 1))
          .map(({ id }) => id);
        expect(await readOldestFirst(limit)).toEqual(expected);
        expect(await readNewestFirst({ limit })).toEqual(expected.reverse());
      }),
      { numRuns: 40 },
    );
  });

  it('pages through hundreds of events of one conversation and one microsecond', async () => {
    const events = newEvents(300, 'moText', { from: '1', to: '2' });
    await append(...events);
    await logAt(5, ...events);
    const expected = idsOf(events).sort();
    expect(await readOldestFirst(10)).toEqual(expected);
    expect(await readNewestFirst({ limit: 10 })).toEqual(expected.reverse());
  });

  it('holds the types that were asked for', async () => {
    const events = ['moText', 'moMedia', 'messageStatusUpdate', 'moText', 'moSticker'].map((type) => newEvent(type));
    for (const [index, event] of events.entries()) {
      await append(event);
      await logAt(index + 1, event);
    }
    const [a, b, c, d, e] = idsOf(events);
    expect(await readNewestFirst({ limit: 1, types: ['moText'] })).toEqual([d, a]);
    expect(await readNewestFirst({ limit: 2, types: ['moSticker', 'moMedia'] })).toEqual([e, b]);
    expect(await readNewestFirst({ limit: 10, types: ['messageStatusUpdate'] })).toEqual([c]);
    expect(await readNewestFirst({ limit: 10, types: ['moLocation'] })).toEqual([]);
    expect(await readNewestFirst({ limit: 10, types: [] })).toEqual([]);
  });

  it('goes on with a short page when the types that were asked for are rare', async () => {
    const rare = newEvent('moText');
    const common = newEvents(5_200, 'messageStatusUpdate');
    await append(rare, ...common);
    await logAt(1, rare);
    const first = await listEvents(store, { limit: 500, types: ['moText'] });
    expect(first.items).toEqual([]);
    expect(first.next).not.toBeNull();
    expect(await readNewestFirst({ limit: 500, types: ['moText'] })).toEqual([rare.event.id]);
  });

  it('ends a page in the middle when its time is over, and goes on there', async () => {
    const [rare, others] = [newEvent('moText'), newEvents(300, 'messageStatusUpdate')];
    await append(rare, ...others);
    await logAt(1, rare);
    const first = await listEvents(store, { limit: 10, types: ['moText'], maxMs: 0 });
    expect(first).toEqual({ items: [], next: expect.any(String) });
    expect(await readNewestFirst({ limit: 10, types: ['moText'], maxMs: 0 })).toEqual([rare.event.id]);
  });

  it('stops a search that nobody waits for any more', async () => {
    await append(...newEvents(300, 'messageStatusUpdate'));
    const signal = AbortSignal.abort();
    const { items, next } = await listEvents(store, { limit: 10, types: ['moText'], signal });
    expect([items, next]).toEqual([[], expect.any(String)]);
    const followed = await followEvents(store, { limit: 10, types: ['moText'], since: new Date(0), signal });
    expect(followed).toMatchObject({ items: [], ended: false });
  });

  it('asks each shard a few times for a page, however few events a filter chooses', async () => {
    await append(...newConversations(3_000));
    await store.redis.config('RESETSTAT');
    expect(await readNewestFirst({ limit: 20, types: ['moMedia'], maxMs: 60_000 })).toEqual([]);
    const [, calls] = /cmdstat_zrevrangebyscore:calls=(\d+)/.exec(await store.redis.info('commandstats')) ?? [];
    expect(Number(calls)).toBeLessThan(64 * 10);
  });

  it('begins at `since` and ends before `until`', async () => {
    const events = newConversations(5);
    await append(...events);
    const times = [999_999, 1_000_000, 1_000_001, 1_999_999, 2_000_000];
    for (const [index, event] of events.entries()) await logAt(times[index] as number, event);
    const [a, b, c, d, e] = idsOf(events);
    const [since, until] = [new Date(1_000), new Date(2_000)];
    expect(await readNewestFirst({ limit: 1, since, until })).toEqual([d, c, b]);
    expect(await readNewestFirst({ limit: 10, since })).toEqual([e, d, c, b]);
    expect(await readNewestFirst({ limit: 2, until })).toEqual([d, c, b, a]);
    expect(idsOf((await followEvents(store, { limit: 10, since })).items)).toEqual([b, c, d, e]);
  });

  it('leaves out what is being trimmed', async () => {
    const events = newConversations(3);
    await append(...events);
    await logAt(1, ...events);
    const gone = events[1] as LoggedEvent;
    await store.redis.del(eventKeys(gone.event.id).record);
    const expected = idsOf(events)
      .filter((id) => id !== gone.event.id)
      .sort();
    expect(await readOldestFirst(1)).toEqual(expected);
  });

  it('begins at the start when the cursor is not one of its own', async () => {
    const events = newConversations(3);
    for (const [index, event] of events.entries()) {
      await append(event);
      await logAt(index + 1, event);
    }
    const [a, b, c] = idsOf(events);
    for (const cursor of [
      '',
      'rubbish',
      '1',
      '1.evt_short',
      `x.${a}`,
      '99999999999999999999.',
      '-1.',
      'NaN.',
      '1e9.',
    ]) {
      expect(idsOf((await listEvents(store, { limit: 2, cursor })).items)).toEqual([c, b]);
      expect(idsOf((await followEvents(store, { limit: 2, after: cursor })).items)).toEqual([a, b]);
    }
  });
});

describe('a follower', () => {
  it('begins now, and gets what comes later exactly once', async () => {
    await append(...newConversations(5));
    let { items, next } = await followEvents(store, { limit: 2 });
    expect(items).toEqual([]);
    ({ items, next } = await followEvents(store, { limit: 2, after: next }));
    expect(items).toEqual([]);

    const events = newConversations(3);
    for (const event of events) await append(event);
    ({ items, next } = await followEvents(store, { limit: 2, after: next }));
    expect(items).toEqual(events.slice(0, 2));
    ({ items, next } = await followEvents(store, { limit: 2, after: next }));
    expect(items).toEqual(events.slice(2));
    ({ items, next } = await followEvents(store, { limit: 2, after: next }));
    expect(items).toEqual([]);
    await append(...events);
    expect((await followEvents(store, { limit: 2, after: next })).items).toEqual([]);
  });

  it('of one type gets past the others', async () => {
    let { items, next } = await followEvents(store, { limit: 10, types: ['moText'] });
    await append(...newEvents(50, 'messageStatusUpdate'));
    ({ items, next } = await followEvents(store, { limit: 10, types: ['moText'], after: next }));
    expect(items).toEqual([]);
    const event = newEvent('moText');
    await append(event);
    ({ items } = await followEvents(store, { limit: 10, types: ['moText'], after: next }));
    expect(items).toEqual([event]);
  });

  it('misses nothing while several processes append', async () => {
    const stores = await Promise.all([1, 2, 3].map(() => openStore()));
    let { next } = await followEvents(store, { limit: 1 });
    let appending = true;
    const appended = Promise.all(
      stores.map(async (other, index) => {
        const own = createEventLog(other, { dedupeTtlMs: TTL_MS });
        const ids: string[] = [];
        for (let round = 0; round < 40; round++) {
          const events = newConversations(25);
          await own.append(`m${index}-${round}`, events, Date.now());
          ids.push(...idsOf(events));
        }
        return ids;
      }),
    ).finally(() => {
      appending = false;
    });
    const followed: string[] = [];
    for (;;) {
      const last = !appending;
      const page = await followEvents(store, { limit: 100, after: next });
      followed.push(...idsOf(page.items));
      next = page.next;
      if (last && page.items.length === 0) break;
    }
    await Promise.all(stores.map((other) => other.close()));
    expect([...followed].sort()).toEqual((await appended).flat().sort());
  });
});
