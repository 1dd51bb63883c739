import { randomUUID } from 'node:crypto';
import type { Rate } from '@clickrelay/core';
import { Job, type JobJson } from 'bullmq';
import type { QueueName } from '../redis/names.ts';
import { sendAll } from '../redis/send-all.ts';
import { type JobTaker, LOCK_MS, type Store } from '../redis/store.ts';
import { activeKey, markerKey } from './keys.ts';
import { createMarkerRead, type MarkerRead, type Popped } from './marker-read.ts';
import { returnTake } from './return-take.ts';
import { type Settlement, settle } from './settle.ts';

/*
 * Takes jobs from many queues with one blocking connection; on a Cluster with one for each tag, as no read may touch two.
 *
 * BullMQ keeps for each queue a sorted set `…:marker` that says when something in it is ready: a score in the past
 * (now) or in the future (the next delayed job). One `BZPOPMIN` over all of them waits for the first. Popping removes
 * the marker, and taking a job writes it again, so a queue is emptied by taking until nothing is left; the sweep heals
 * a marker that was popped by a process which died before it took.
 *
 * A queue may be taken from promptly: the take is sent behind the waiting read, on its connection. Redis carries it out
 * in the very turn in which the job was added, so that both share one fsync and the job comes without asking for it. The
 * marker that the take writes is dropped again when the queue is empty: the next read would end for nothing.
 */

export interface TakenJob {
  readonly id: string;
  readonly data: unknown;
  /** What was written beside it when it was added; 0 when nothing was. */
  readonly progress: unknown;
  /** How often it was tried and counted before, by this queue. */
  readonly attemptsMade: number;
  /** How often it was taken before, counted or not. */
  readonly timesTaken: number;
  /** How often its lock ran out before it was settled. */
  readonly stalledCount: number;
  /** Who has it may settle it. */
  readonly token: string;
}

export interface Consumer {
  readonly queue: QueueName;
  /** Saves a round trip for each job, and costs every read one: for the few queues that everything goes through. */
  readonly isPrompt?: boolean;
  /** How many may be taken in a time, by all processes together. Default: no limit. */
  readonly rate?: Rate | undefined;
  /** How many more jobs may be taken now. Call `Dispatcher.poke` when it was 0 and no longer is. */
  room(): number;
  /** Jobs are handed out under tokens made by this: their holders renew and settle them, not the dispatcher. */
  newToken?(): string;
  /**
   * A look into the queue found nothing to take: it is empty, or holds only what is due later.
   * @param since When the look began, by `performance.now()`.
   */
  onEmpty?(since: number): void;
  /** A look into the queue found that its rate allows no take now. */
  onLimited?(since: number): void;
  /** How many of its jobs are taken, by all processes: told by every check for stalled ones. */
  onActive?(count: number): void;
  /** Whatever it throws leaves the job where it is, to be tried again in a second. */
  run(job: TakenJob): Promise<Settlement>;
}

export interface Dispatcher {
  /** Resolves when it has been looked into for the first time, whatever came of that. */
  add(consumer: Consumer): Promise<void>;
  remove(queue: QueueName): void;
  /** There is room again: looks into this queue now, if it was passed over. */
  poke(queue: QueueName): void;
  /** Looks into this queue now, whatever is known of it: `onEmpty` follows, or jobs. */
  look(queue: QueueName): void;
  /** Takes nothing more; resolves when what was taken is settled, or the grace is over. */
  close(graceMs: number): Promise<void>;
}

/** What one blocking read waits for. */
interface ReadGroup {
  readonly read: MarkerRead;
  /** By marker, in the order in which they are to be served. */
  readonly sources: Map<string, Source>;
  isClosed: boolean;
  /** Ends the pause of a listener that found no room anywhere. */
  wake(): void;
}

interface Source {
  readonly consumer: Consumer;
  readonly group: ReadGroup;
  readonly taker: JobTaker;
  readonly marker: string;
  /** Job ids by token: a job whose lock was lost can be taken again while its first run goes on. */
  readonly running: Map<string, string>;
  taking: boolean;
  /** A take was asked for while one was under way. */
  again: boolean;
  /** Takes under way: each may come back with a job. */
  asked: number;
  /** The last look found no room: there may be more to take as soon as there is. */
  isFull: boolean;
  /** How many to take next, and took last: 1, 1, 2, 3, 5, … as long as all of them are there. */
  batch: number;
  lastBatch: number;
  /** When a prompt take found a job for the last time, on the clock of `performance.now`. */
  gaveAt: number;
  timer: NodeJS.Timeout | undefined;
  wakeAt: number;
  /** The consumer's rate allows no take before. */
  limitedUntil: number;
}

const CLOSE_GRACE_MS = 500;
const MOST_TAKEN_AT_ONCE = 16;
/** Jobs that come sooner after one another are a flood. */
const FLOOD_MS = 2;
const RENEW_MS = LOCK_MS / 3;
const STALLED_SWEEP_MS = 2_000;
/** Soon after the start as well: a worker that crashes again and again may not live to see its first regular sweep. */
const FIRST_STALLED_SWEEP_MS = 300;
/** With no room anywhere; who makes room pokes. */
const NO_ROOM_PAUSE_MS = 20;
/** A forgotten marker, or a delayed job nobody has a timer for, is found this late at most. */
const SWEEP_MS = 10_000;

export interface DispatcherOptions {
  readonly onError: (error: unknown) => void;
  /** How often it is asked whether a taken job has lost its lock, in ms. @default 2000 */
  readonly stalledSweepMs?: number;
}

export const createDispatcher = (store: Store, options: DispatcherOptions): Dispatcher => {
  const { onError, stalledSweepMs = STALLED_SWEEP_MS } = options;
  const sources = new Map<string, Source>();
  /** Sources with something taken, removed ones included: their locks are renewed until they are done. */
  const working = new Set<Source>();
  const processId = randomUUID();
  let tokens = 0;
  let takes = 0;
  let closing = false;
  const idleWaiters = new Set<() => void>();
  const groups = new Map<string, ReadGroup>();
  const listening = new Set<Promise<void>>();

  const tellIdle = (): void => {
    if (closing && takes === 0 && working.size === 0) for (const resolve of idleWaiters) resolve();
  };

  const isLimited = ({ limitedUntil }: Source): boolean => limitedUntil > Date.now();

  const roomOf = (source: Source): number => (isLimited(source) ? 0 : source.consumer.room() - source.asked);

  // -- taking ---------------------------------------------------------------------------------------------------

  const wakeUpAt = (source: Source, at: number): void => {
    if (closing || sources.get(source.marker) !== source) return;
    // The earlier time wins: it leads to a take, which tells the next one.
    if (source.timer !== undefined && source.wakeAt <= at) return;
    clearTimeout(source.timer);
    source.wakeAt = at;
    // setTimeout takes 24.8 days at most; the sweep finds what lies further ahead.
    source.timer = setTimeout(
      () => {
        source.timer = undefined;
        // The marker was popped when the time was set: others have to hear of it when there is no room here.
        if (roomOf(source) <= 0) store.redis.zadd(source.marker, 0, '0').catch(onError);
        void take(source);
      },
      Math.min(Math.max(at - Date.now(), 0) + 1, 2 ** 31 - 1),
    );
  };

  /**
   * Takes what is ready, one job at first and more at once while the queue keeps giving. A take that finds something
   * writes the marker again, so the next take follows from that. One at a time per queue, so that nothing is asked twice.
   */
  const take = async (source: Source): Promise<void> => {
    if (source.taking) {
      source.again = true;
      return;
    }
    source.taking = true;
    takes++;
    try {
      do {
        source.again = false;
        const room = closing || sources.get(source.marker) !== source ? 0 : roomOf(source);
        source.isFull = room <= 0;
        const since = performance.now();
        if (isLimited(source)) source.consumer.onLimited?.(since);
        if (source.isFull) break;
        const count = Math.min(source.batch, room);
        const taken = await Promise.all(Array.from({ length: count }, () => takeOne(source)));
        if (taken.includes(false)) {
          [source.lastBatch, source.batch] = [0, 1];
          if (isLimited(source)) source.consumer.onLimited?.(since);
          else source.consumer.onEmpty?.(since);
        } else
          [source.lastBatch, source.batch] = [
            source.batch,
            Math.min(source.lastBatch + source.batch, MOST_TAKEN_AT_ONCE),
          ];
      } while (source.again && !closing);
    } catch (error) {
      onError(error);
      wakeUpAt(source, Date.now() + 1_000);
    } finally {
      source.taking = false;
      takes--;
      tellIdle();
    }
    // It was full when the present read began: the read does not wait for it.
    if (roomOf(source) > 0) listenTo(source);
  };

  /** The read under way, or the next one, waits for this queue. */
  const listenTo = ({ group, marker }: Source): void => {
    group.wake();
    if (group.read.waitsFor(marker) === false) group.read.interrupt();
  };

  const takeOne = async (source: Source, taker = source.taker): Promise<boolean> => {
    const token = source.consumer.newToken?.() ?? `${processId}:${++tokens}`;
    source.asked++;
    let reply: TakeReply;
    try {
      reply = (await taker.backend.moveToActive(token)) as TakeReply;
    } finally {
      source.asked--;
    }
    const [json, id, limitMs, delayUntil] = reply;
    if (!json || !id) {
      if (limitMs) {
        source.limitedUntil = Date.now() + Number(limitMs);
        wakeUpAt(source, source.limitedUntil);
      }
      if (delayUntil) wakeUpAt(source, Number(delayUntil));
      return false;
    }
    start(source, Job.fromJSON(source.taker, json, id), token);
    return true;
  };

  /** Behind the read that waits: whatever ends that read, this take follows. */
  const takePromptly = async (source: Source, taker: JobTaker): Promise<void> => {
    takes++;
    try {
      if (!(await takeOne(source, taker))) return;
      const now = performance.now();
      // Jobs come in a flood: larger takes are quicker.
      if (now - source.gaveAt < FLOOD_MS) void take(source);
      source.gaveAt = now;
    } finally {
      takes--;
      tellIdle();
    }
  };

  const start = (source: Source, job: Job, token: string): void => {
    source.running.set(token, job.id as string);
    working.add(source);
    void work(source, job, token)
      .catch(onError)
      .finally(() => {
        source.running.delete(token);
        if (source.running.size === 0) working.delete(source);
        if (closing) tellIdle();
        else poke(source);
      });
  };

  const poke = (source: Source): void => {
    // Otherwise the read under way will tell: asking as well would only cost Redis a look at an empty queue.
    if (source.isFull || !source.group.read.waitsFor(source.marker)) void take(source);
  };

  const work = async (source: Source, job: Job, token: string): Promise<void> => {
    const since = performance.now();
    let settlement: Settlement;
    try {
      settlement = await source.consumer.run({
        id: job.id as string,
        data: job.data,
        progress: job.progress,
        attemptsMade: job.attemptsMade,
        timesTaken: job.attemptsStarted - 1,
        stalledCount: job.stalledCounter,
        token,
      });
    } catch (error) {
      onError(error);
      settlement = { kind: 'postpone', delayMs: 1_000 };
    }
    await settle(source.taker, job, token, settlement);
    const { rate, queue } = source.consumer;
    if (rate === undefined || (settlement.kind !== 'return' && settlement.kind !== 'await_turn')) return;
    // Nothing was done with it. Otherwise many that wait for their turn would use up the rate.
    if (!(await returnTake(store, queue, rate, performance.now() - since))) return;
    source.limitedUntil = 0;
    // A take that found the rate used up has taken the marker along.
    void take(source);
  };

  // -- waiting --------------------------------------------------------------------------------------------------

  const groupOf = (queue: QueueName): ReadGroup => {
    const tag = store.isCluster ? queue.prefix : '';
    let group = groups.get(tag);
    if (group === undefined) {
      const read = createMarkerRead(store, markerKey(queue), options);
      group = { read, sources: new Map(), isClosed: false, wake: () => {} };
      groups.set(tag, group);
      const listener = listen(group);
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

  const listen = async (group: ReadGroup): Promise<void> => {
    const { read } = group;
    while (!closing && !group.isClosed) {
      // A full queue is left to other processes: to pop its marker would hide from them that it has work.
      // Nor is one waited for that is being taken from for those who hold their jobs themselves: they come and go, and
      // the take tells when there is nothing left.
      const open = [...group.sources.values()].filter(
        (source) => roomOf(source) > 0 && !(source.taking && source.consumer.newToken !== undefined),
      );
      if (open.length === 0) {
        await Promise.race([pause(NO_ROOM_PAUSE_MS), new Promise<void>((resolve) => (group.wake = resolve))]);
        continue;
      }
      try {
        const prompt = open.filter(({ consumer }) => consumer.isPrompt);
        const popped = await read.wait(
          open.map(({ marker }) => marker),
          prompt.map((source) => ({
            queue: source.consumer.queue,
            marker: source.marker,
            take: (taker) => takePromptly(source, taker),
          })),
        );
        if (popped !== undefined) follow(popped, prompt);
        // What was taken goes first: sending the next read takes longer than splitting a callback.
        await new Promise((resolve) => setImmediate(resolve));
      } catch (error) {
        if (closing || group.isClosed) return;
        onError(error);
        read.reset();
        await pause(100);
      }
    }
  };

  /** A marker was popped: its queue has, or will have, something for us. */
  const follow = ({ marker, member, at }: Popped, taken: readonly Source[]): void => {
    const source = sources.get(marker);
    if (closing || source === undefined) {
      // It was meant for another process.
      store.redis.zadd(marker, 'LT', at, member).catch(onError);
      return;
    }
    // The first ready key of the list is served: behind the others with it, or one busy queue starves the rest.
    source.group.sources.delete(marker);
    source.group.sources.set(marker, source);
    if (at > Date.now()) wakeUpAt(source, at);
    else if (taken.includes(source)) return;
    else if (roomOf(source) > 0) void take(source);
    else store.redis.zadd(marker, 0, '0').catch(onError);
  };

  // -- housekeeping ---------------------------------------------------------------------------------------------

  const renewLocks = async (): Promise<void> => {
    for (const source of working) {
      if (source.consumer.newToken !== undefined) continue;
      await source.taker.extendJobLocks([...source.running.values()], [...source.running.keys()], LOCK_MS);
    }
  };

  /** Gives back what crashed processes had taken. Asked only of queues that have something taken. */
  const returnStalled = async (): Promise<void> => {
    const all = [...sources.values()];
    if (all.length === 0) return;
    const lengths = await sendAll(
      store,
      all.map(({ consumer }) => ['llen', activeKey(consumer.queue)]),
    );
    for (const [index, source] of all.entries()) {
      const active = Number(lengths[index]);
      source.consumer.onActive?.(active);
      if (active > 0) await source.taker.backend.moveStalledJobsToWait();
    }
  };

  const every = (ms: number, job: () => Promise<void> | void): NodeJS.Timeout => {
    let busy = false;
    return setInterval(async () => {
      if (busy) return;
      busy = true;
      try {
        await job();
      } catch (error) {
        onError(error);
      } finally {
        busy = false;
      }
    }, ms);
  };

  const firstSweep = setTimeout(() => returnStalled().catch(onError), FIRST_STALLED_SWEEP_MS);
  const timers = [
    every(RENEW_MS, renewLocks),
    every(stalledSweepMs, returnStalled),
    every(SWEEP_MS, () => {
      for (const source of [...sources.values()]) void take(source);
    }),
  ];

  return {
    add: async (consumer) => {
      const marker = markerKey(consumer.queue);
      if (sources.has(marker)) throw new Error(`the queue ${consumer.queue.name} has a consumer already`);
      const group = groupOf(consumer.queue);
      const source: Source = {
        consumer,
        group,
        taker: store.taker(consumer.queue),
        marker,
        running: new Map(),
        taking: false,
        again: false,
        asked: 0,
        isFull: false,
        batch: 1,
        lastBatch: 0,
        gaveAt: Number.NEGATIVE_INFINITY,
        timer: undefined,
        wakeAt: 0,
        limitedUntil: 0,
      };
      const { rate } = consumer;
      // The taker of an earlier consumer of this queue may be used again.
      if (rate === undefined) delete source.taker.opts.limiter;
      else source.taker.opts.limiter = { max: rate.max, duration: rate.spanMs };
      sources.set(marker, source);
      group.sources.set(marker, source);
      group.read.interrupt();
      await take(source);
    },
    remove: (queue) => {
      const source = sources.get(markerKey(queue));
      if (source === undefined) return;
      clearTimeout(source.timer);
      sources.delete(source.marker);
      leaveGroup(source);
    },
    poke: (queue) => {
      const source = sources.get(markerKey(queue));
      if (source !== undefined) poke(source);
    },
    look: (queue) => {
      const source = sources.get(markerKey(queue));
      if (source !== undefined) void take(source);
    },
    close: async (graceMs) => {
      closing = true;
      for (const source of sources.values()) clearTimeout(source.timer);
      // What becomes ready from now on is for other processes to hear of.
      for (const { read } of groups.values()) read.interrupt();
      if (takes > 0 || working.size > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, graceMs);
          idleWaiters.add(() => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
      clearTimeout(firstSweep);
      for (const timer of timers) clearInterval(timer);
      // Gives the last read time to end, so that no marker is lost with the connection.
      await Promise.race([Promise.all(listening), pause(CLOSE_GRACE_MS)]);
      for (const { read } of groups.values()) read.close();
      await Promise.all(listening);
    },
  };
};

type TakeReply = [json?: JobJson | null, id?: string, limitMs?: number, delayUntil?: number];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
