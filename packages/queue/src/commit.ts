import { type Callback, type Lane, QueueUnavailableError } from '@clickrelay/core';
import { createGroupCommit, type GroupCommit } from './group-commit.ts';
import { ingestQueue, LANES } from './names.ts';
import { addJobs, type Store } from './store.ts';

/** A callback as it lies in the ingest queue. */
export interface CommittedCallback {
  readonly receivedAt: string;
  readonly text: string;
}

/** One ingest job: callbacks that were committed together. */
export interface IngestGroup {
  readonly callbacks: readonly CommittedCallback[];
}

export interface Committer {
  /**
   * Resolves when the callback is on disk.
   * @throws {QueueUnavailableError} when it is not, or not known to be, within the deadline.
   */
  commit(callback: Pick<Callback, 'text' | 'lane'>, receivedAt: string): Promise<void>;
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

export interface CommitterOptions {
  /** How long a callback may wait for its commit, in ms. @default 1500 */
  readonly deadlineMs?: number;
}

/** A larger group would only make the writes behind it wait. */
const MAX_GROUP_CALLBACKS = 256;
/** Redis stalls everyone while it takes a large value; one larger callback is a group of its own. */
const MAX_GROUP_BYTES = 256 * 1024;
/** Callbacks that wait for their commit, per lane: above this Redis is not keeping up, and waiting would not help. */
const MAX_PENDING = 10_000;

/**
 * Writes callbacks to their lane's queue. Callbacks that come while a write is under way share the next one: one
 * command, one job and one fsync for all of them.
 */
export const createCommitter = (store: Store, { deadlineMs = 1_500 }: CommitterOptions = {}): Committer => {
  const openLane = (lane: Lane): GroupCommit<CommittedCallback> =>
    createGroupCommit({
      maxItems: MAX_GROUP_CALLBACKS,
      maxBytes: MAX_GROUP_BYTES,
      sizeOf: ({ text }) => text.length,
      write: async (callbacks) => {
        store.assertConnected();
        await withDeadline(
          addJobs(store, ingestQueue(lane), [{ data: { callbacks } satisfies IngestGroup }]),
          deadlineMs,
        );
      },
    });
  const lanes = new Map(LANES.map((lane) => [lane, openLane(lane)]));

  return {
    commit: async ({ text, lane }, receivedAt) => {
      store.assertConnected();
      const group = lanes.get(lane) as GroupCommit<CommittedCallback>;
      if (group.pending >= MAX_PENDING) {
        throw new QueueUnavailableError(
          `${MAX_PENDING} callbacks wait for Redis already; nothing was stored, send it again later`,
        );
      }
      try {
        await withDeadline(group.add({ text, receivedAt }), deadlineMs);
      } catch (error) {
        if (error instanceof QueueUnavailableError) throw error;
        throw new QueueUnavailableError('Redis did not take the callback; send it again, it will not count twice', {
          cause: error,
        });
      }
    },
    close: async () => {
      await Promise.all([...lanes.values()].map((group) => group.drained()));
    },
  };
};

/** The write may still happen after its deadline: that is why ids are derived, and a repeated callback changes nothing. */
const withDeadline = (promise: Promise<unknown>, ms: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(
      () =>
        reject(
          new QueueUnavailableError(`Redis did not answer within ${ms} ms; send it again, it will not count twice`),
        ),
      ms,
    );
    promise.then(
      () => {
        clearTimeout(timer);
        resolve();
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
