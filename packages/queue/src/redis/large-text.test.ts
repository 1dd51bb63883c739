import { type LoggedEvent, splitCallback } from '@clickrelay/core';
import { startFaultProxy } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { createCommitter } from '../intake/commit.ts';
import type { IngestGroup } from '../intake/ingest-group.ts';
import { createEventLog } from '../log/append.ts';
import { listEvents } from '../log/list-events.ts';
import { readEvent } from '../log/read-event.ts';
import { readLogBytes, trimEventLog } from '../log/retention.ts';
import { dropLarge, keepLarge, readLarge, readLargePieces, storeLarge } from './large-text.ts';
import { ingestQueue } from './names.ts';
import { LARGE_TEXT_LENGTH } from './size-limits.ts';

const RECEIVED_AT = '2026-03-01T12:00:00.000Z';

const { openStore, redis, store } = useStore({ role: 'producer' });

const largeKeys = async (): Promise<string[]> =>
  (await store.redis.keys('*')).filter((key) => key.includes(':text:') || key.includes(':p:'));

const eventWith = (content: string, more: object = {}): LoggedEvent =>
  splitCallback(
    JSON.stringify({ event: { moMedia: [{ messageId: 'm1', content, ...more }] } }),
    RECEIVED_AT,
  )[0] as LoggedEvent;

describe('a large text', () => {
  it('comes back as it was, wherever its pieces begin', async () => {
    for (const text of [
      'x'.repeat(LARGE_TEXT_LENGTH),
      'é😀'.repeat(LARGE_TEXT_LENGTH),
      `${'x'.repeat(LARGE_TEXT_LENGTH - 1)}😀${'y'.repeat(2 * LARGE_TEXT_LENGTH)}`,
    ]) {
      const large = await storeLarge(store, 'cr:{m00}:text:a', text);
      expect((await readLarge(store, large)) === text).toBe(true);
      const pieces = (await readLargePieces(store, large)) ?? [];
      expect(Buffer.concat(pieces.map((piece) => Buffer.from(piece))).equals(Buffer.from(text))).toBe(true);
      await store.redis.del(large.key);
      // From its bytes as well.
      const bytes = await storeLarge(store, 'cr:{m00}:text:a', Buffer.from(`?${text}`).subarray(1));
      expect((await readLarge(store, bytes)) === text).toBe(true);
      await store.redis.del(bytes.key);
    }
  });

  it('expires unless it is kept, and soon once it is dropped', async () => {
    const large = await storeLarge(store, 'cr:{m00}:text:a', 'x'.repeat(LARGE_TEXT_LENGTH * 3));
    expect(await store.redis.ttl(large.key)).toBeGreaterThan(3_600);
    await keepLarge(store, large);
    expect(await store.redis.ttl(large.key)).toBe(-1);
    await dropLarge(store, large);
    expect(await store.redis.ttl(large.key)).toBeLessThanOrEqual(60);
    // A receiver that was slow to hear that its job was added.
    await keepLarge(store, large);
    expect(await store.redis.ttl(large.key)).toBeGreaterThan(0);
    await store.redis.del(large.key);
    expect(await readLarge(store, large)).toBeUndefined();
  });
});

describe('a large callback', () => {
  it('that is given up at any of its commands leaves nothing behind that stays for ever', async () => {
    const proxy = await startFaultProxy(redis.port);
    const unlucky = await openStore({ redisUrl: proxy.url });
    await unlucky.ready();
    const committer = createCommitter(unlucky);
    const commit = () => committer.commit({ text: 'x'.repeat(LARGE_TEXT_LENGTH * 3), lane: 'messages' }, RECEIVED_AT);
    await commit();
    await store.redis.flushall();
    let refused = 0;
    for (let command = 1; ; command++) {
      const fault = proxy.cutAt({ command, moment: 'refused' });
      const isTaken = await commit().then(
        () => true,
        () => false,
      );
      proxy.heal();
      if (!fault.happened) break;
      if (!isTaken) refused++;
    }
    expect(refused).toBeGreaterThanOrEqual(3);
    const referred = (await store.queue(ingestQueue('messages')).getJobs(['waiting'])).flatMap(({ data }) =>
      (data as IngestGroup).callbacks.map(({ large }) => large?.key),
    );
    for (const key of await largeKeys()) {
      if (!referred.includes(key)) expect(await store.redis.ttl(key)).toBeGreaterThan(0);
    }
    await committer.close();
    await unlucky.close();
    await proxy.close();
  });

  it('lies beside its job, which is small, and stays', async () => {
    const text = `{"event":{"moMedia":[{"content":"${'A'.repeat(16 * 1024 * 1024)}"}]}}`;
    await createCommitter(store, { deadlineMs: 30_000 }).commit({ text, lane: 'messages' }, RECEIVED_AT);
    const [job] = await store.queue(ingestQueue('messages')).getJobs(['waiting']);
    const group = job?.data as IngestGroup;
    const [callback] = group.callbacks;
    expect(JSON.stringify(group).length).toBeLessThan(300);
    expect(callback).toMatchObject({ text: '', receivedAt: RECEIVED_AT });
    const { large } = callback as { large: NonNullable<(typeof callback & object)['large']> };
    expect(await store.redis.ttl(large.key)).toBe(-1);
    expect((await readLarge(store, large)) === text).toBe(true);
  });
});

describe('a large event', () => {
  it('is read as it was logged, and goes with its pieces', async () => {
    const log = createEventLog(store, { dedupeTtlMs: 60_000 });
    const event = eventWith('A'.repeat(3 * LARGE_TEXT_LENGTH));
    expect(await log.append('a', [event, eventWith('small')], Date.now())).toEqual(['new', 'new']);
    expect(await readEvent(store, event.event.id)).toEqual(event);
    expect((await listEvents(store, { limit: 10 })).items).toContainEqual(event);
    const [pieces] = await largeKeys();
    expect(await store.redis.ttl(pieces as string)).toBe(-1);
    expect((await readLogBytes(store)).total).toBeGreaterThan(3 * LARGE_TEXT_LENGTH);

    const keep = { eventsMs: 0, eventBytes: 1e12, deliveriesMs: 0 };
    expect(await trimEventLog(store, keep, Date.now() + 120_000)).toBe(2);
    expect(await largeKeys()).toEqual([]);
    expect((await readLogBytes(store)).total).toBe(0);
  });

  it('ends its page when that has grown long, and none is left out', async () => {
    const log = createEventLog(store, { dedupeTtlMs: 60_000 });
    const events = [1, 2, 3, 4, 5].map((n) => eventWith('A'.repeat(6 * 1024 * 1024), { messageId: `m${n}` }));
    for (const event of events) await log.append('a', [event], Date.now());
    const pages: string[][] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const { items, next } = await listEvents(store, { limit: 10, cursor, maxMs: 60_000 });
      pages.push(items.map(({ event }) => event.id));
      cursor = next;
    }
    expect(pages.map(({ length }) => length)).toEqual([3, 2]);
    expect(pages.flat().reverse()).toEqual(events.map(({ event }) => event.id));
    expect(await listEvents(store, { limit: 10, types: ['moText'], maxMs: 60_000 })).toEqual({ items: [], next: null });
  });

  it('that is seen again, or logged again by its own claim, leaves no pieces behind', async () => {
    const log = createEventLog(store, { dedupeTtlMs: 60_000 });
    const event = eventWith('A'.repeat(2 * LARGE_TEXT_LENGTH));
    await log.append('a', [event], Date.now());
    const { total } = await readLogBytes(store);
    expect(await log.append('b', [event], Date.now())).toEqual(['seen']);
    expect(await log.append('a', [{ ...event, routes: ['crm'] }], Date.now())).toEqual(['claimed']);
    expect(await largeKeys()).toHaveLength(1);
    expect(await readEvent(store, event.event.id)).toEqual(event);
    expect((await readLogBytes(store)).total).toBe(total + '"crm"'.length);
  });

  it('that is logged anew after its dedupe record is over replaces its pieces', async () => {
    const log = createEventLog(store, { dedupeTtlMs: 3_000 });
    const event = eventWith('A'.repeat(2 * LARGE_TEXT_LENGTH));
    await log.append('a', [event], Date.now());
    const before = await largeKeys();
    const { total } = await readLogBytes(store);
    await log.append('b', [event], Date.now() + 100_000);
    const after = await largeKeys();
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
    expect((await readLogBytes(store)).total).toBe(total);
    expect(await readEvent(store, event.event.id)).toEqual(event);
  });
});
