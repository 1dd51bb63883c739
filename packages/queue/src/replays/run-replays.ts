import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseRate } from '@clickrelay/core';
import { replayDelivery } from '../deliveries/replay-delivery.ts';
import { REGISTRY } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { Store } from '../redis/store.ts';
import { takeTurn } from '../redis/take-turn.ts';
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
/** In a pause between two shares the lock is renewed this often. */
const RENEW_MS = REPLAY_LOCK_MS / 4;
/** With a rate, a share is sent again this often. */
const TICK_MS = 100;
/** Sent again at once when there is no rate. */
const AT_ONCE = 100;

const UNLOCK: Script = {
  name: 'unlockReplay',
  lua: "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end",
};

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
  const stopping = new AbortController();

  /** Takes the lock or extends it. @returns false when another worker has it, or the replay is not to go on */
  const isOurs = async (id: string): Promise<boolean> => {
    const [holder, state] = await Promise.all([
      takeTurn(store, replayLockKey(id), token, REPLAY_LOCK_MS),
      store.redis.hget(replayKey(id), 'state'),
    ]);
    if (holder !== null && holder !== token) return false;
    if (holder === token) await store.redis.pexpire(replayLockKey(id), REPLAY_LOCK_MS);
    return state === 'running' && !stopping.signal.aborted;
  };

  const run = async (id: string): Promise<void> => {
    const isDone = await carryOut(store, id, { isOurs: () => isOurs(id), signal: stopping.signal });
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
      stopping.abort();
      clearInterval(timer);
      await looking;
      const ids = [...running.keys()];
      await Promise.all(running.values());
      // The next worker need not wait until the lock has run out.
      for (const id of ids) await runScript(store.redis, UNLOCK, [replayLockKey(id)], [token]).catch(onError);
    },
  };
};

interface Turn {
  /** Asked before each share, and in a pause: whether to go on. It keeps the lock. */
  readonly isOurs: () => Promise<boolean>;
  /** Ends a pause. */
  readonly signal: AbortSignal;
}

/**
 * Sends again what a replay chooses, from where it stopped.
 * @returns Whether it came to the end.
 */
const carryOut = async (store: Store, id: string, turn: Turn): Promise<boolean> => {
  const { isOurs } = turn;
  if (!(await isOurs())) return false;
  const [selectionText, lists, rateText, from, dueAt] = await store.redis.hmget(
    replayKey(id),
    'selection',
    'lists',
    'rate',
    'cursor',
    'dueAt',
  );
  const selection: DeliverySelection = { ...JSON.parse(selectionText ?? '{}'), ...JSON.parse(lists ?? '{}') };
  const rate = rateText ? parseRate(rateText) : undefined;
  const perMs = rate === undefined ? Number.POSITIVE_INFINITY : rate.max / rate.spanMs;
  const share = rate === undefined ? AT_ONCE : Math.max(1, Math.floor(perMs * TICK_MS));
  // When the next share may go: a share that was late is not made up for by two at once.
  // The worker before may have sent one just now. Never more than one pause, whatever the clocks of the two say.
  const longestMs = rate === undefined ? 0 : share / perMs;
  let nextAt = performance.now() + Math.min(Math.max(Number(dueAt) - store.clock.now(), 0), longestMs);

  for await (const { ids, cursor } of chooseDeliveries(store, selection, { from: from ?? '', replayId: id })) {
    for (let at = 0; at < ids.length; at += share) {
      if (!(await waitForTurn(nextAt, turn))) return false;
      const now = ids.slice(at, at + share);
      if (rate !== undefined) {
        const pauseMs = now.length / perMs;
        nextAt = Math.max(performance.now(), nextAt) + pauseMs;
        await store.redis.hset(replayKey(id), { dueAt: Math.ceil(store.clock.now() + pauseMs) });
      }
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

/** Waits for the next share, and keeps the lock meanwhile. @returns whether to go on */
const waitForTurn = async (at: number, { isOurs, signal }: Turn): Promise<boolean> => {
  for (;;) {
    const ms = Math.min(at - performance.now(), RENEW_MS);
    if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => {});
    if (!(await isOurs())) return false;
    if (performance.now() >= at) return true;
  }
};
