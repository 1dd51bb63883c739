import { HOUR_MS, type LoggedEvent, SHARDS, shardOf, splitCallback } from '@clickrelay/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idsOf, newEvent, RECEIVED_AT } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { messageAddress } from '../redis/message-address.ts';
import { eventKeys, messageIndexKey, shardKeys } from '../redis/names.ts';
import { createEventLog } from './append.ts';
import { createMessageIndex, readEventsOfMessage, rebuildMessageIndex } from './message-index.ts';
import { trimEventLog } from './retention.ts';

const { store } = useStore();

const log = (events: readonly LoggedEvent[], claim = 'm1') =>
  createEventLog(store, { dedupeTtlMs: HOUR_MS }).append(claim, events, Date.now());
const index = (events: readonly LoggedEvent[]) => createMessageIndex(store).add(events.map(({ event }) => event));
const logAndIndex = async (...events: LoggedEvent[]) => {
  await log(events);
  await index(events);
};

const status = (messageId: string, more: Record<string, unknown> = {}): LoggedEvent =>
  newEvent('messageStatusUpdate', { messageId, clientMessageId: null, ...more });
const reply = (relatedMessageId: string | null, more: Record<string, unknown> = {}): LoggedEvent =>
  newEvent('moText', { relatedMessageId, ...more });

const found = async (id: string): Promise<string[]> => idsOf((await readEventsOfMessage(store, id)).events).sort();
const indexKeys = async (): Promise<string[]> => (await store.redis.keys('cr:{e??}:m:??')).sort();
const everything = async (): Promise<unknown> =>
  Promise.all((await indexKeys()).map(async (key) => [key, Object.keys(await store.redis.hgetall(key)).sort()]));

describe('a message', () => {
  it('is found with its statuses and the replies to it, by either of its ids', async () => {
    const statuses = [5, 6].map((statusCode) => status('m1', { clientMessageId: 'order-7', statusCode }));
    const answer = reply('m1', { messageId: 'r1' });
    await logAndIndex(...statuses, answer, status('m2'), reply(null));
    expect(await found('m1')).toEqual(idsOf([...statuses, answer]).sort());
    expect(await found('order-7')).toEqual(idsOf(statuses).sort());
    expect(await found('r1')).toEqual(idsOf([answer]));
    expect(await found('m3')).toEqual([]);
    expect(await found('')).toEqual([]);
  });

  it('is found with each event once, however often it is written', async () => {
    const event = status('m1', { clientMessageId: 'm1' });
    await logAndIndex(event);
    const before = await everything();
    await index([event, event]);
    expect(await everything()).toEqual(before);
    expect(await found('m1')).toEqual([event.event.id]);
  });

  it('is told apart from one that has the same address', async () => {
    const byAddress = new Map<string, string>();
    let pair: [string, string] | undefined;
    for (let n = 0; pair === undefined; n++) {
      const other = byAddress.get(messageAddress(`m${n}`));
      if (other !== undefined) pair = [other, `m${n}`];
      byAddress.set(messageAddress(`m${n}`), `m${n}`);
    }
    const events = pair.map((id) => status(id)) as [LoggedEvent, LoggedEvent];
    await logAndIndex(...events);
    expect(await found(pair[0])).toEqual([events[0].event.id]);
    expect(await found(pair[1])).toEqual([events[1].event.id]);
  });

  it('may have ten thousand statuses: its neighbours do not notice, and what is read has a bound', async () => {
    const many = Array.from({ length: 10_050 }, (_, n) =>
      splitCallback(
        JSON.stringify({ event: { messageStatusUpdate: [{ messageId: 'm1', statusCode: 4, timestamp: n }] } }),
        RECEIVED_AT,
      ),
    ).flat();
    await logAndIndex(...many);
    const startedAt = performance.now();
    const { events, isCut } = await readEventsOfMessage(store, 'm1');
    console.log(`10,000 statuses of one message read in ${Math.round(performance.now() - startedAt)} ms`);
    expect([events.length, isCut]).toEqual([10_000, true]);

    const key = messageIndexKey(messageAddress('m1'));
    let neighbour = 'n0';
    for (let n = 0; messageIndexKey(messageAddress(neighbour)) !== key; n++) neighbour = `n${n}`;
    const event = status(neighbour);
    await logAndIndex(event);
    expect(await found(neighbour)).toEqual([event.event.id]);
  });
});

describe('the index', () => {
  it('spreads whatever ids there are', () => {
    const count = 64 * 200;
    for (const make of [
      (n: number) => String(n),
      (n: number) => `3a89680503414383af44dcd0${n.toString(16).padStart(8, '0')}`,
    ]) {
      const shards = new Map<number, number>();
      const buckets = new Set<string>();
      for (let n = 0; n < count; n++) {
        const address = messageAddress(make(n));
        const shard = shardOf(`evt_${address}`);
        shards.set(shard, (shards.get(shard) ?? 0) + 1);
        buckets.add(address.slice(0, 3));
      }
      expect(shards.size).toBe(SHARDS);
      expect(Math.max(...shards.values())).toBeLessThan(320);
      // Of 262,144 buckets; drawn at random 12,492 of them would be hit.
      expect(buckets.size).toBeGreaterThan(12_300);
    }
  });

  it('keeps every entry of the events that stay, and none of those that retention removed', async () => {
    const ids = fc.constantFrom('m1', 'm2', 'm3', 'm4', null);
    const one = fc.record({
      messageId: ids,
      clientMessageId: ids,
      relatedMessageId: ids,
      isOld: fc.boolean(),
      isStatus: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 12 }), async (entries) => {
        await store.redis.flushall();
        const logged = entries.map(({ isOld, isStatus, ...ids }, n) => ({
          isOld,
          event: newEvent(isStatus ? 'messageStatusUpdate' : 'moText', { ...ids, timestamp: n }),
        }));
        await logAndIndex(...logged.map(({ event }) => event));
        for (const {
          isOld,
          event: { event },
        } of logged) {
          if (isOld) await store.redis.zadd(shardKeys(shardOf(event.id)).log, '1000', event.id);
        }
        const nowMs = Date.now() + HOUR_MS;
        await trimEventLog(store, { eventsMs: 2 * HOUR_MS, eventBytes: 1e9, deliveriesMs: 2 * HOUR_MS }, nowMs);
        const kept = logged.filter(({ isOld }) => !isOld).map(({ event }) => event);
        const after = await everything();
        await Promise.all((await indexKeys()).map((key) => store.redis.del(key)));
        await index(kept);
        expect(after).toEqual(await everything());
        expect(await store.redis.keys('*:unindex')).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('loses the entries that a process left when it died while removing them', async () => {
    const event = status('m1', { clientMessageId: 'order-7' });
    await logAndIndex(event);
    const { id } = event.event;
    // The event is removed and noted, and its entries are still there.
    await store.redis.del(eventKeys(id).record);
    const { log: logKey, unindex } = shardKeys(shardOf(id));
    await store.redis.zrem(logKey, id);
    await store.redis.sadd(unindex, id + messageAddress('m1') + messageAddress('order-7'));
    expect(await indexKeys()).toHaveLength(2);
    expect(await found('m1')).toEqual([]);
    await trimEventLog(store, { eventsMs: HOUR_MS, eventBytes: 1e9, deliveriesMs: HOUR_MS }, Date.now());
    expect(await indexKeys()).toEqual([]);
  });

  it('is rebuilt from the log, part by part', async () => {
    const events = Array.from({ length: 250 }, (_, n) => (n % 2 ? status(`m${n}`) : reply(`m${n + 1}`)));
    await logAndIndex(...events);
    // The ten events of one microsecond stay together.
    const { log: logKey } = shardKeys(shardOf(events[0]?.event.id as string));
    await store.redis.zadd(logKey, ...(await store.redis.zrange(logKey, '0', '-1')).flatMap((id) => ['5', id]));
    const before = await everything();
    await Promise.all((await indexKeys()).map((key) => store.redis.del(key)));
    let looked = 0;
    let cursor: string | null = '0.-inf';
    while (cursor !== null) {
      const part: { events: number; next: string | null } = await rebuildMessageIndex(store, { cursor, limit: 7 });
      looked += part.events;
      cursor = part.next;
    }
    expect(looked).toBe(250);
    expect(await everything()).toEqual(before);
  });
});
