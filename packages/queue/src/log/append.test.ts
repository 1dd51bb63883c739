import { type LoggedEvent, SHARDS, shardOf, splitCallback } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator';
import { startFaultProxy, waitUntil } from '@clickrelay/testkit';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { idsOf, newConversations, newEvent, newEvents, RECEIVED_AT } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { eventKeys, shardKeys } from '../redis/names.ts';
import { createEventLog, type EventLog } from './append.ts';
import { followEvents, listEvents } from './list-events.ts';
import { readEvent } from './read-event.ts';
import { readLogBytes } from './retention.ts';

const TTL_MS = 72 * 60 * 60_000;

const { openStore, redis, store } = useStore();
let log: EventLog;

beforeEach(async () => {
  log = createEventLog(store, { dedupeTtlMs: TTL_MS });
});

const append = (...events: LoggedEvent[]) => log.append('m1', events, Date.now());

/** Gives an event another time of logging, in microseconds. */
const logAt = (micros: number, ...events: LoggedEvent[]) =>
  Promise.all(events.map(({ event }) => store.redis.zadd(shardKeys(shardOf(event.id)).log, String(micros), event.id)));

/** What the records really take, to compare with the counters. */
const countBytes = async (): Promise<number> => {
  let total = 0;
  for (let shard = 0; shard < SHARDS; shard++) {
    for (const id of await store.redis.zrange(shardKeys(shard).log, '0', '-1')) {
      total += await store.redis.strlen(eventKeys(id).record);
    }
  }
  return total;
};

describe('a large fact', () => {
  it('is kept when the answer to its logging was lost, and ioredis asked again', async () => {
    const proxy = await startFaultProxy(redis.port);
    const worker = await openStore({ redisUrl: proxy.url });
    await worker.ready();
    const ownLog = createEventLog(worker, { dedupeTtlMs: TTL_MS });
    await ownLog.append('m1', [newEvent()], Date.now());
    const large = newEvent('moText', { padding: 'x'.repeat(600_000) });
    // The first is for its pieces.
    const cut = proxy.cutAt({ command: 2, moment: 'after', names: ['EVALSHA', 'EVAL'] });
    expect(await ownLog.append('m2', [large], Date.now())).toEqual(['claimed']);
    expect(cut.happened).toBe(true);
    expect((await readEvent(store, large.event.id))?.source).toBe(large.source);
    await worker.close();
    await proxy.close();
  });
});

describe('a fact', () => {
  it('is new once, then seen; its own claim may repeat it', async () => {
    const [first, second] = newEvents(2) as [LoggedEvent, LoggedEvent];
    expect(await log.append('m1', [first], Date.now())).toEqual(['new']);
    expect(await log.append('m2', [second, first], Date.now())).toEqual(['new', 'seen']);
    expect(await log.append('m1', [first, second], Date.now())).toEqual(['claimed', 'seen']);
  });

  it('that its own claim logs again, routed otherwise, is kept as routed last, at its place', async () => {
    const event = newEvent();
    const { record } = eventKeys(event.event.id);
    const { log: logKey } = shardKeys(shardOf(event.event.id));
    await log.append('m1', [{ ...event, routes: ['crm'] }], Date.now());
    const [before, place] = [await store.redis.get(record), await store.redis.zscore(logKey, event.event.id)];
    expect(await log.append('m1', [{ ...event, routes: ['crm', 'archive'] }], Date.now())).toEqual(['claimed']);
    expect(await store.redis.get(record)).toBe(before?.replace('["crm"]', '["crm","archive"]'));
    expect(await log.append('m2', [{ ...event, routes: [] }], Date.now())).toEqual(['seen']);
    expect(await store.redis.get(record)).toContain('["crm","archive"]');
    expect(await store.redis.zscore(logKey, event.event.id)).toBe(place);
    expect(await readEvent(store, event.event.id)).toEqual(event);
    expect((await readLogBytes(store)).total).toBe(await countBytes());
  });

  it('that comes again changes nothing', async () => {
    const { event, source } = newEvent();
    await append({ event, source });
    const later = { event: { ...event, receivedAt: '2026-03-02T00:00:00.000Z' }, source };
    expect(await log.append('m2', [later], Date.now())).toEqual(['seen']);
    expect(await readEvent(store, event.id)).toEqual({ event, source });
    expect((await listEvents(store, { limit: 10 })).items).toEqual([{ event, source }]);
  });

  it('that several processes append at the same time is new for exactly one of them', async () => {
    const events = newConversations(300);
    const stores = await Promise.all([1, 2, 3, 4].map(() => openStore()));
    const answers = await Promise.all(
      stores.map(async (other, index) => {
        const turned = [...events.slice(index * 75), ...events.slice(0, index * 75)];
        const logged = await createEventLog(other, { dedupeTtlMs: TTL_MS }).append(`m${index}`, turned, Date.now());
        return new Map(turned.map(({ event }, at) => [event.id, logged[at]]));
      }),
    );
    await Promise.all(stores.map((other) => other.close()));
    for (const id of idsOf(events)) {
      expect(answers.map((of) => of.get(id)).sort()).toEqual(['new', 'seen', 'seen', 'seen']);
    }
    expect((await readLogBytes(store)).total).toBe(await countBytes());
  });

  it('is an error, not a fact, when Redis refuses the write', async () => {
    const event = newEvent();
    await store.redis.config('SET', 'maxmemory', '1');
    await expect(append(event)).rejects.toThrow('OOM');
    await store.redis.config('SET', 'maxmemory', '0');
    expect(await append(event)).toEqual(['new']);
  });

  it('is nothing when there is none', async () => {
    expect(await append()).toEqual([]);
  });
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

  it('takes a fact again after it is over, and counts its bytes once', async () => {
    const short = createEventLog(store, { dedupeTtlMs: 300 });
    const event = newEvent();
    const startedAt = performance.now();
    expect(await short.append('m1', [event], Date.now())).toEqual(['new']);
    await waitUntil(async () => (await short.append('m2', [event], Date.now()))[0] === 'new', { everyMs: 5 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(300);
    expect((await listEvents(store, { limit: 10 })).items).toEqual([event]);
    expect((await readLogBytes(store)).total).toBe(await countBytes());
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

describe('an event', () => {
  it('is read as it was logged, with every digit and every character of its source', async () => {
    const source =
      '{\n  "messageId": 123456789012345678901234567890,\r\n\t"content": "é \\u00e9 \\ud83d\\ude00 😀 \\ud800 \\n",' +
      ' "a": 1, "a": 2.0, "from":"1" }';
    const text = `{"integrationName":"line\\nbreak \\ud800 ü","integrationId":null,"event":{"mo\\nText ü":[${source}]}}`;
    const [logged] = splitCallback(text, RECEIVED_AT) as [LoggedEvent];
    await append(logged);
    expect(logged.source).toBe(source);
    expect(await readEvent(store, logged.event.id)).toEqual(logged);
  });

  it('is read as it was logged, whatever is in it', async () => {
    const envelope = fc.record({
      integrationId: fc.option(fc.string({ unit: 'binary' })),
      integrationName: fc.option(fc.string({ unit: 'binary' })),
      event: fc.dictionary(
        fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__'),
        fc.array(fc.jsonValue(), { minLength: 1, maxLength: 3 }),
        { minKeys: 1, maxKeys: 3 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(envelope, fc.constantFrom('', ' ', '\n', '\t\r\n'), async (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!text.includes('__proto__'));
        const events = splitCallback(text, RECEIVED_AT);
        await store.redis.flushall();
        await append(...events);
        for (const logged of events) expect(await readEvent(store, logged.event.id)).toEqual(logged);
      }),
      { numRuns: 100 },
    );
  });

  it.each(Object.entries({ ...samples.odd, reply: samples.reply, status: samples.status }))(
    'of the sample %s is read as it was logged',
    async (_, envelope) => {
      const events = splitCallback(JSON.stringify(envelope), RECEIVED_AT);
      await append(...events);
      for (const logged of events) expect(await readEvent(store, logged.event.id)).toEqual(logged);
    },
  );

  it('that nobody logged is undefined', async () => {
    expect(await readEvent(store, newEvent().event.id)).toBeUndefined();
  });
});

/** All pages, each checked to be no longer than asked for. */
const readNewestFirst = async (options: { limit: number; types?: string[]; since?: Date; until?: Date }) => {
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

  it('begins anew when its cursor is none', async () => {
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
