import type { Lane } from '@clickrelay/core';
import { listDestinations } from '../destinations/destinations.ts';
import { destinationQueue, type QueueName } from '../redis/names.ts';
import { ingestQueues, type Store } from '../redis/store.ts';

export interface QueueDepths {
  /** Groups of callbacks that are not routed yet. */
  readonly ingest: { readonly messages: number; readonly statuses: number };
  readonly destinations: readonly {
    readonly id: string;
    readonly waiting: number;
    readonly delayed: number;
    readonly active: number;
    readonly deadLetters: number;
  }[];
}

const count = async (
  store: Store,
  name: QueueName,
): Promise<Record<'waiting' | 'delayed' | 'active' | 'failed', number>> => {
  const counts = await store.queue(name).getJobCounts('waiting', 'prioritized', 'delayed', 'active', 'failed');
  return {
    waiting: (counts['waiting'] ?? 0) + (counts['prioritized'] ?? 0),
    delayed: counts['delayed'] ?? 0,
    active: counts['active'] ?? 0,
    failed: counts['failed'] ?? 0,
  };
};

const countLane = async (store: Store, lane: Lane): Promise<number> => {
  const counts = await Promise.all(ingestQueues(store, lane).map((name) => count(store, name)));
  return counts.reduce((sum, { waiting, delayed, active }) => sum + waiting + delayed + active, 0);
};

export const queueDepths = async (store: Store): Promise<QueueDepths> => {
  const [messages, statuses] = await Promise.all([countLane(store, 'messages'), countLane(store, 'statuses')]);
  const destinations = await Promise.all(
    (await listDestinations(store)).map(async ({ id }) => {
      const { failed, ...rest } = await count(store, destinationQueue(id));
      return { id, ...rest, deadLetters: failed };
    }),
  );
  return {
    ingest: { messages, statuses },
    destinations,
  };
};
