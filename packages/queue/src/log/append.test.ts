import { HOUR_MS, type LoggedEvent, shardOf } from '@clickrelay/core';
import { startFaultProxy } from '@clickrelay/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { countLogBytes } from '../../test/count-log-bytes.ts';
import { idsOf, newConversations, newEvent, newEvents } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { eventKeys, shardKeys } from '../redis/names.ts';
import { createEventLog, type EventLog } from './append.ts';
import { listEvents } from './list-events.ts';
import { readEvent } from './read-event.ts';
import { readLogBytes } from './retention.ts';

const TTL_MS = 72 * HOUR_MS;

const { openStore, redis, store } = useStore();
let log: EventLog;

beforeEach(() => {
  log = createEventLog(store, { dedupeTtlMs: TTL_MS });
});

const append = (...events: LoggedEvent[]) => log.append('m1', events, Date.now());

describe('a large event', () => {
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

describe('an event', () => {
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
    expect((await readLogBytes(store)).total).toBe(await countLogBytes(store));
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
    expect((await readLogBytes(store)).total).toBe(await countLogBytes(store));
  });

  it('is an error, not an event, when Redis refuses the write', async () => {
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
