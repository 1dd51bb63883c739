import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { QueueName } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { createAlarm } from './alarm.ts';
import type { ClockHealed } from './heal-clock.ts';
import { markerKey } from './keys.ts';
import { listenForJobs } from './listen-for-jobs.ts';
import { createMarkerRead } from './marker-read.ts';
import { type Consumer, type Dispatch, newSource, type ReadGroup, type Source } from './source.ts';
import { startUpkeep } from './start-upkeep.ts';
import { takeIfPassedOver, takeJobs, wake } from './take-jobs.ts';

/*
 * Takes jobs from many queues with one blocking connection; on a Cluster with one for each tag, as no read may touch
 * two.
 *
 * BullMQ keeps for each queue a sorted set `…:marker` that says when something in it is ready: a score in the past
 * (now) or in the future (the next delayed job). One `BZPOPMIN` over all of them waits for the first. Popping removes
 * the marker, and taking a job writes it again, so a queue is emptied by taking until nothing is left; the sweep heals
 * a marker that was popped by a process which died before it took.
 *
 * A queue may be taken from promptly: the take is sent behind the waiting read, on its connection. Redis carries it out
 * in the very turn in which the job was added, so both share one fsync and the job comes without asking for it. The
 * marker that the take writes is dropped again when the queue is empty: the next read would end for nothing.
 *
 *   source            what is known of one queue, and of all together
 *   listen-for-jobs   waits until a queue has something (marker-read: one such wait)
 *   take-jobs         takes it (grow-batch: how much at once; alarm: when the next is due)
 *   run-job           runs it, and settles it (settle, return-take)
 *   start-upkeep      every few seconds: renew-locks, return-stalled; heal-clock at the start, and when the clock of
 *                     Redis was put back (shorten-waits)
 */

export interface Dispatcher {
  /** Resolves when the queue has been looked into for the first time, whatever came of that. */
  add(consumer: Consumer): Promise<void>;
  remove(queue: QueueName): void;
  /** There is room again: looks into this queue now, if it was passed over. */
  poke(queue: QueueName): void;
  /** Looks into this queue now, whatever is known of it: `onEmpty` follows, or jobs. */
  look(queue: QueueName): void;
  /** Takes nothing more; resolves when what was taken is settled, or the grace is over. */
  close(graceMs: number): Promise<void>;
}

const CLOSE_GRACE_MS = 500;

export interface DispatcherOptions {
  readonly onError: (error: unknown) => void;
  /** How often taken jobs are checked for lost locks, in ms. @default 2000 */
  readonly stalledSweepMs?: number;
  /** Called when the clock of Redis was put back, and what waits is mended. */
  readonly onPutBack?: (healed: ClockHealed) => void;
}

export const createDispatcher = (store: Store, options: DispatcherOptions): Dispatcher => {
  const { onError, stalledSweepMs, onPutBack } = options;
  const processId = randomUUID();
  let tokens = 0;
  const dispatch: Dispatch = {
    store,
    onError,
    sources: new Map(),
    working: new Set(),
    newToken: () => `${processId}:${++tokens}`,
    takes: 0,
    isClosing: false,
    idleWaiters: new Set(),
  };
  const { sources } = dispatch;
  const groups = new Map<string, ReadGroup>();
  const listening = new Set<Promise<void>>();

  const groupOf = (queue: QueueName): ReadGroup => {
    const tag = store.isCluster ? queue.prefix : '';
    let group = groups.get(tag);
    if (group === undefined) {
      const read = createMarkerRead(store, markerKey(queue), options);
      group = { read, sources: new Map(), isClosed: false, wake: () => {} };
      groups.set(tag, group);
      const listener = listenForJobs(dispatch, group);
      listening.add(listener);
      void listener.finally(() => listening.delete(listener));
    }
    return group;
  };

  const leaveGroup = ({ group, marker, consumer: { queue } }: Source): void => {
    group.sources.delete(marker);
    group.read.interrupt();
    if (!store.isCluster || group.sources.size > 0) return;
    group.isClosed = true;
    groups.delete(queue.prefix);
    group.read.close();
  };

  const takeFromAll = (): void => {
    for (const source of [...sources.values()]) void takeJobs(dispatch, source);
  };
  store.identity.onChange((problem) => {
    // The reads under way would take from a store that is not ours.
    if (problem !== undefined) for (const { read } of groups.values()) read.interrupt();
    else if (!dispatch.isClosing) takeFromAll();
  });
  const stopUpkeep = startUpkeep(dispatch, { onPutBack, stalledSweepMs, takeFromAll });

  return {
    add: async (consumer) => {
      const { queue, rate } = consumer;
      const marker = markerKey(queue);
      if (sources.has(marker)) throw new Error(`the queue ${queue.name} has a consumer already`);
      const group = groupOf(queue);
      const alarm = createAlarm(() => wake(dispatch, source));
      const source = newSource({
        consumer: takingFromOurs(store, consumer),
        group,
        taker: store.taker(queue),
        marker,
        alarm,
      });
      // The taker of an earlier consumer of this queue may be used again.
      if (rate === undefined) delete source.taker.opts.limiter;
      else source.taker.opts.limiter = { max: rate.max, duration: rate.spanMs };
      sources.set(marker, source);
      group.sources.set(marker, source);
      group.read.interrupt();
      if (!store.clock.isKnown) await store.clock.look().catch(onError);
      await takeJobs(dispatch, source);
    },
    remove: (queue) => {
      const source = sources.get(markerKey(queue));
      if (source === undefined) return;
      source.alarm.stop();
      sources.delete(source.marker);
      leaveGroup(source);
    },
    poke: (queue) => {
      const source = sources.get(markerKey(queue));
      if (source !== undefined) takeIfPassedOver(dispatch, source);
    },
    look: (queue) => {
      const source = sources.get(markerKey(queue));
      if (source !== undefined) void takeJobs(dispatch, source);
    },
    close: async (graceMs) => {
      dispatch.isClosing = true;
      for (const { alarm } of sources.values()) alarm.stop();
      // What becomes ready from now on is for other processes to hear of.
      for (const { read } of groups.values()) read.interrupt();
      await untilIdle(dispatch, graceMs);
      stopUpkeep();
      // Gives the last read time to end, so that no marker is lost with the connection.
      await Promise.race([Promise.all(listening), pause(CLOSE_GRACE_MS)]);
      for (const { read } of groups.values()) read.close();
      await Promise.all(listening);
    },
  };
};

/** There is no room for what a store holds that is not ours. */
const takingFromOurs = ({ identity }: Store, consumer: Consumer): Consumer => ({
  ...consumer,
  room: () => (identity.problem === undefined ? consumer.room() : 0),
});

/** Resolves when nothing is taken or running any more, or when the grace is over. */
const untilIdle = async (dispatch: Dispatch, graceMs: number): Promise<void> => {
  if (dispatch.takes === 0 && dispatch.working.size === 0) return;
  const { promise: idle, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, graceMs);
  dispatch.idleWaiters.add(resolve);
  await idle;
  clearTimeout(timer);
};
