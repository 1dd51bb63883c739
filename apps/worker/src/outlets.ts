import { MINUTE_MS } from '@clickrelay/core';
import type { WorkerMetrics } from '@clickrelay/metrics';
import {
  createOrdering,
  type Destination,
  type DestinationNotes,
  type Dispatcher,
  destinationQueue,
  type Hold,
  holdDestination,
  listHolds,
  releaseDestination,
  type Settlement,
  type Store,
  type TakenJob,
  watchDestinations,
} from '@clickrelay/queue';
import { type OnGivenUp, openRoute, type Route } from '@clickrelay/routing';
import { describeError } from '@clickrelay/service/log';
import type { Logger } from 'pino';
import { AdapterMissingError, type Adapters, PULL } from './adapters.ts';
import { Outlet, type OutletOptions } from './outlet.ts';

/* Keeps an outlet for each destination of the registry, has the dispatcher take from its queue, and shares holds. */

/** What one worker finds out about a destination is known to the others within about this time. */
const HOLD_POLL_MS = 500;

export interface Outlets {
  /** Another array after every change. */
  all(): readonly Outlet[];
  /** See `DestinationWatch.look`. */
  look(version?: string | null): Promise<void>;
  /** Destinations that could not be opened, with the code of the error: their events wait. */
  unopened(): { destinationId: string; code: string }[];
  /** Follows neither the registry nor the holds any more. */
  stopWatching(): void;
  close(): Promise<void>;
}

export interface OutletsOptions extends Pick<OutletOptions, 'turns' | 'schedule'> {
  readonly store: Store;
  readonly dispatcher: Dispatcher;
  readonly adapters: Adapters;
  readonly notes: Pick<DestinationNotes, 'certificate'>;
  readonly metrics: WorkerMetrics;
  readonly log: Logger;
  readonly onError: (error: unknown) => void;
  /** Runs a job of an outlet's queue. */
  readonly deliver: (outlet: Outlet, job: TakenJob) => Promise<Settlement>;
}

/**
 * Resolves when the queue of each destination has been looked into: once it is known to be empty, events go straight.
 */
export const openOutlets = async (options: OutletsOptions): Promise<Outlets> => {
  const { store, dispatcher, adapters, notes, metrics, turns, schedule, log, onError, deliver } = options;
  const outlets = new Map<string, Outlet>();
  /** Codes of errors, by destination. */
  const unopened = new Map<string, string>();
  let list: readonly Outlet[] = [];

  const tellHold = (id: string, hold: Hold | undefined): void => {
    if (hold === undefined) {
      log.info({ destination: id }, 'destination.released');
      releaseDestination(store, id).catch(onError);
      return;
    }
    const leftMs = Math.round(hold.until - performance.now());
    log.warn({ destination: id, reason: hold.reason, seconds: Math.round(leftMs / 1_000) }, 'destination.held');
    holdDestination(store, id, { ...hold, until: store.clock.now() + leftMs }).catch(onError);
  };

  const tellGivenUp = (id: string): OnGivenUp => {
    let toldAt = Number.NEGATIVE_INFINITY;
    let events = 0;
    return (problem) => {
      events++;
      if (performance.now() - toldAt < MINUTE_MS) return;
      log.warn({ destination: id, problem, events }, 'destination.filter-given-up');
      toldAt = performance.now();
      events = 0;
    };
  };

  const open = async (destination: Destination): Promise<void> => {
    const queue = destinationQueue(destination.id);
    const onGivenUp = tellGivenUp(destination.id);
    let route: Route | undefined;
    let opened: ReturnType<Adapters['open']>;
    try {
      route = openRoute(destination, onGivenUp);
      opened = adapters.open(destination.type, destination.config, {
        onCertificate: (endsAt) => notes.certificate(destination.id, endsAt),
      });
      unopened.delete(destination.id);
      if (opened === undefined && destination.type !== PULL) throw new AdapterMissingError(destination.type);
    } catch (error) {
      unopened.set(destination.id, (error as { code?: string }).code ?? 'destination_invalid');
      // Its events wait in its queue until someone mends it.
      log.error({ destination: destination.id, error: describeError(error) }, 'destination.invalid');
    }
    const outlet = new Outlet(destination, opened, route, {
      turns,
      schedule,
      createOrdering: () => createOrdering(store, destination.id),
      onRoom: () => dispatcher.poke(queue),
      onHold: (hold) => tellHold(destination.id, hold),
      onGivenUp,
    });
    outlets.set(destination.id, outlet);
    if (opened === undefined) return;
    await dispatcher.add({
      queue,
      rate: outlet.rate,
      room: () => outlet.room(),
      onEmpty: () => outlet.onQueueEmpty(),
      run: (job) => deliver(outlet, job),
    });
  };

  const close = (outlet: Outlet, isRemoved: boolean): void => {
    outlets.delete(outlet.id);
    unopened.delete(outlet.id);
    dispatcher.remove(destinationQueue(outlet.id));
    (isRemoved ? outlet.remove() : outlet.close()).catch(onError);
  };

  const onDestinations = async (destinations: Destination[]): Promise<void> => {
    const opening: Promise<void>[] = [];
    const present = new Set(destinations.map(({ id }) => id));
    for (const outlet of [...outlets.values()]) {
      if (present.has(outlet.id)) continue;
      close(outlet, true);
      metrics.forget(outlet.id);
    }
    for (const destination of destinations) {
      const outlet = outlets.get(destination.id);
      if (outlet === undefined) opening.push(open(destination));
      else if (!isSame(outlet.destination, destination)) {
        if (isDeliveredAlike(outlet.destination, destination)) outlet.update(destination);
        else {
          close(outlet, false);
          opening.push(open(destination));
        }
      }
    }
    list = [...outlets.values()];
    await Promise.all(opening);
  };
  const watch = await watchDestinations(store, { onChange: onDestinations, onError });

  const obeyHolds = async (): Promise<void> => {
    // An outlet goes by the clock of this process, which nobody sets.
    const now = store.clock.now();
    for (const [id, hold] of await listHolds(store, now)) {
      outlets.get(id)?.obey({ ...hold, until: performance.now() + hold.until - now });
    }
  };
  await obeyHolds();
  const holdWatch = setInterval(() => obeyHolds().catch(onError), HOLD_POLL_MS);

  return {
    all: () => list,
    look: (version) => watch.look(version),
    unopened: () => [...unopened].map(([destinationId, code]) => ({ destinationId, code })),
    stopWatching: () => {
      watch.stop();
      clearInterval(holdWatch);
    },
    close: async () => {
      await Promise.all([...outlets.values()].map((outlet) => outlet.close()));
    },
  };
};

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The deliverer and the filter of one are those of the other. */
const isDeliveredAlike = (a: Destination, b: Destination): boolean =>
  a.type === b.type && a.filter === b.filter && isSame(a.config, b.config);
