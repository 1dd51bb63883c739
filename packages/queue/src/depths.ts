import { listDestinations } from './destinations.ts';
import { destinationQueue, ingestQueue, type QueueName } from './names.ts';
import type { Store } from './store.ts';

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

export const queueDepths = async (store: Store): Promise<QueueDepths> => {
  const [messages, statuses] = await Promise.all([
    count(store, ingestQueue('messages')),
    count(store, ingestQueue('statuses')),
  ]);
  const destinations = await Promise.all(
    (await listDestinations(store)).map(async ({ id }) => {
      const { failed, ...rest } = await count(store, destinationQueue(id));
      return { id, ...rest, deadLetters: failed };
    }),
  );
  return {
    ingest: {
      messages: messages.waiting + messages.delayed + messages.active,
      statuses: statuses.waiting + statuses.delayed + statuses.active,
    },
    destinations,
  };
};
