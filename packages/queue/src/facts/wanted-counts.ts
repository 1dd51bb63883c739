import type { Event } from '@clickrelay/core';
import { openRoute, type Route } from '@clickrelay/routing';
import { type Destination, listDestinations } from '../destinations/destinations.ts';
import { listEvents } from '../log/list-events.ts';
import type { Store } from '../redis/store.ts';
import { takeTurns } from '../redis/take-turns.ts';

/** How many of the newest events are looked at, and how many must be there. */
const EVENTS = 1_000;
const PAGE = 200;

/** What decides about its events: with other settings a count no longer holds. */
const wishOf = ({ events, channels, classes, filter }: Destination): string =>
  JSON.stringify([events, channels, classes, filter]);

const routeOf = (destination: Destination): Route | undefined => {
  try {
    return openRoute(destination);
  } catch {
    // With a filter that does not compile it gets every event.
    return undefined;
  }
};

export interface WantedCounts {
  /**
   * How many of the newest 1,000 events each destination wanted at the last look; one is left out when that is not
   * known: its settings have changed since, or there are fewer events. Begins another look when one is due, and does
   * not wait for it.
   */
  read(): Promise<ReadonlyMap<string, number>>;
  /** Resolves when no look is under way. */
  looked(): Promise<void>;
}

/**
 * Counts how many of the newest events each destination wants. A look reads and routes a thousand events: at most one
 * in `everyMs`, and none while nothing new came.
 */
export const createWantedCounts = (store: Store, { everyMs }: { everyMs: number }): WantedCounts => {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let newest: string | undefined;
  let counts = new Map<string, { readonly wish: string; readonly wanted: number }>();
  let looking: Promise<void> | undefined;

  const look = async (destinations: readonly Destination[]): Promise<void> => {
    const [first] = (await listEvents(store, { limit: 1 })).items;
    const isKnown = destinations.every((one) => counts.get(one.id)?.wish === wishOf(one));
    if (first === undefined || (first.event.id === newest && isKnown)) return;
    const events = await readNewest(store);
    newest = first.event.id;
    if (events.length < EVENTS) return;
    const nextTurn = takeTurns();
    const found: typeof counts = new Map();
    for (const destination of destinations) {
      const route = routeOf(destination);
      let wanted = 0;
      for (const event of events) {
        await nextTurn();
        if (route === undefined || route.wants(event)) wanted++;
      }
      found.set(destination.id, { wish: wishOf(destination), wanted });
    }
    counts = found;
  };

  return {
    looked: async () => looking,
    read: async () => {
      const destinations = await listDestinations(store);
      if (performance.now() - lookedAt >= everyMs && looking === undefined) {
        lookedAt = performance.now();
        looking = look(destinations)
          // Redis went away: the next look tries again.
          .catch(() => {})
          .finally(() => {
            looking = undefined;
          });
      }
      return new Map(
        destinations.flatMap((one) => {
          const known = counts.get(one.id);
          return known?.wish === wishOf(one) ? [[one.id, known.wanted] as const] : [];
        }),
      );
    },
  };
};

const readNewest = async (store: Store): Promise<Event[]> => {
  const events: Event[] = [];
  let cursor: string | undefined;
  while (events.length < EVENTS) {
    const { items, next } = await listEvents(store, { limit: PAGE, cursor });
    events.push(...items.map(({ event }) => event));
    if (next === null) break;
    cursor = next;
  }
  return events.slice(0, EVENTS);
};
