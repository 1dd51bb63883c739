import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseRate } from '@clickrelay/core';
import { replayDelivery } from '../deliveries/replay-delivery.ts';
import { REGISTRY } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { chooseDeliveries } from './choose-deliveries.ts';
import type { DeliverySelection } from './delivery-selection.ts';
import { type Replay, RUNNING, readReplay, replayKey } from './replays.ts';

/*
 * Workers carry replays out. The lock of a replay belongs to one worker at a time; when it ends or dies, another one
 * goes on from the cursor in the record.
 */

const replayLockKey = (id: string): string => `${REGISTRY}:replay:${id}:lock`;

/** How often a worker looks whether there is one to carry out, in ms. */
const LOOK_MS = 500;
/** Longer than any batch takes: another worker goes on after it. */
const REPLAY_LOCK_MS = 10_000;
/** With a rate, a share is sent again this often. */
const TICK_MS = 100;
/** Sent again at once when there is no rate. */
const AT_ONCE = 100;

export interface ReplayRunner {
  stop(): Promise<void>;
}

export interface ReplayRunnerOptions {
  readonly onError: (error: unknown) => void;
  readonly onEnd?: (replay: Replay) => void;
}

/** Carries out replays, its share of them when there are several workers. */
export const startReplays = (store: Store, { onError, onEnd }: ReplayRunnerOptions): ReplayRunner => {
  const running = new Map<string, Promise<void>>();
  const token = randomBytes(8).toString('hex');
  let stopping = false;

  /** Takes the lock or extends it. @returns false when another worker has it, or the replay is not to go on */
  const isOurs = async (id: string): Promise<boolean> => {
    const [holder, state] = await Promise.all([
      store.redis.set(replayLockKey(id), token, 'PX', REPLAY_LOCK_MS, 'NX', 'GET'),
      store.redis.hget(replayKey(id), 'state'),
    ]);
    if (holder !== null && holder !== token) return false;
    if (holder === token) await store.redis.pexpire(replayLockKey(id), REPLAY_LOCK_MS);
    return state === 'running' && !stopping;
  };

  const run = async (id: string): Promise<void> => {
    const isDone = await carryOut(store, id, () => isOurs(id));
    if (!isDone) return;
    await store.redis.multi().hset(replayKey(id), { state: 'done' }).srem(RUNNING, id).exec();
    const ended = await readReplay(store, id);
    if (ended !== undefined) onEnd?.(ended);
  };

  const look = async (): Promise<void> => {
    for (const id of await store.redis.smembers(RUNNING)) {
      if (running.has(id)) continue;
      const work = run(id)
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
      for (const id of ids) await store.redis.del(replayLockKey(id)).catch(onError);
    },
  };
};

/**
 * Sends again what a replay chooses, from where it stopped.
 * @param isOurs Asked before each share: whether to go on.
 * @returns Whether it came to the end.
 */
const carryOut = async (store: Store, id: string, isOurs: () => Promise<boolean>): Promise<boolean> => {
  if (!(await isOurs())) return false;
  const [selectionText, lists, rateText, from] = await store.redis.hmget(
    replayKey(id),
    'selection',
    'lists',
    'rate',
    'cursor',
  );
  const selection: DeliverySelection = { ...JSON.parse(selectionText ?? '{}'), ...JSON.parse(lists ?? '{}') };
  const rate = rateText ? parseRate(rateText) : undefined;
  const perMs = rate === undefined ? Number.POSITIVE_INFINITY : rate.max / rate.spanMs;
  const share = rate === undefined ? AT_ONCE : Math.max(1, Math.floor(perMs * TICK_MS));
  // When the next share may go: a share that was late is not made up for by two at once.
  let nextAt = performance.now();

  for await (const { ids, cursor } of chooseDeliveries(store, selection, { from: from ?? '', replayId: id })) {
    for (let at = 0; at < ids.length; at += share) {
      await sleepUntil(nextAt);
      if (!(await isOurs())) return false;
      const now = ids.slice(at, at + share);
      nextAt = Math.max(performance.now(), nextAt) + (rate === undefined ? 0 : now.length / perMs);
      await sendAgain(store, id, now);
    }
    // What was sent again has left the lists: going on from an earlier place would only find the rest.
    await store.redis.hset(replayKey(id), { cursor });
    if (!(await isOurs())) return false;
  }
  return true;
};

const sendAgain = async (store: Store, replayId: string, deliveryIds: readonly string[]): Promise<void> => {
  const results = await Promise.all(deliveryIds.map((id) => replayDelivery(store, id, replayId)));
  const skipped = results.filter((result) => result !== 'replayed').length;
  if (skipped > 0) await store.redis.hincrby(replayKey(replayId), 'skipped', skipped);
};

const sleepUntil = async (at: number): Promise<void> => {
  const ms = at - performance.now();
  if (ms > 0) await sleep(ms);
};
