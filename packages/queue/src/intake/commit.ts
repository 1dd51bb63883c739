import { type Lane, QueueUnavailableError } from '@clickrelay/core';
import { addJobs, nextIngestQueue } from '../jobs/add-jobs.ts';
import { StoreLostError } from '../redis/errors.ts';
import { createGroupCommit, type GroupCommit } from '../redis/group-commit.ts';
import { keepLarge, newSuffix, storeLarge } from '../redis/large-text.ts';
import type { MemoryWatch } from '../redis/memory.ts';
import type { QueueName } from '../redis/names.ts';
import { LARGE_TEXT_LENGTH, MAX_GROUP_CALLBACKS, MAX_GROUP_LENGTH } from '../redis/size-limits.ts';
import type { Store } from '../redis/store.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import type { CallbackToCommit, CommittedCallback, IngestGroup } from './ingest-group.ts';
import { addReserving, reservableId } from './reserve-event.ts';

export interface Committer {
  /**
   * Resolves when the callback is on disk.
   * @throws {QueueUnavailableError} when it is not, or not known to be, within the deadline.
   */
  commit(callback: CallbackToCommit, receivedAt: string): Promise<void>;
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

export interface CommitterOptions {
  /** How long a callback may wait for its commit, in ms; a large one, for each of its pieces. @default 1500 */
  readonly deadlineMs?: number;
  /** Refuses callbacks before Redis is full. @default refuses nothing */
  readonly memory?: Pick<MemoryWatch, 'admit'>;
}

/** With one, Redis would be idle between its answer and the next write; a second is already waiting there. */
const WRITES_AT_ONCE = 2;
/** Callbacks that wait for their commit, per lane. Above this Redis is not keeping up, and waiting would not help. */
const MAX_PENDING = 10_000;

interface Pending extends CommittedCallback {
  /** Set when the job holds the whole callback. */
  readonly callback?: CallbackToCommit;
  /** On the clock of `performance.now`. */
  readonly since: number;
}

/** On a Cluster: how many queues a group is tried with, and the share of the time left that each but the last gets. */
const SHARDS_TO_TRY = 3;
const SHARE_OF_TIME = 0.4;

const tooLate = (): QueueUnavailableError =>
  new QueueUnavailableError('Redis did not answer in time; send it again, it will not count twice');

const asUnavailable = (error: unknown): QueueUnavailableError =>
  error instanceof QueueUnavailableError
    ? error
    : new QueueUnavailableError('Redis did not take the callback; send it again, it will not count twice', {
        cause: error,
      });

/**
 * Looks at the store right behind the write, on its way: what is acknowledged was not written into an emptied Redis.
 * @throws {StoreLostError}
 */
const isStillOurs = async ({ identity }: Store): Promise<void> => {
  // The write is sent when what waits in this turn of the event loop is done.
  await new Promise((resolve) => setImmediate(resolve));
  await identity.look();
};

/**
 * Writes callbacks to their lane's queue. Callbacks that come while a write is under way share the next one: one
 * command, one job and one fsync for all of them.
 */
export const createCommitter = (store: Store, { deadlineMs = 1_500, memory }: CommitterOptions = {}): Committer => {
  /**
   * Writes to one queue of a lane. On a Cluster another one has its turn when that does not succeed: the slot of the first
   * may move, or its master be away. A write that failed may still happen afterwards. Ids are derived, so a repeated
   * callback changes nothing.
   */
  const writeToOne = async (lane: Lane, withinMs: number, add: (name: QueueName) => Promise<void>): Promise<void> => {
    const until = performance.now() + withinMs;
    for (let tries = 1; ; tries++) {
      const name = nextIngestQueue(store, lane);
      const leftMs = until - performance.now();
      const isLast = !store.isCluster || tries === SHARDS_TO_TRY;
      try {
        const added = Promise.all([store.durably(name.prefix, () => add(name)), isStillOurs(store)]);
        await withDeadline(added, isLast ? leftMs : leftMs * SHARE_OF_TIME, { error: tooLate });
        store.aside.worked(name.prefix);
        return;
      } catch (error) {
        store.aside.failed(name.prefix, error);
        if (isLast || error instanceof StoreLostError) throw error;
      }
    }
  };

  const write = async (lane: Lane, pending: readonly Pending[]): Promise<void> => {
    const callbacks = pending.map(({ receivedAt, text, large, trace }) =>
      large === undefined && trace === undefined
        ? { receivedAt, text }
        : { receivedAt, text, ...(large && { large }), ...(trace && { trace }) },
    );
    try {
      store.assertConnected();
      const [first] = pending as [Pending];
      // The first has waited longest: its deadline is that of the write.
      const leftMs = deadlineMs - (performance.now() - first.since);
      const group: IngestGroup = { callbacks };
      const eventId = pending.length === 1 && first.callback ? reservableId(store, first.callback) : undefined;
      await writeToOne(lane, leftMs, (name) =>
        eventId === undefined ? addJobs(store, name, [{ data: group }]) : addReserving(store, name, group, eventId),
      );
    } catch (error) {
      throw asUnavailable(error);
    }
  };
  const largeOnes = new Set<Promise<void>>();

  /**
   * Writes the text first, then the job along with others, and only then keeps the text. Each step has the deadline.
   */
  const commitLarge = async ({ text, lane, trace }: CallbackToCommit, receivedAt: string): Promise<void> => {
    const { prefix } = nextIngestQueue(store, lane);
    const inTime = <T>(step: Promise<T>): Promise<T> => withDeadline(step, deadlineMs, { error: tooLate });
    try {
      const large = await storeLarge(store, `${prefix}:text:${newSuffix()}`, text, inTime);
      await lanes[lane].add({ text: '', large, receivedAt, since: performance.now(), ...(trace && { trace }) });
      await inTime(store.durably(prefix, () => keepLarge(store, large)));
    } catch (error) {
      throw asUnavailable(error);
    }
  };
  const openLane = (lane: Lane): GroupCommit<Pending> =>
    createGroupCommit({
      maxItems: MAX_GROUP_CALLBACKS,
      maxBytes: MAX_GROUP_LENGTH,
      writesAtOnce: WRITES_AT_ONCE,
      sizeOf: ({ text }) => text.length,
      write: (pending) => write(lane, pending),
    });
  const lanes: Readonly<Record<Lane, GroupCommit<Pending>>> = {
    messages: openLane('messages'),
    statuses: openLane('statuses'),
  };

  return {
    commit: async (callback, receivedAt) => {
      const { text, lane, trace } = callback;
      store.assertConnected();
      const group = lanes[lane];
      if (group.pending >= MAX_PENDING) {
        throw new QueueUnavailableError(
          `${MAX_PENDING} callbacks wait for Redis already; nothing was stored, send it again later`,
        );
      }
      memory?.admit(text.length);
      if (typeof text === 'string' && text.length <= LARGE_TEXT_LENGTH) {
        const since = performance.now();
        const pending = { text, receivedAt, since, callback };
        await group.add(trace === undefined ? pending : { ...pending, trace });
        return;
      }
      const committing = commitLarge(callback, receivedAt);
      largeOnes.add(committing);
      await committing.finally(() => largeOnes.delete(committing));
    },
    close: async () => {
      await Promise.allSettled(largeOnes);
      await Promise.all([lanes.messages.drained(), lanes.statuses.drained()]);
    },
  };
};
