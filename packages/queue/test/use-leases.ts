import { type LoggedEvent, QueueUnavailableError } from '@clickrelay/core';
import type { RedisServer } from '@clickrelay/testkit';
import { afterAll, beforeAll } from 'vitest';
import { enqueueDeliveries } from '../src/deliveries/enqueue-deliveries.ts';
import { putDestination } from '../src/destinations/destinations.ts';
import { createLeases, type Leases, type LeasesOptions } from '../src/leases/leases.ts';
import type { Lease, LeaseOptions } from '../src/leases/waiter.ts';
import { createEventLog } from '../src/log/append.ts';
import { newEvents } from './sample-events.ts';
import { type TestStore, useStore } from './use-store.ts';

/* What the tests of leases share: one Redis for a file, on which each test has a destination of its own. */

export interface TestLeases extends TestStore<RedisServer> {
  readonly leases: Leases;
  /** As another process of the API would have them. */
  openLeases(options?: Partial<LeasesOptions>): Promise<Leases>;
  /** @returns its id */
  addDestination(config?: Record<string, unknown>): Promise<string>;
  /** Events that are owed to this destination. */
  addEvents(id: string, count: number): Promise<LoggedEvent[]>;
  /** Looks once for one, unless told otherwise. */
  take(id: string, options?: Partial<LeaseOptions>, from?: Leases): Promise<Lease[]>;
  /** The same by a consumer that asks again when Redis did not answer in time, as happens on a busy machine. */
  takeAny: TestLeases['take'];
  takeOne(id: string, options?: Partial<LeaseOptions>, from?: Leases): Promise<Lease>;
  /**
   * So many, in as many takes as it needs: what comes later than some tens of ms after the first waits for the next.
   */
  takeSome(id: string, count: number): Promise<Lease[]>;
}

export const useLeases = (): TestLeases => {
  const { redis, store, openStore } = useStore({ role: 'producer', freshPerTest: 'nothing' });
  const opened: Leases[] = [];
  let leases: Leases;

  const openLeases = async (options: Partial<LeasesOptions> = {}): Promise<Leases> => {
    const own = await openStore();
    await own.ready();
    const another = createLeases(own, { schedule: [0, 300, 300], onError: () => {}, ...options });
    opened.push(another);
    return another;
  };
  beforeAll(async () => {
    leases = await openLeases();
  });
  afterAll(() => Promise.all(opened.map((one) => one.close())));

  const take = (id: string, options: Partial<LeaseOptions> = {}, from = leases): Promise<Lease[]> =>
    from.lease(id, { max: 1, waitMs: 0, leaseMs: 30_000, signal: new AbortController().signal, ...options });

  let destinations = 0;
  return {
    redis,
    store,
    openStore,
    get leases() {
      return leases;
    },
    openLeases,
    addDestination: async (config = {}) => {
      const id = `bot-${++destinations}`;
      await putDestination(store, { id, type: 'pull', events: ['*'], paused: null, config });
      return id;
    },
    addEvents: async (id, count) => {
      const events = newEvents(count);
      await createEventLog(store, { dedupeTtlMs: 60_000 }).append(`test-${events[0]?.event.id}`, events, Date.now());
      await enqueueDeliveries(
        store,
        id,
        events.map(({ event }) => ({ eventId: event.id })),
      );
      return events;
    },
    take,
    takeAny: (...asked) =>
      take(...asked).catch((error) => {
        if (error instanceof QueueUnavailableError) return [];
        throw error;
      }),
    takeOne: async (id, options = {}, from = leases) => {
      const [lease] = await take(id, { waitMs: 25_000, ...options }, from);
      if (lease === undefined) throw new Error('nothing came');
      return lease;
    },
    takeSome: async (id, count) => {
      const taken: Lease[] = [];
      while (taken.length < count) {
        const got = await take(id, { max: count - taken.length, waitMs: 20_000 });
        if (got.length === 0) throw new Error(`${taken.length} of ${count} came`);
        taken.push(...got);
      }
      return taken;
    },
  };
};
