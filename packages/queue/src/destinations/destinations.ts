import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { QueueUnavailableError, type StatusClass } from '@clickrelay/core';
import { removeHours } from '../counts/hour-figures.ts';
import { StoreLostError } from '../redis/errors.ts';
import { every } from '../redis/every.ts';
import { destinationQueue, REGISTRY } from '../redis/names.ts';
import { luaTable, runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';
import { takeTurn } from '../redis/take-turn.ts';
import { HOLDS, TROUBLES } from './holds.ts';
import writeDestinationLua from './write-destination.lua';

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
  /** Why nothing is sent: somebody paused it by hand, or it answered 410 (gone). Null when sending. Events wait. */
  readonly paused: string | null;
  /** The adapter's own part, checked by the adapter's schema before it is put here. */
  readonly config: Readonly<Record<string, unknown>>;
}

const DESTINATIONS = `${REGISTRY}:destinations`;
/** Counts changes: one small read tells workers whether there was one. */
export const DESTINATIONS_VERSION = `${REGISTRY}:version`;
/** Since when each is there, in microseconds of the server's clock, as in the log. */
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

/** What the script answers. */
const WRITTEN = { yes: 1, changedMeanwhile: 0, notOurTurn: -1 } as const;

const WRITE: Script = { name: 'writeDestination', lua: luaTable('WRITTEN', WRITTEN) + writeDestinationLua };

/** Each lost try is the change of somebody else: so many in a row do not happen unless something is wrong. */
const MOST_TRIES = 100;
/** The longest pause before another try, in ms; random, so that many who change one destination do not march in step. */
const LONGEST_PAUSE_MS = 20;

/**
 * The one way to change a destination, or to make one: from what it is at this moment, so that no change undoes another
 * that is made at the same time. A new one begins with an empty queue.
 * @param change Called again with what there is by then when somebody else was faster. Says what it shall be;
 *   undefined when nothing is to be done.
 * @returns what it is now; undefined when nothing was done
 * @throws {QueueUnavailableError} also when another one of its name is still being removed
 */
export const changeDestination = async <Changed extends Destination | undefined>(
  store: Store,
  id: string,
  change: (present: Destination | undefined) => Changed,
): Promise<Changed> => {
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const before = (await store.redis.hget(DESTINATIONS, id)) ?? '';
    const changed = change(before === '' ? undefined : (JSON.parse(before) as Destination));
    if (changed === undefined) return changed;
    const after = JSON.stringify(changed);
    let written = await write(store, id, { before, after });
    if (written === WRITTEN.notOurTurn) {
      written = await inTurn(store, id, async (token) => {
        // An earlier one of this name may have left jobs: its removal was cut off, or a worker had not heard of it.
        // When another process has made this one meanwhile, what is in its queue belongs to it.
        if ((await store.redis.hexists(DESTINATIONS, id)) === 0) await emptyQueue(store, id);
        return write(store, id, { before, after, token });
      });
    }
    if (written === WRITTEN.yes) return changed;
    await sleep(Math.random() * LONGEST_PAUSE_MS);
  }
  throw new QueueUnavailableError(`destination ${id} is being changed by too many at once; ask again later`);
};

const write = (
  store: Store,
  id: string,
  { before, after, token = '' }: { before: string; after: string; token?: string },
): Promise<(typeof WRITTEN)[keyof typeof WRITTEN]> =>
  runScript(
    store.redis,
    WRITE,
    [DESTINATIONS, SINCE, HOLDS, DESTINATIONS_VERSION, turnKey(id), TROUBLES],
    [id, before, after, token],
  );

/** Makes a destination, or replaces whatever it is with this. What keeps a part of it uses `changeDestination`. */
export const putDestination = async (store: Store, destination: Destination): Promise<void> => {
  await changeDestination(store, destination.id, () => destination);
};

export interface Pause {
  /** A person paused it, or it answered 410. */
  readonly by: 'hand' | 'gone';
  /** By the clock of Redis, in ms since 1970. */
  readonly at: number;
}

/** Of each destination that is paused, by whom and since when. */
const PAUSES = `${REGISTRY}:pauses`;

/** @returns whether it was paused before; undefined when there is none with this id */
const setPaused = async (store: Store, id: string, reason: string | null): Promise<boolean | undefined> => {
  let wasPaused = false;
  const changed = await changeDestination(store, id, (present) => {
    wasPaused = present?.paused !== null;
    return present && { ...present, paused: reason };
  });
  return changed === undefined ? undefined : wasPaused;
};

/**
 * Pauses a destination: nothing is sent until it is resumed, and events wait.
 * @param by who does so; for one that is paused already, who did so first is kept
 * @returns false when there is none with this id.
 */
export const pauseDestination = async (
  store: Store,
  id: string,
  reason: string,
  by: Pause['by'] = 'hand',
): Promise<boolean> => {
  const wasPaused = await setPaused(store, id, reason);
  if (wasPaused === false) await store.redis.hset(PAUSES, id, `${by} ${store.clock.now()}`);
  return wasPaused !== undefined;
};

/** @returns false when there is none with this id. */
export const resumeDestination = async (store: Store, id: string): Promise<boolean> => {
  const wasPaused = await setPaused(store, id, null);
  if (wasPaused) await store.redis.hdel(PAUSES, id);
  return wasPaused !== undefined;
};

/** By destination; one that was made as a paused one has none. */
export const listPauses = async (store: Store): Promise<Map<string, Pause>> => {
  const pauses = Object.entries(await store.redis.hgetall(PAUSES));
  return new Map(
    pauses.map(([id, text]) => {
      const [by, at] = text.split(' ') as [Pause['by'], string];
      return [id, { by, at: Number(at) }];
    }),
  );
};

/** Every destination's id, and since when it is there: it is owed nothing that was logged before. */
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
      .hdel(TROUBLES, id)
      .hdel(PAUSES, id)
      .hdel(SINCE, id)
      .incr(DESTINATIONS_VERSION)
      .exec();
    // Also when it is gone already: asking again finishes a removal that was cut off half-way.
    await emptyQueue(store, id);
    return Number(replies?.[0]?.[1]) > 0;
  });

const emptyQueue = async (store: Store, id: string): Promise<void> => {
  await store.queue(destinationQueue(id)).obliterate({ force: true });
  await removeHours(store, id, Date.now());
};

// -- making and removing, one after the other --------------------------------------------------------------------

/*
 * The queue of a destination is emptied in many steps, and lies on another server of a Cluster than the registry. So
 * only one process at a time makes or removes a destination of a name: the one whose turn it is.
 */

const turnKey = (id: string): string => `${REGISTRY}:turn:${id}`;
/** After this, in ms, the turn of a process that died is over. */
const TURN_MS = 5_000;
/** Longer than any turn but one that removes a great many deliveries. */
const TURN_WAIT_MS = 15_000;
const ASK_AGAIN_MS = 20;

/* KEYS: turn. ARGV: token, for how long in ms; 0 ends the turn. */
const EXTEND_TURN: Script = {
  name: 'extendTurn',
  lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end`,
};

const inTurn = async <T>(store: Store, id: string, work: (token: string) => Promise<T>): Promise<T> => {
  const token = randomUUID();
  const deadline = performance.now() + TURN_WAIT_MS;
  for (;;) {
    const holder = await takeTurn(store, turnKey(id), token, TURN_MS);
    // It is ours already when the answer was lost and the command went out once more.
    if (holder === null || holder === token) break;
    if (performance.now() > deadline) {
      throw new QueueUnavailableError(`a destination ${id} is being made or removed by somebody else; ask again later`);
    }
    await sleep(ASK_AGAIN_MS);
  }
  const extend = (ms: number): Promise<unknown> => runScript(store.redis, EXTEND_TURN, [turnKey(id)], [token, ms]);
  // A turn that cannot be renewed ends, and a put after that is refused.
  const renewal = setInterval(() => extend(TURN_MS).catch(() => {}), TURN_MS / 3);
  try {
    return await work(token);
  } finally {
    clearInterval(renewal);
    // In the background. A connection that broke may be back soon; if not, the turn expires.
    void (async () => {
      for (const over = performance.now() + TURN_MS; performance.now() < over; await sleep(ASK_AGAIN_MS)) {
        if ((await extend(0).catch(() => 'not yet')) !== 'not yet') return;
      }
    })();
  }
};

/** A change is noticed within about this time, and at once by `look`. */
const POLL_MS = 500;

export interface DestinationWatch {
  /**
   * Resolves when every change that was made before this call has been called back.
   * @param version The version that the caller has read: resolves at once when that one has been called back.
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
  let known: readonly Destination[] = [];
  let reloading: Promise<void> | undefined;

  const reload = async (present: string | null): Promise<void> => {
    known = await listDestinations(store);
    await onChange([...known]);
    version = present;
  };
  /** Puts them into the store that stands in for the one that is gone, before anybody takes from its queues. */
  const putBack = async (): Promise<void> => {
    for (const one of known) await changeDestination(store, one.id, (present) => present ?? one);
    version = undefined;
  };
  const look = async (known?: string | null): Promise<void> => {
    if (known !== undefined && known === version) return;
    const present = await store.redis.get(DESTINATIONS_VERSION);
    // An emptied Redis has no destinations. The process keeps those that it knows.
    if (present !== version) await store.identity.look();
    // A reload that is under way may have read the list before the change that we are to see.
    while (reloading !== undefined) await reloading;
    if (present === version) return;
    reloading = reload(present).finally(() => {
      reloading = undefined;
    });
    await reloading;
  };
  await look();
  store.identity.onAdopt(putBack);

  // That the store is lost is told by others.
  const timer = every(POLL_MS, look, (error) => {
    if (!(error instanceof StoreLostError)) onError(error);
  });
  return { look, stop: () => clearInterval(timer) };
};
