import { randomBytes } from 'node:crypto';
import { parseRate } from '@clickrelay/core';
import { replayDelivery } from '../deliveries/dead-letters.ts';
import { forgetReplayCounts, REPLAY_KEPT_S, readReplayCounts } from '../deliveries/replay-outcomes.ts';
import type { Page } from '../log/list-events.ts';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { type Counted, chooseDeliveries, countSelected, type DeliverySelection } from './choose-deliveries.ts';

/*
 * Replays of many deliveries at once. A replay is a record in Redis: what was chosen, how far it is, and whether it is
 * to go on. Workers carry it out, one of them at a time, and go on where another one ended; whoever asked for it may go
 * away. What fails again after it began is not chosen by it a second time.
 */

/** What a replay shows of its selection: of deliveries that were named only how many. */
interface ReplayedSelection extends Omit<DeliverySelection, 'deliveries' | 'except'> {
  readonly until: number;
  /** How many were named. */
  readonly deliveryCount?: number;
  /** How many are left out of what matches. */
  readonly exceptCount?: number;
}

/**
 * `paused` is to go on some time, `cancelled` is given up; neither sends anything, and either can be let go on where it
 * stopped. `done` is the end.
 */
export type ReplayState = 'running' | 'paused' | 'cancelled' | 'done';

export interface Replay {
  /** `rpl_…` */
  readonly id: string;
  readonly by: string;
  readonly createdAt: string;
  readonly state: ReplayState;
  readonly selection: ReplayedSelection;
  /** As it was written: `500/s`; null for as fast as it goes. */
  readonly rate: string | null;
  /** Deliveries that were chosen when it was made; null when they were too many to be counted. */
  readonly matched: number | null;
  readonly replayed: number;
  /** Of those that were sent again. */
  readonly delivered: number;
  /** Of those that were sent again: dead letters again. */
  readonly failed: number;
  /** Chosen, but on their way already. */
  readonly skipped: number;
}

const REPLAYS = `${REGISTRY}:replays`;
const replayKey = (id: string): string => `${REGISTRY}:replay:${id}`;
const lockKey = (id: string): string => `${REGISTRY}:replay:${id}:lock`;
/** Older ones are forgotten. */
const MOST_KEPT = 200;
// -- records ----------------------------------------------------------------------------------------------------

interface ReplayToMake {
  readonly selection: DeliverySelection;
  readonly rate: string | null;
  readonly by: string;
}

/** A worker begins with it within a second. @returns also what it chooses, and what it leaves out */
export const createReplay = async (
  store: Store,
  { selection: { deliveries, except, ...selection }, rate, by }: ReplayToMake,
  nowMs: number,
): Promise<Replay & { readonly counted: Counted }> => {
  const id = `rpl_${randomBytes(8).toString('hex')}`;
  const lists = { ...(deliveries && { deliveries }), ...(except && { except }) };
  const bounded = boundSelection(selection, nowMs);
  const counted = await countSelected(store, { ...bounded, ...lists });
  const shown: ReplayedSelection = {
    ...bounded,
    ...(deliveries && { deliveryCount: deliveries.length }),
    ...(except && { exceptCount: except.length }),
  };
  await store.redis
    .multi()
    .hset(replayKey(id), {
      by,
      createdAt: new Date(nowMs).toISOString(),
      state: 'running',
      selection: JSON.stringify(shown),
      lists: JSON.stringify(lists),
      rate: rate ?? '',
      matched: counted.matched ?? '',
      cursor: '',
      skipped: 0,
    })
    .expire(replayKey(id), REPLAY_KEPT_S)
    .zadd(REPLAYS, nowMs, id)
    .exec();
  for (const old of await store.redis.zrevrange(REPLAYS, MOST_KEPT, -1)) {
    await forgetReplayCounts(store, old);
    await store.redis.multi().zrem(REPLAYS, old).del(replayKey(old)).exec();
  }
  return { ...((await readReplay(store, id)) as Replay), counted };
};

/** What comes in from now on is not chosen. */
export const boundSelection = <Selection extends { readonly until?: number }>(
  selection: Selection,
  nowMs: number,
): Selection & { readonly until: number } => ({ ...selection, until: Math.min(selection.until ?? nowMs, nowMs) });

/** Of a replay's record; the lists of deliveries may be long and are for those who carry it out. */
const SHOWN = ['by', 'createdAt', 'state', 'selection', 'rate', 'matched', 'skipped'] as const;

export const readReplay = async (store: Store, id: string): Promise<Replay | undefined> => {
  const [by, createdAt, state, selection, rate, matched, skipped] = await store.redis.hmget(replayKey(id), ...SHOWN);
  if (!state) return undefined;
  return {
    id,
    by: by ?? '',
    createdAt: createdAt ?? '',
    state: state as ReplayState,
    selection: JSON.parse(selection ?? '{}') as ReplayedSelection,
    rate: rate || null,
    matched: matched ? Number(matched) : null,
    ...(await readReplayCounts(store, id)),
    skipped: Number(skipped),
  };
};

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

/* KEYS: replay. ARGV: state. */
const STATE_SCRIPT = `
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'done' then return end
redis.call('HSET', KEYS[1], 'state', ARGV[1])
redis.call('EXPIRE', KEYS[1], ${REPLAY_KEPT_S})`;

/**
 * Pauses or cancels a replay, or lets it go on where it stopped. One that is done stays done.
 * @returns undefined when there is none with this id.
 */
export const setReplayState = async (
  store: Store,
  id: string,
  state: Exclude<ReplayState, 'done'>,
): Promise<Replay | undefined> => {
  await store.redis.eval(STATE_SCRIPT, 1, replayKey(id), state);
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
    const results = await Promise.all(ids.map((delivery) => replayDelivery(store, delivery, id)));
    const skipped = results.filter((result) => result !== 'replayed').length;
    if (skipped > 0) await store.redis.hincrby(replayKey(id), 'skipped', skipped);
  };

  const carryOut = async (id: string): Promise<void> => {
    const replay = await readReplay(store, id);
    if (replay === undefined || !(await isOurs(id))) return;
    const [lists, from] = await store.redis.hmget(replayKey(id), 'lists', 'cursor');
    const selection: DeliverySelection = { ...replay.selection, ...JSON.parse(lists ?? '{}') };
    const rate = replay.rate === null ? undefined : parseRate(replay.rate);
    const perMs = rate === undefined ? Number.POSITIVE_INFINITY : rate.max / rate.spanMs;
    const share = rate === undefined ? AT_ONCE : Math.max(1, Math.floor(perMs * TICK_MS));
    // When the next share may go: a share that was late is not made up for by two at once.
    let nextAt = performance.now();

    for await (const { ids, cursor } of chooseDeliveries(store, selection, { from: from ?? '', replayId: id })) {
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
