import { deliveryId, type LoggedEvent } from '@clickrelay/core';
import { waitUntil } from '@clickrelay/testkit';
import { createAttemptLog } from '../src/deliveries/attempt-log.ts';
import { enqueueDeliveries } from '../src/deliveries/enqueue-deliveries.ts';
import { readDelivery } from '../src/deliveries/read-deliveries.ts';
import { putDestination } from '../src/destinations/destinations.ts';
import { createDispatcher } from '../src/jobs/dispatcher.ts';
import type { DeadLetterKind } from '../src/jobs/outcome.ts';
import type { Settlement } from '../src/jobs/settle.ts';
import { createEventLog } from '../src/log/append.ts';
import { destinationQueue } from '../src/redis/names.ts';
import type { Store } from '../src/redis/store.ts';

/** Makes destinations, events and dead letters for a test, and looks at what became of them. */
export const openGraveyard = (store: Store) => {
  const put = (...ids: string[]) =>
    Promise.all(
      ids.map((id) => putDestination(store, { id, type: 'webhook', events: ['*'], paused: null, config: {} })),
    );

  const append = (events: LoggedEvent[]) =>
    createEventLog(store, { dedupeTtlMs: 60_000 }).append('m1', events, Date.now());

  /** Works through what is ready for a destination, as a worker does. */
  const settleAll = async (destinationId: string, count: number, settlement: Settlement): Promise<string[]> => {
    const taken: string[] = [];
    const dispatcher = createDispatcher(store, { onError: () => {} });
    dispatcher.add({
      queue: destinationQueue(destinationId),
      room: () => 100,
      run: async ({ id }) => {
        taken.push(id);
        return settlement;
      },
    });
    await waitUntil(() => taken.length === count);
    await dispatcher.close(5_000);
    return taken;
  };

  /** Makes a dead letter of each, with one attempt. */
  const bury = async (
    destinationId: string,
    ids: string[],
    reason = 'answered 400',
    because?: DeadLetterKind,
  ): Promise<void> => {
    const attempts = createAttemptLog(store);
    await enqueueDeliveries(
      store,
      destinationId,
      ids.map((eventId) => ({ eventId })),
    );
    await Promise.all(
      ids.map((eventId) =>
        attempts.record({
          eventId,
          destinationId,
          startedAtMs: Date.now(),
          durationMs: 1,
          outcome: { kind: 'dead_letter' },
          status: 400,
          error: { code: 'destination_rejected', message: reason },
          response: '',
        }),
      ),
    );
    await settleAll(destinationId, ids.length, { kind: 'dead_letter', reason, because });
  };

  /** Gives a dead letter another time of failure, in ms. */
  const failAt = (ms: number, destinationId: string, eventId: string) =>
    store.redis.zadd(store.queue(destinationQueue(destinationId)).toKey('failed'), String(ms), eventId);

  const jobOf = (destinationId: string, eventId: string) =>
    store.queue(destinationQueue(destinationId)).getJob(eventId);
  const stateOf = async (destinationId: string, eventId: string) =>
    (await readDelivery(store, deliveryId(eventId, destinationId)))?.state;

  return { put, append, settleAll, bury, failAt, jobOf, stateOf };
};
