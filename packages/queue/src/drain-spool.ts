import { setTimeout as sleep } from 'node:timers/promises';
import { QuarantineFullError } from '@clickrelay/core';
import type { Circuit } from './circuit.ts';
import { createCommitter } from './commit.ts';
import { ingestQueue, LANES, waitKey } from './names.ts';
import { quarantineCallback } from './quarantine.ts';
import type { Spool, SpoolBatch } from './spool.ts';
import type { SpoolEntry } from './spool-segment.ts';
import type { Store } from './store.ts';

export interface DrainOptions {
  readonly spool: Spool;
  readonly circuit: Circuit;
  /** Opens a connection of its own: a large spooled callback must not stand in the way of a live one. */
  readonly openStore: () => Promise<Store>;
  readonly onDrained?: (drained: { readonly records: number; readonly ms: number }) => void;
}

/** How long Redis may take for a batch, in ms. Nobody waits for this answer. */
const DEADLINE_MS = 15_000;
/** After each batch, as a multiple of the time it took: two thirds of Redis belong to live callbacks. */
const PAUSE = 2;
/** Groups that wait for a worker. What comes on top of these is as well kept on disk as in memory. */
const MAX_WAITING_GROUPS = 2_000;
const LOOK_AGAIN_MS = 500;
/** How often Redis may refuse one entry while it takes others, before the entry is set aside. */
const MAX_REFUSALS = 5;

export interface Drain {
  /** There may be something to drain. */
  begin(): void;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
}

/** Moves the spool into Redis, in order and with the same ids, whenever Redis is there. */
export const drainSpool = ({ spool, circuit, openStore, onDrained = () => {} }: DrainOptions): Drain => {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  const pause = (ms: number): Promise<unknown> =>
    sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  const drain = async (): Promise<void> => {
    const startedAt = performance.now();
    let moved = 0;
    let store: Store | undefined;
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
        await pause((performance.now() - sentAt) * PAUSE);
      }
      if (moved > 0) onDrained({ records: moved, ms: performance.now() - startedAt });
    } finally {
      await store?.close();
    }
  };

  /** @returns false when it has to be tried again */
  const move = async (store: Store, batch: SpoolBatch): Promise<boolean> => {
    const failed = await send(store, batch.entries);
    if (failed.length === 0) return true;
    // It may be Redis, or one of them: each that failed is tried alone, for as long as Redis takes anything at all.
    for (const index of failed) {
      for (let refusals = 0; ; ) {
        if (!circuit.isClosed || stopping.signal.aborted) return false;
        const [error] = await sendOne(store, batch.entries[index] as SpoolEntry);
        if (error === undefined) break;
        const isFinal = error instanceof QuarantineFullError || ++refusals >= MAX_REFUSALS;
        if (isFinal && circuit.isClosed) {
          await spool.setAside(batch, index, (error as Error).message);
          break;
        }
        await pause(LOOK_AGAIN_MS);
      }
    }
    return true;
  };

  /** @returns the places of those that Redis did not take, or not in time */
  const send = async (store: Store, entries: readonly SpoolEntry[]): Promise<number[]> => {
    const committer = createCommitter(store, { deadlineMs: DEADLINE_MS });
    const results = await Promise.allSettled(
      entries.map((entry) =>
        entry.kind === 'callback' ? committer.commit(entry, entry.receivedAt) : quarantineCallback(store, entry),
      ),
    );
    return results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []));
  };

  const sendOne = async (store: Store, entry: SpoolEntry): Promise<[error?: unknown]> => {
    const committer = createCommitter(store, { deadlineMs: DEADLINE_MS });
    try {
      if (entry.kind === 'callback') await committer.commit(entry, entry.receivedAt);
      else await quarantineCallback(store, entry);
      return [];
    } catch (error) {
      return [error];
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

  /** What keeps it from going on may heal: Redis that goes away again, a disk that does not answer. */
  async function keepDraining(): Promise<void> {
    while (!stopping.signal.aborted && spool.stats().bytes > 0) {
      await drain().catch(() => pause(LOOK_AGAIN_MS * 2));
    }
  }
};

/** Whether workers have more before them than they can do soon. */
const isBehind = async (store: Store): Promise<boolean> => {
  const waiting = await Promise.all(LANES.map((lane) => store.redis.llen(waitKey(ingestQueue(lane)))));
  return waiting.reduce((sum, groups) => sum + groups, 0) > MAX_WAITING_GROUPS;
};
