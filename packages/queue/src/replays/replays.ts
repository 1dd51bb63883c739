import { randomBytes } from 'node:crypto';
import { forgetReplayCounts, REPLAY_KEPT_S, readReplayCounts } from '../deliveries/replay-outcomes.ts';
import { REGISTRY } from '../redis/names.ts';
import { defineCursor, type Page } from '../redis/page.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';
import { type Counted, countSelected } from './count-selected.ts';
import type { DeliverySelection } from './delivery-selection.ts';

/*
 * Replays of many deliveries at once. A replay is a record in Redis: what was chosen, how far it is, and whether it is
 * to go on. Workers carry it out, one of them at a time (`run-replays.ts`); the person who asked for it may go away.
 * A delivery that fails again after the replay began is not chosen by it a second time.
 */

/** What a replay shows of its selection: only the number of the deliveries that were named. */
interface ReplayedSelection extends Omit<DeliverySelection, 'deliveries' | 'except'> {
  readonly until: number;
  /** How many were named. */
  readonly deliveryCount?: number;
  /** How many are left out of what matches. */
  readonly exceptCount?: number;
}

/**
 * A `paused` replay is to go on some time, a `cancelled` one is given up. Neither sends anything, and either can be let
 * go on where it stopped. `done` is the end.
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

/** All that are kept, by the time at which they were made. */
const REPLAYS = `${REGISTRY}:replays`;
/** Ids of those that are running: all that an idle worker asks for. */
export const RUNNING = `${REGISTRY}:replays:running`;
export const replayKey = (id: string): string => `${REGISTRY}:replay:${id}`;
/** Older ones are forgotten. */
const MOST_KEPT = 200;

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
    .sadd(RUNNING, id)
    .exec();
  await forgetOldReplays(store);
  return { ...((await readReplay(store, id)) as Replay), counted };
};

const forgetOldReplays = async (store: Store): Promise<void> => {
  for (const old of await store.redis.zrevrange(REPLAYS, MOST_KEPT, -1)) {
    await forgetReplayCounts(store, old);
    await store.redis.multi().zrem(REPLAYS, old).srem(RUNNING, old).del(replayKey(old)).exec();
  }
};

/** What comes in from now on is not chosen. */
export const boundSelection = <Selection extends { readonly until?: number }>(
  selection: Selection,
  nowMs: number,
): Selection & { readonly until: number } => ({ ...selection, until: Math.min(selection.until ?? nowMs, nowMs) });

/** Fields of a replay's record that are shown. The lists of deliveries may be long; only the runner reads them. */
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

/** When it was made, in ms, and its id: the list goes by both. */
const CURSOR = defineCursor({ madeAt: /\d{1,15}/, id: /rpl_[0-9a-f]{16}/ });

/** Newest first. */
export const listReplays = async (
  store: Store,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<Replay>> => {
  const after = CURSOR.read(cursor);
  const places = await store.redis.zrevrange(REPLAYS, 0, MOST_KEPT, 'WITHSCORES');
  const further: { id: string; madeAt: number }[] = [];
  for (let at = 0; at < places.length; at += 2) {
    const [id, madeAt] = [places[at] as string, Number(places[at + 1])];
    const afterAt = Number(after?.madeAt);
    if (after === undefined || madeAt < afterAt || (madeAt === afterAt && id < after.id)) further.push({ id, madeAt });
  }
  const page = further.slice(0, limit);
  const found = await Promise.all(page.map(({ id }) => readReplay(store, id)));
  const last = page.at(-1);
  return {
    items: found.filter((replay) => replay !== undefined),
    next: further.length > limit && last !== undefined ? CURSOR.write(last) : null,
  };
};

/* KEYS: replay, running. ARGV: state, id, how long the record is kept, in seconds. */
const SET_STATE: Script = {
  name: 'setReplayState',
  lua: `
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'done' then return end
redis.call('HSET', KEYS[1], 'state', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call(ARGV[1] == 'running' and 'SADD' or 'SREM', KEYS[2], ARGV[2])`,
};

/**
 * Pauses or cancels a replay, or lets it go on where it stopped. One that is done stays done.
 * @returns undefined when there is none with this id.
 */
export const setReplayState = async (
  store: Store,
  id: string,
  state: Exclude<ReplayState, 'done'>,
): Promise<Replay | undefined> => {
  await runScript(store.redis, SET_STATE, [replayKey(id), RUNNING], [state, id, REPLAY_KEPT_S]);
  return readReplay(store, id);
};
