import { setTimeout as sleep } from 'node:timers/promises';
import { waitKey } from '../jobs/keys.ts';
import { LANES } from '../redis/names.ts';
import { ingestQueues, type Store } from '../redis/store.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import type { SpoolEntry } from '../spool/record.ts';
import type { Spool } from '../spool/spool.ts';
import type { SpoolBatch } from '../spool/state.ts';
import type { Circuit } from './circuit.ts';
import { type Committer, createCommitter } from './commit.ts';
import { errorOf, moveBatch } from './move-batch.ts';
import { quarantineCallback } from './quarantine.ts';

export interface DrainOptions {
  readonly spool: Spool;
  readonly circuit: Circuit;
  /** Opens a separate connection: a large spooled callback must not hold up a live one. */
  readonly openStore: () => Promise<Store>;
  readonly onDrained?: (drained: { readonly records: number; readonly ms: number }) => void;
}

/** How long Redis may take for a batch, in ms. No sender waits for it. */
const DEADLINE_MS = 15_000;
/** After each batch, as a multiple of the time it took: two thirds of Redis belong to live callbacks. */
const PAUSE = 2;
/** Groups that wait for a worker. Above this, callbacks are as well off on disk as in memory. */
const MAX_WAITING_GROUPS = 2_000;
const LOOK_AGAIN_MS = 500;

export interface Drain {
  /** Starts draining, unless that is under way: there may be something in the spool. */
  begin(): void;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

/** Moves the spool into Redis, in order and with the same ids, whenever Redis is there. */
export const drainSpool = ({ spool, circuit, openStore, onDrained = () => {} }: DrainOptions): Drain => {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let committer: Committer | undefined;
  const committerOf = (store: Store): Committer => {
    committer ??= createCommitter(store, { deadlineMs: DEADLINE_MS });
    return committer;
  };

  const pause = (ms: number): Promise<unknown> =>
    sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  const drain = async (): Promise<void> => {
    const startedAt = performance.now();
    let moved = 0;
    let store: Store | undefined;
    committer = undefined;
    try {
      for (;;) {
        await circuit.whenClosed();
        if (stopping.signal.aborted) return;
        const batch = await spool.read();
        if (batch === undefined) break;
        store ??= await openStore();
        await store.ready();
        if (await isBehind(store)) {
          await pause(LOOK_AGAIN_MS);
          continue;
        }
        const sentAt = performance.now();
        if (await move(store, batch)) {
          await spool.done(batch);
          moved += batch.entries.length;
        }
        await pause(Math.min((performance.now() - sentAt) * PAUSE, LOOK_AGAIN_MS));
      }
      if (moved > 0) onDrained({ records: moved, ms: performance.now() - startedAt });
    } finally {
      await store?.close();
    }
  };

  const move = (store: Store, batch: SpoolBatch): Promise<boolean> =>
    moveBatch(batch, {
      isOpen: async () => {
        await circuit.whenClosed();
        return !stopping.signal.aborted;
      },
      send: (entry) => send(store, entry),
      takesOthers: (than) => takesOthers(store, than),
      setAside: (index, reason) => spool.setAside(batch, index, reason),
      pause: () => pause(LOOK_AGAIN_MS),
    });

  const send = async (store: Store, entry: SpoolEntry): Promise<unknown> =>
    entry.kind === 'callback'
      ? committerOf(store).commit(entry, entry.receivedAt)
      : withDeadline(quarantineCallback(store, entry), DEADLINE_MS, { error: () => new Error('no answer in time') });

  /**
   * Commits an empty callback, with the same checks: whatever keeps Redis from taking callbacks refuses this one too.
   */
  const takesOthers = async (store: Store, than: SpoolEntry): Promise<boolean> => {
    const lane = than.kind === 'callback' ? than.lane : 'statuses';
    const noEvents = { lane, text: '{"event":{}}' };
    return circuit.isClosed && (await errorOf(committerOf(store).commit(noEvents, than.receivedAt))) === undefined;
  };

  /** Begins again after an error: Redis may come back, and so may a disk that does not answer. */
  const keepDraining = async (): Promise<void> => {
    while (!stopping.signal.aborted && spool.stats().bytes > 0) {
      await drain().catch(() => pause(LOOK_AGAIN_MS * 2));
    }
  };

  return {
    begin: () => {
      if (stopping.signal.aborted) return;
      running ??= keepDraining().finally(() => {
        running = undefined;
      });
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
};

/** Whether workers are behind: more groups wait than they can take soon. */
const isBehind = async (store: Store): Promise<boolean> => {
  const queues = LANES.flatMap((lane) => ingestQueues(store, lane));
  const waiting = await Promise.all(queues.map((queue) => store.redis.llen(waitKey(queue))));
  return waiting.reduce((sum, groups) => sum + groups, 0) > MAX_WAITING_GROUPS;
};
