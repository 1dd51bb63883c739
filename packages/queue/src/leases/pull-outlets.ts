import { parseRate } from '@clickrelay/core';
import {
  type Destination,
  type DestinationWatch,
  readDestination,
  watchDestinations,
} from '../destinations/destinations.ts';
import { DestinationNotFoundError } from '../destinations/errors.ts';
import type { Dispatcher } from '../jobs/dispatcher.ts';
import type { Consumer } from '../jobs/source.ts';
import type { Store } from '../redis/store.ts';
import { NotAPullDestinationError } from './errors.ts';
import { newLeaseToken } from './lease-record.ts';
import { newOutlet, type PullOutlet, pacingOf, roomOf, updateOutlet } from './pull-outlet.ts';
import { endAfterLook } from './waiter.ts';

/* Keeps an outlet for each pull destination of the registry, and has the dispatcher take for it. */

const REOPEN_MS = 500;
/** How often to look whether the first connection is there. */
const CONNECT_MS = 20;

export interface PullOutlets {
  /** @throws {DestinationNotFoundError} @throws {NotAPullDestinationError} */
  find(id: string): Promise<PullOutlet>;
  /** No outlet has room any more. */
  beginClosing(): void;
  all(): Iterable<PullOutlet>;
  stop(): Promise<void>;
}

export interface PullOutletsOptions {
  readonly store: Store;
  readonly dispatcher: Dispatcher;
  readonly mostLeasesOut: number;
  readonly run: (outlet: PullOutlet, ...job: Parameters<Consumer['run']>) => ReturnType<Consumer['run']>;
  readonly onError: (error: unknown) => void;
}

export const openPullOutlets = ({
  store,
  dispatcher,
  mostLeasesOut,
  run,
  onError,
}: PullOutletsOptions): PullOutlets => {
  const outlets = new Map<string, PullOutlet>();
  let isClosing = false;

  const takeFor = (outlet: PullOutlet): void => {
    const { queue, destination, waiters } = outlet;
    const added = dispatcher.add({
      queue,
      rate: parseRate(pacingOf(destination).rate ?? ''),
      newToken: () => newLeaseToken(store.clock.now()),
      room: () => (isClosing ? 0 : roomOf(outlet, mostLeasesOut)),
      onEmpty: (since) => endAfterLook(waiters, since),
      onLimited: (since) => endAfterLook(waiters, since),
      onActive: (count) => {
        outlet.out = count;
        dispatcher.poke(queue);
      },
      run: (job) => run(outlet, job),
    });
    added.catch(onError);
  };

  const onDestinations = (destinations: Destination[]): void => {
    const present = new Map(destinations.filter(({ type }) => type === 'pull').map((found) => [found.id, found]));
    for (const [id, outlet] of outlets) {
      if (present.has(id)) continue;
      outlets.delete(id);
      dispatcher.remove(outlet.queue);
      for (const waiter of outlet.waiters) waiter.refuse(noDestination(id));
    }
    for (const [id, destination] of present) {
      const outlet = outlets.get(id);
      if (outlet === undefined) {
        const opened = newOutlet(store, destination);
        outlets.set(id, opened);
        takeFor(opened);
      } else if (updateOutlet(store, outlet, destination)) {
        dispatcher.remove(outlet.queue);
        takeFor(outlet);
      } else dispatcher.poke(outlet.queue);
    }
  };

  /** Tries until Redis is there. */
  const openWatch = async (): Promise<DestinationWatch | undefined> => {
    for (let waitMs = CONNECT_MS; !isClosing; ) {
      try {
        // Before that there is nothing to ask over.
        if (store.redis.status === 'ready') {
          return await watchDestinations(store, { onChange: onDestinations, onError });
        }
      } catch (error) {
        onError(error);
        waitMs = REOPEN_MS;
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    return undefined;
  };
  const watch = openWatch();

  return {
    find: async (id) => {
      const known = outlets.get(id);
      if (known !== undefined) return known;
      // Made a moment ago, perhaps by another process.
      const destination = await readDestination(store, id);
      if (destination === undefined) throw noDestination(id);
      if (destination.type !== 'pull') {
        throw new NotAPullDestinationError(
          `${id} is a ${destination.type} destination: it is delivered to, and only pull destinations are leased from`,
        );
      }
      await (await watch)?.look();
      const outlet = outlets.get(id);
      if (outlet === undefined) throw noDestination(id);
      return outlet;
    },
    beginClosing: () => {
      isClosing = true;
    },
    all: () => outlets.values(),
    stop: async () => (await watch)?.stop(),
  };
};

const noDestination = (id: string): DestinationNotFoundError =>
  new DestinationNotFoundError(`there is no destination ${id.slice(0, 120)}`);
