import { splitCallback } from '@clickrelay/core';
import { type RedisServer, startRedis, waitUntil } from '@clickrelay/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { putDestination } from '../destinations/destinations.ts';
import { createCommitter } from '../intake/commit.ts';
import { createDispatcher } from '../jobs/dispatcher.ts';
import { createEventLog } from '../log/append.ts';
import { readEvent } from '../log/read-event.ts';
import { readLogBytes, trimEventLog } from '../log/retention.ts';
import { watchDurability } from './durability.ts';
import { type MemoryWatch, readMemory, watchMemory } from './memory.ts';
import { ingestQueue } from './names.ts';
import { openStore, type Store } from './store.ts';

const RECEIVED_AT = '2026-03-01T12:00:00.000Z';

let redis: RedisServer;
let store: Store;
let memory: MemoryWatch;

beforeEach(async () => {
  redis = await startRedis({ args: ['--maxmemory', '24mb', '--appendfsync', 'no'] });
  store = await openStore({ redisUrl: redis.url, role: 'producer', durability: 'unsafe' });
  await store.ready();
  memory = watchMemory(store);
  await waitUntil(async () => (await readMemory(store)).maxBytes > 0);
});
afterEach(async () => {
  memory.stop();
  await store.close();
  await redis.stop();
});

/** Commits until that is refused; how many were taken. */
const fill = async (bytes: number): Promise<{ taken: number; refusal: unknown }> => {
  const { commit } = createCommitter(store, { memory, deadlineMs: 30_000 });
  for (let taken = 0; ; taken++) {
    try {
      await commit({ text: `${taken}:${'x'.repeat(bytes)}`, lane: 'messages' }, RECEIVED_AT);
    } catch (refusal) {
      return { taken, refusal };
    }
  }
};

describe('a Redis that fills up', () => {
  it('refuses callbacks at nine tenths of its memory, says so, and keeps the rest for those who finish', async () => {
    await waitUntil(() => memory.fullPercent() === undefined);
    const durability = watchDurability(store, { mode: 'always', memory });
    const { taken, refusal } = await fill(100_000);
    expect(taken).toBeGreaterThan(50);
    expect(refusal).toMatchObject({
      code: 'queue_unavailable',
      message: expect.stringMatching(/at (8|9)\d % of its maxmemory/),
    });
    expect((await readMemory(store)).share).toBeLessThan(0.96);
    expect(durability.current().problems).toContainEqual(
      expect.objectContaining({ setting: 'used_memory', value: expect.stringMatching(/^(8|9)\d % of maxmemory$/) }),
    );

    // What a worker writes is taken, nothing that was there before is gone, and callbacks are taken again at the end.
    const worker = await openStore({ redisUrl: redis.url, role: 'consumer' });
    await worker.ready();
    const dispatcher = createDispatcher(worker, { onError: () => {} });
    const seen = new Set<string>();
    await dispatcher.add({
      queue: ingestQueue('messages'),
      room: () => 4,
      run: async ({ data }) => {
        await worker.redis.set('cr:{e00}:a', 'written while full');
        for (const { text } of (data as { callbacks: { text: string }[] }).callbacks)
          seen.add(text.split(':')[0] as string);
        return { kind: 'done' };
      },
    });
    await waitUntil(() => seen.size === taken);
    await waitUntil(() => memory.fullPercent() === undefined);
    await createCommitter(store, { memory, deadlineMs: 30_000 }).commit(
      { text: 'again', lane: 'messages' },
      RECEIVED_AT,
    );
    expect(durability.current().problems.some(({ setting }) => setting === 'used_memory')).toBe(false);
    await dispatcher.close(1_000);
    await worker.close();
    durability.stop();
  });

  it('makes the log of events give way, but not what is owed', async () => {
    const log = createEventLog(store, { dedupeTtlMs: 60_000 });
    const eventOf = (n: number) =>
      splitCallback(
        JSON.stringify({ event: { moText: [{ n, text: 'x'.repeat(50_000) }] } }),
        RECEIVED_AT,
      )[0] as NonNullable<ReturnType<typeof splitCallback>[0]>;
    await putDestination(store, { id: 'crm', type: 'pull', events: ['*'], paused: null, config: {} });
    const owed = eventOf(-1);
    await log.append('a', [owed], Date.now());
    await enqueueDeliveries(store, 'crm', [{ eventId: owed.event.id }]);
    for (let n = 0; (await readMemory(store)).share < 0.85; n++) await log.append('a', [eventOf(n)], Date.now());

    const keep = { eventsMs: 86_400_000, eventBytes: 1e12, deliveriesMs: 86_400_000 };
    const { total: before } = await readLogBytes(store);
    // Two minutes from now: an event this young may not have been routed yet.
    const later = Date.now() + 120_000;
    while ((await trimEventLog(store, keep, later)) > 0);
    const { share } = await readMemory(store);
    const { total: after } = await readLogBytes(store);
    expect(share).toBeLessThan(0.8);
    expect(after).toBeLessThan(before);
    expect(after).toBeGreaterThan(before / 3);
    expect(await readEvent(store, owed.event.id)).toEqual(owed);
  });
});
