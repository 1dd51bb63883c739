import { HOUR_MS, type LoggedEvent, shardOf } from '@clickrelay/core';
import type { RedisServer } from '@clickrelay/testkit';
import { expect } from 'vitest';
import { putDestination } from '../src/destinations/destinations.ts';
import { createEventLog } from '../src/log/append.ts';
import { readEvent } from '../src/log/read-event.ts';
import { type Retention, trimEventLog } from '../src/log/retention.ts';
import { shardKeys } from '../src/redis/names.ts';
import { useStore } from './use-store.ts';

/* What the tests of retention share: a log whose events are as old as a test wants them. */

/** The present of these tests. */
export const NOW = Date.parse('2026-03-08T12:00:00.000Z');
export const KEEP: Retention = { eventsMs: 24 * HOUR_MS, eventBytes: 1_000_000_000, deliveriesMs: 12 * HOUR_MS };

export const useRetention = () => {
  const test = useStore<RedisServer>();
  const { store } = test;
  return {
    ...test,
    put: (id: string) => putDestination(store, { id, type: 'webhook', events: ['*'], paused: null, config: {} }),
    /** Logs events as of so long ago. */
    logAgo: async (agoMs: number, ...events: LoggedEvent[]): Promise<void> => {
      await createEventLog(store, { dedupeTtlMs: HOUR_MS }).append('m1', events, Date.now());
      for (const { event } of events) {
        await store.redis.zadd(shardKeys(shardOf(event.id)).log, String((NOW - agoMs) * 1_000), event.id);
      }
    },
    trim: (more: Partial<Retention> = {}) => trimEventLog(store, { ...KEEP, ...more }, NOW),
    /** Which of these every reader of the log still sees. */
    left: async (events: LoggedEvent[]): Promise<string[]> => {
      const there: string[] = [];
      const ids = new Set<string>();
      for (const { event } of events) {
        const logged = await readEvent(store, event.id);
        if (logged !== undefined) there.push(event.id);
        if ((await store.redis.zscore(shardKeys(shardOf(event.id)).log, event.id)) !== null) ids.add(event.id);
      }
      expect([...ids]).toEqual(there);
      return there;
    },
  };
};
