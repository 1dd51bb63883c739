import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { QueueUnavailableError, type StatusClass } from '@clickrelay/core';
import { removeHours } from '../counts/hour-figures.ts';
import { destinationQueue, REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { HOLDS } from './holds.ts';

/** Where events go: an adapter plus its configuration. */
export interface Destination {
  readonly id: string;
  /** The adapter's name; `pull` destinations are leased from instead of delivered to. */
  readonly type: string;
  /** Patterns of event types, such as `mo*`. */
  readonly events: readonly string[];
  /** Channels whose events it wants; all when left out. */
  readonly channels?: readonly string[];
  /** Classes of status whose updates it wants; all when left out. Says nothing about other events. */
  readonly classes?: readonly StatusClass[];
  /** An expression over `event` that must be true; `packages/routing` compiles it. */
  readonly filter?: string;
  /** Why nothing is sent at the moment; null when sending. Events wait. */
  readonly paused: string | null;
  /** The adapter's own part, checked by the adapter's schema before it is put here. */
  readonly config: Readonly<Record<string, unknown>>;
}

const DESTINATIONS = `${REGISTRY}:destinations`;
/** Counts changes, so that workers can tell with one small read whether there was one. */
export const DESTINATIONS_VERSION = `${REGISTRY}:version`;
/** Since when each is there, in Redis's own microseconds, as the log has them. */
const SINCE = `${REGISTRY}:since`;

export const listDestinations = async (store: Store): Promise<Destination[]> => {
  const all = await store.redis.hgetall(DESTINATIONS);
  return Object.values(all)
    .map((text) => JSON.parse(text) as Destination)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
};

export const readDestination = async (store: Store, id: string): Promise<Destination | undefined> => {
  const text = await store.redis.hget(DESTINATIONS, id);
  return text === null ? undefined : (JSON.parse(text) as Destination);
};

/*
 * Whoever changes a destination has mended it: workers need not wait until it has answered well again.
 *
 * KEYS: destinations, since, holds, version, turn. ARGV: id, text, token of whose turn it is.
 * Answers 0 when it is a new one and the turn is another's.
 */
const PUT_SCRIPT = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('GET', KEYS[5]) ~= ARGV[3] then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSETNX', KEYS[2], ARGV[1], string.format('%.0f', time[1] * 1000000 + time[2]))
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('INCR', KEYS[4])
return 1`;

/**
 * Changes a destination, or makes one, which begins with an empty queue.
 * @throws {QueueUnavailableError} also when another one of its name is still being removed
 */
export const putDestination = async (store: Store, destination: Destination): Promise<void> => {
  const { id } = destination;
  const put = async (token = ''): Promise<boolean> =>
    (await store.redis.eval(
      PUT_SCRIPT,
      5,
      DESTINATIONS,
      SINCE,
      HOLDS,
      DESTINATIONS_VERSION,
      turnKey(id),
      id,
      JSON.stringify(destination),
      token,
    )) === 1;
  for (let isPut = await put(); !isPut; ) {
    isPut = await inTurn(store, id, async (token) => {
      // Somebody else made it meanwhile: what is in its queue is its own.
      if (await put()) return true;
      // An earlier one of this name may have left something: its removal was cut off, or a worker had not heard of it.
      await emptyQueue(store, id);
      return put(token);
    });
  }
};

/** Every destination's id, and since when it is there: what was logged before is none of its business. */
export const listLiving = async (store: Store): Promise<Map<string, number>> => {
  const [ids, since] = await Promise.all([store.redis.hkeys(DESTINATIONS), store.redis.hgetall(SINCE)]);
  return new Map(ids.map((id) => [id, Number(since[id] ?? 0)]));
};

/**
 * Forgets a destination together with its waiting deliveries and its dead letters. Events stay in the log.
 * @returns false when there is none with this id.
 */
export const removeDestination = (store: Store, id: string): Promise<boolean> =>
  inTurn(store, id, async () => {
    const replies = await store.redis
      .multi()
      .hdel(DESTINATIONS, id)
      .hdel(HOLDS, id)
      .hdel(SINCE, id)
      .incr(DESTINATIONS_VERSION)
      .exec();
    // Also when it is gone already: a removal that was cut off half-way is finished by asking again.
    await emptyQueue(store, id);
    return Number(replies?.[0]?.[1]) > 0;
  });

const emptyQueue = async (store: Store, id: string): Promise<void> => {
  await store.queue(destinationQueue(id)).obliterate({ force: true });
  await removeHours(store, id, Date.now());
};

// -- making and removing, one after the other --------------------------------------------------------------------

/*
 * The queue of a destination is emptied in many steps, and lies on another server of a Cluster than the registry: who
 * makes or removes a destination does it while nobody else makes or removes one of the same name.
 */

const turnKey = (id: string): string => `${REGISTRY}:turn:${id}`;
/** After this, in ms, the turn of somebody who died is over. */
const TURN_MS = 5_000;
/** Longer than any turn but one that removes a great many deliveries. */
const TURN_WAIT_MS = 15_000;
const ASK_AGAIN_MS = 20;

/* KEYS: turn. ARGV: token, ms; 0 ends it. */
const TURN_SCRIPT = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end`;

const inTurn = async <T>(store: Store, id: string, work: (token: string) => Promise<T>): Promise<T> => {
  const token = randomUUID();
  const deadline = performance.now() + TURN_WAIT_MS;
  for (;;) {
    const holder = await store.redis.set(turnKey(id), token, 'PX', TURN_MS, 'NX', 'GET');
    // Ours already when the answer was lost and the command went out once more.
    if (holder === null || holder === token) break;
    if (performance.now() > deadline) {
      throw new QueueUnavailableError(`a destination ${id} is being made or removed by somebody else; ask again later`);
    }
    await sleep(ASK_AGAIN_MS);
  }
  const extend = (ms: number): Promise<unknown> => store.redis.eval(TURN_SCRIPT, 1, turnKey(id), token, ms);
  // When it cannot be renewed it ends, and whoever puts after that is told.
  const renewal = setInterval(() => extend(TURN_MS).catch(() => {}), TURN_MS / 3);
  try {
    return await work(token);
  } finally {
    clearInterval(renewal);
    // Nobody waits for this. A connection that broke may be back soon; if not, the turn is over by itself.
    void (async () => {
      for (const over = performance.now() + TURN_MS; performance.now() < over; await sleep(ASK_AGAIN_MS)) {
        if ((await extend(0).catch(() => 'not yet')) !== 'not yet') return;
      }
    })();
  }
};

/* KEYS: destinations, holds, version. ARGV: id, text before, text after. Answers 0 when it has another text by now. */
const REPLACE_SCRIPT = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('INCR', KEYS[3])
return 1`;

/**
 * Changes a destination from what it is at this moment: what somebody puts at the same time is not undone.
 * @param change Called again when it was changed in between.
 * @returns undefined when there is none with this id.
 */
export const updateDestination = async (
  store: Store,
  id: string,
  change: (present: Destination) => Destination,
): Promise<Destination | undefined> => {
  for (;;) {
    const before = await store.redis.hget(DESTINATIONS, id);
    if (before === null) return undefined;
    const changed = change(JSON.parse(before) as Destination);
    const after = JSON.stringify(changed);
    if ((await store.redis.eval(REPLACE_SCRIPT, 3, DESTINATIONS, HOLDS, DESTINATIONS_VERSION, id, before, after)) === 1)
      return changed;
  }
};

const setPaused = async (store: Store, id: string, reason: string | null): Promise<boolean> =>
  (await updateDestination(store, id, (present) => ({ ...present, paused: reason }))) !== undefined;

/** Sends nothing more until resumed; what comes in waits. @returns false when there is none with this id. */
export const pauseDestination = (store: Store, id: string, reason: string): Promise<boolean> =>
  setPaused(store, id, reason);

/** @returns false when there is none with this id. */
export const resumeDestination = (store: Store, id: string): Promise<boolean> => setPaused(store, id, null);

/** A change is noticed within about this time, and at once by `look`. */
const POLL_MS = 500;

export interface DestinationWatch {
  /**
   * Resolves when every change that was made before this call has been called back.
   * @param version What the registry's version was: resolves at once when nothing has changed since what was called back.
   */
  look(version?: string | null): Promise<void>;
  stop(): void;
}

/** Calls back with all destinations now, and after every change. */
export const watchDestinations = async (
  store: Store,
  {
    onChange,
    onError,
  }: { onChange: (destinations: Destination[]) => void | Promise<void>; onError: (error: unknown) => void },
): Promise<DestinationWatch> => {
  let version: string | null | undefined;
  let reloading: Promise<void> | undefined;

  const reload = async (present: string | null): Promise<void> => {
    await onChange(await listDestinations(store));
    version = present;
  };
  const look = async (known?: string | null): Promise<void> => {
    if (known !== undefined && known === version) return;
    const present = await store.redis.get(DESTINATIONS_VERSION);
    // One that is under way may have read the list before the change that we are to see.
    while (reloading !== undefined) await reloading;
    if (present === version) return;
    reloading = reload(present).finally(() => {
      reloading = undefined;
    });
    await reloading;
  };
  await look();

  let busy = false;
  const timer = setInterval(async () => {
    if (busy) return;
    busy = true;
    try {
      await look();
    } catch (error) {
      onError(error);
    } finally {
      busy = false;
    }
  }, POLL_MS);
  return { look, stop: () => clearInterval(timer) };
};
