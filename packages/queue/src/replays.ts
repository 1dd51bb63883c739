import { randomBytes } from 'node:crypto';
import { deliveryId, type LoggedEvent, parseRate } from '@clickrelay/core';
import { openRoute } from '@clickrelay/routing';
import { readKinds, replayDelivery } from './dead-letters.ts';
import { listDestinations } from './destinations.ts';
import { decodeRecord, followEvents, type Page } from './event-log.ts';
import { destinationQueue, eventKeys, REGISTRY } from './names.ts';
import type { DeadLetterKind } from './outcome.ts';
import { sendAll } from './send-all.ts';
import type { Store } from './store.ts';

/*
 * Replays of many deliveries at once. A replay is a record in Redis: what was chosen, how far it is, and whether it is
 * to go on. Workers carry it out, one of them at a time, and go on where another one ended; whoever asked for it may go
 * away. What fails again after it began is not chosen by it a second time.
 */

/** Which deliveries are sent again. */
export interface ReplaySelection {
  /** Dead letters, or what was delivered already. */
  readonly state: 'dead_letter' | 'delivered';
  readonly destinationId?: string;
  /** Of dead letters. */
  readonly kind?: DeadLetterKind;
  /** Patterns of event types; all when left out. */
  readonly events?: readonly string[];
  /** Dead letters that failed, or events that came, at or after this time, in ms since 1970. */
  readonly since?: number;
  /** Before this time. At most the time at which the replay was made. */
  readonly until?: number;
  /** An expression over `event` that must be true. */
  readonly filter?: string;
}

export type ReplayState = 'running' | 'cancelled' | 'done';

export interface Replay {
  /** `rpl_…` */
  readonly id: string;
  readonly by: string;
  readonly createdAt: string;
  readonly state: ReplayState;
  readonly selection: ReplaySelection;
  /** As it was written: `500/s`; null for as fast as it goes. */
  readonly rate: string | null;
  /** Deliveries that were chosen when it was made; null when they were too many to be counted. */
  readonly matched: number | null;
  readonly replayed: number;
  /** Chosen, but on their way already. */
  readonly skipped: number;
}

const REPLAYS = `${REGISTRY}:replays`;
const replayKey = (id: string): string => `${REGISTRY}:replay:${id}`;
const lockKey = (id: string): string => `${REGISTRY}:replay:${id}:lock`;
/** Older ones are forgotten. */
const MOST_KEPT = 200;
/** Read at once. */
const BATCH = 200;
/** More than this is not counted before it is done. */
const MOST_COUNTED = 200_000;

// -- choosing ---------------------------------------------------------------------------------------------------

interface Chosen {
  readonly ids: readonly string[];
  /** Where to go on. */
  readonly cursor: string;
}

/** Batches of what a selection chooses, oldest first; what is chosen may leave the lists meanwhile. */
async function* choose(store: Store, selection: ReplaySelection, from: string): AsyncGenerator<Chosen> {
  const { events = ['*'], filter } = selection;
  const route = openRoute({ events, ...(filter !== undefined && { filter }) });
  const wants = (logged: LoggedEvent | undefined): boolean => logged !== undefined && route.wants(logged.event);
  const present = (await listDestinations(store)).map(({ id }) => id);
  const { destinationId } = selection;
  const destinationIds = destinationId === undefined ? present : present.filter((id) => id === destinationId);
  if (selection.state === 'delivered') yield* chooseDelivered(store, selection, destinationIds, wants, from);
  else yield* chooseDead(store, selection, destinationIds, wants, from);
}

async function* chooseDead(
  store: Store,
  { since = 0, until = Number.MAX_SAFE_INTEGER, kind }: ReplaySelection,
  destinationIds: readonly string[],
  wants: (logged: LoggedEvent | undefined) => boolean,
  from: string,
): AsyncGenerator<Chosen> {
  const [firstDestination = '', score = '', lastId = ''] = from.split(' ');
  for (const destinationId of destinationIds) {
    if (destinationId < firstDestination) continue;
    const failedKey = store.queue(destinationQueue(destinationId)).toKey('failed');
    const isFirst = destinationId === firstDestination && score !== '';
    let place = isFirst ? { score: Number(score), id: lastId } : { score: since, id: '' };
    for (let count = BATCH; ; ) {
      const flat = await store.redis.zrangebyscore(
        failedKey,
        place.score,
        `(${until}`,
        'WITHSCORES',
        'LIMIT',
        0,
        count,
      );
      const read = Array.from({ length: flat.length / 2 }, (_, index) => ({
        id: flat[2 * index] as string,
        score: Number(flat[2 * index + 1]),
      }));
      const further = read.filter(({ id, score }) => score > place.score || id > place.id);
      const last = further.at(-1);
      if (last === undefined) {
        if (read.length < count) break;
        // All of them failed in one millisecond and were passed over: look behind them.
        count *= 4;
        continue;
      }
      const records = await sendAll(
        store,
        further.map(({ id }) => ['get', eventKeys(id).record]),
      );
      const logged = await Promise.all(
        further.map(({ id }, index) => decodeRecord(store, id, records[index] as string | null)),
      );
      const kinds = await readKinds(
        store,
        further.map(({ id }) => ({ destinationId, eventId: id })),
      );
      const wanted = further.filter((_, index) => (kind ?? kinds[index]) === kinds[index] && wants(logged[index]));
      place = last;
      count = BATCH;
      const cursor = `${destinationId} ${last.score} ${last.id}`;
      yield { ids: wanted.map(({ id }) => deliveryId(id, destinationId)), cursor };
    }
  }
}

async function* chooseDelivered(
  store: Store,
  { since = 0, until = Number.MAX_SAFE_INTEGER }: ReplaySelection,
  destinationIds: readonly string[],
  wants: (logged: LoggedEvent | undefined) => boolean,
  from: string,
): AsyncGenerator<Chosen> {
  let after = from === '' ? undefined : from;
  for (;;) {
    const { items, next } = await followEvents(store, { limit: BATCH, after, since: new Date(since) });
    if (items.length === 0) return;
    const inTime = items.filter(({ event }) => Date.parse(event.receivedAt) < until);
    const wanted = inTime.filter(wants);
    const states = await sendAll(
      store,
      wanted.map(({ event }) => ['hmget', eventKeys(event.id).deliveries, ...destinationIds]),
    );
    const ids = wanted.flatMap(({ event }, index) =>
      destinationIds
        .filter((_, at) => (states[index] as (string | null)[])[at] === 'd')
        .map((destinationId) => deliveryId(event.id, destinationId)),
    );
    after = next;
    yield { ids, cursor: next };
    if (inTime.length === 0) return;
  }
}

/**
 * How many deliveries a selection chooses now; undefined when they are too many to be counted in one go.
 * @throws {InvalidFilterError}
 */
export const countSelected = async (store: Store, selection: ReplaySelection): Promise<number | undefined> => {
  let count = 0;
  for await (const { ids } of choose(store, selection, '')) {
    count += ids.length;
    if (count > MOST_COUNTED) return undefined;
  }
  return count;
};

// -- records ----------------------------------------------------------------------------------------------------

interface ReplayToMake {
  readonly selection: ReplaySelection;
  readonly rate: string | null;
  readonly by: string;
}

/** A worker begins with it within a second. */
export const createReplay = async (
  store: Store,
  { selection, rate, by }: ReplayToMake,
  nowMs: number,
): Promise<Replay> => {
  const id = `rpl_${randomBytes(8).toString('hex')}`;
  const bounded = { ...selection, until: Math.min(selection.until ?? nowMs, nowMs) };
  const matched = await countSelected(store, bounded);
  await store.redis
    .multi()
    .hset(replayKey(id), {
      by,
      createdAt: new Date(nowMs).toISOString(),
      state: 'running',
      selection: JSON.stringify(bounded),
      rate: rate ?? '',
      matched: matched ?? '',
      cursor: '',
      replayed: 0,
      skipped: 0,
    })
    .zadd(REPLAYS, nowMs, id)
    .exec();
  for (const old of await store.redis.zrevrange(REPLAYS, MOST_KEPT, -1)) {
    await store.redis.multi().zrem(REPLAYS, old).del(replayKey(old)).exec();
  }
  return (await readReplay(store, id)) as Replay;
};

const decode = (id: string, fields: Record<string, string>): Replay | undefined =>
  fields['state'] === undefined
    ? undefined
    : {
        id,
        by: fields['by'] ?? '',
        createdAt: fields['createdAt'] ?? '',
        state: fields['state'] as ReplayState,
        selection: JSON.parse(fields['selection'] ?? '{}') as ReplaySelection,
        rate: fields['rate'] || null,
        matched: fields['matched'] ? Number(fields['matched']) : null,
        replayed: Number(fields['replayed']),
        skipped: Number(fields['skipped']),
      };

export const readReplay = async (store: Store, id: string): Promise<Replay | undefined> =>
  decode(id, await store.redis.hgetall(replayKey(id)));

/** When it was made and its id: the order of the list, newest first, goes by both. */
const CURSOR = /^(\d{1,15})\.(rpl_[0-9a-f]{16})$/;

/** Newest first. */
export const listReplays = async (
  store: Store,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<Replay>> => {
  const [, madeAt, lastId = ''] = CURSOR.exec(cursor ?? '') ?? [];
  const places = await store.redis.zrevrange(REPLAYS, 0, MOST_KEPT, 'WITHSCORES');
  const further: { id: string; score: number }[] = [];
  for (let at = 0; at < places.length; at += 2) {
    const [id, score] = [places[at] as string, Number(places[at + 1])];
    const isFurther = madeAt === undefined || score < Number(madeAt) || (score === Number(madeAt) && id < lastId);
    if (isFurther) further.push({ id, score });
  }
  const page = further.slice(0, limit);
  const found = await Promise.all(page.map(({ id }) => readReplay(store, id)));
  const last = page.at(-1);
  return {
    items: found.filter((replay) => replay !== undefined),
    next: further.length > limit && last !== undefined ? `${last.score}.${last.id}` : null,
  };
};

/**
 * Stops a replay, or lets it go on where it stopped. One that is done stays done.
 * @returns undefined when there is none with this id.
 */
export const setReplayState = async (
  store: Store,
  id: string,
  state: 'running' | 'cancelled',
): Promise<Replay | undefined> => {
  const replay = await readReplay(store, id);
  if (replay !== undefined && replay.state !== 'done') await store.redis.hset(replayKey(id), { state });
  return readReplay(store, id);
};

// -- carrying out -----------------------------------------------------------------------------------------------

/** How often a worker looks whether there is one to carry out, in ms. */
const LOOK_MS = 500;
/** Longer than any batch takes: another worker goes on after it. */
const LOCK_MS = 10_000;
/** With a rate, so often some are sent again. */
const TICK_MS = 100;
/** Sent again at once when there is no rate. */
const AT_ONCE = 100;

interface ReplayRunner {
  stop(): Promise<void>;
}

interface ReplayRunnerOptions {
  readonly onError: (error: unknown) => void;
  readonly onEnd?: (replay: Replay) => void;
}

/** Carries out replays, its share of them when there are several workers. */
export const startReplays = (store: Store, { onError, onEnd }: ReplayRunnerOptions): ReplayRunner => {
  const running = new Map<string, Promise<void>>();
  const token = randomBytes(8).toString('hex');
  let stopping = false;

  const isOurs = async (id: string): Promise<boolean> => {
    const [holder, state] = await Promise.all([
      store.redis.set(lockKey(id), token, 'PX', LOCK_MS, 'NX', 'GET'),
      store.redis.hget(replayKey(id), 'state'),
    ]);
    if (holder !== null && holder !== token) return false;
    if (holder === token) await store.redis.pexpire(lockKey(id), LOCK_MS);
    return state === 'running' && !stopping;
  };

  const replayAll = async (id: string, ids: readonly string[]): Promise<void> => {
    const results = await Promise.all(ids.map((delivery) => replayDelivery(store, delivery)));
    const replayed = results.filter((result) => result === 'replayed').length;
    await store.redis
      .multi()
      .hincrby(replayKey(id), 'replayed', replayed)
      .hincrby(replayKey(id), 'skipped', results.length - replayed)
      .exec();
  };

  const carryOut = async (id: string): Promise<void> => {
    const fields = await store.redis.hgetall(replayKey(id));
    const replay = decode(id, fields);
    if (replay === undefined || !(await isOurs(id))) return;
    const rate = replay.rate === null ? undefined : parseRate(replay.rate);
    const perMs = rate === undefined ? Number.POSITIVE_INFINITY : rate.max / rate.spanMs;
    const share = rate === undefined ? AT_ONCE : Math.max(1, Math.floor(perMs * TICK_MS));
    // When the next share may go: a share that was late is not made up for by two at once.
    let nextAt = performance.now();

    for await (const { ids, cursor } of choose(store, replay.selection, fields['cursor'] ?? '')) {
      for (let at = 0; at < ids.length; at += share) {
        await pause(nextAt - performance.now());
        if (!(await isOurs(id))) return;
        const now = ids.slice(at, at + share);
        nextAt = Math.max(performance.now(), nextAt) + (rate === undefined ? 0 : now.length / perMs);
        await replayAll(id, now);
      }
      // What was sent again has left the lists: going on from an earlier place would only find the rest.
      await store.redis.hset(replayKey(id), { cursor });
      if (!(await isOurs(id))) return;
    }
    await store.redis.hset(replayKey(id), { state: 'done' });
    const ended = await readReplay(store, id);
    if (ended !== undefined) onEnd?.(ended);
  };

  const look = async (): Promise<void> => {
    for (const id of await store.redis.zrange(REPLAYS, '0', '-1')) {
      if (running.has(id) || (await store.redis.hget(replayKey(id), 'state')) !== 'running') continue;
      const work = carryOut(id)
        .catch(onError)
        .finally(() => running.delete(id));
      running.set(id, work);
    }
  };

  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look()
      .catch(onError)
      .finally(() => {
        looking = undefined;
      });
  }, LOOK_MS);

  return {
    stop: async () => {
      stopping = true;
      clearInterval(timer);
      await looking;
      const ids = [...running.keys()];
      await Promise.all(running.values());
      // The next worker need not wait until the lock has run out.
      for (const id of ids) await store.redis.del(lockKey(id)).catch(onError);
    },
  };
};

const pause = (ms: number): Promise<void> =>
  ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
