import { listDestinations } from '../destinations/destinations.ts';
import { listHolds } from '../destinations/holds.ts';
import { type QueueFigures, readQueueFigures } from '../jobs/read-queue-figures.ts';
import { destinationQueue, LANES } from '../redis/names.ts';
import { ingestQueues, type Store } from '../redis/store.ts';

interface DestinationFigures extends QueueFigures {
  readonly id: string;
  readonly type: string;
  readonly state: 'sending' | 'paused' | 'throttled' | 'failing';
}

export interface Figures {
  readonly ingest: Readonly<Record<'messages' | 'statuses', QueueFigures>>;
  readonly destinations: readonly DestinationFigures[];
}

const NOTHING: QueueFigures = { waiting: 0, delayed: 0, active: 0, deadLetters: 0, oldestAt: null };

const add = (a: QueueFigures, b: QueueFigures): QueueFigures => {
  const oldest = [a.oldestAt, b.oldestAt].filter((at) => at !== null);
  return {
    waiting: a.waiting + b.waiting,
    delayed: a.delayed + b.delayed,
    active: a.active + b.active,
    deadLetters: a.deadLetters + b.deadLetters,
    oldestAt: oldest.length === 0 ? null : Math.min(...oldest),
  };
};

/** How many groups of callbacks wait in each lane. */
export const readIngestFigures = async (store: Store): Promise<Figures['ingest']> => {
  const [messages = NOTHING, statuses = NOTHING] = await Promise.all(
    LANES.map(async (lane) => {
      const queues = await Promise.all(ingestQueues(store, lane).map((name) => readQueueFigures(store, name)));
      return queues.reduce(add, NOTHING);
    }),
  );
  return { messages, statuses };
};

/** How much waits where, and for how long. A short script for each queue. */
export const readFigures = async (store: Store): Promise<Figures> => {
  const [destinations, holds, ingest] = await Promise.all([
    listDestinations(store),
    listHolds(store, store.clock.now()),
    readIngestFigures(store),
  ]);
  return {
    ingest,
    destinations: await Promise.all(
      destinations.map(async ({ id, type, paused }) => ({
        id,
        type,
        state: paused === null ? (holds.get(id)?.reason ?? ('sending' as const)) : ('paused' as const),
        ...(await readQueueFigures(store, destinationQueue(id))),
      })),
    ),
  };
};

interface QueueDepths {
  /** Groups of callbacks that are not routed yet. */
  readonly ingest: { readonly messages: number; readonly statuses: number };
  readonly destinations: readonly Pick<DestinationFigures, 'id' | 'waiting' | 'delayed' | 'active' | 'deadLetters'>[];
}

const unfinished = ({ waiting, delayed, active }: QueueFigures): number => waiting + delayed + active;

/** How much waits where. The lanes are counted before the destinations: what moves on meanwhile is not missed. */
export const queueDepths = async (store: Store): Promise<QueueDepths> => {
  const { ingest, destinations } = await readFigures(store);
  return {
    ingest: { messages: unfinished(ingest.messages), statuses: unfinished(ingest.statuses) },
    destinations: destinations.map(({ id, waiting, delayed, active, deadLetters }) => ({
      id,
      waiting,
      delayed,
      active,
      deadLetters,
    })),
  };
};
