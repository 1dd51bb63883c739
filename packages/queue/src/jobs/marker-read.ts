import type { Redis } from 'ioredis';
import type { QueueName } from '../redis/names.ts';
import { runScript, type Script } from '../redis/script.ts';
import type { JobTaker, Store } from '../redis/store.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import { waitKey } from './keys.ts';

/*
 * One blocking read of a dispatcher, on a connection of its own: one for all queues, or on a Cluster one for each tag.
 */

/** KEYS: marker, waiting jobs. Without the marker of an empty queue, the next read does not end for nothing. */
const DROP_MARKER: Script = {
  name: 'dropMarker',
  lua: `if redis.call('LLEN', KEYS[2]) == 0 then redis.call('ZREM', KEYS[1], '0') end`,
};

/** Redis's limit for a read; also how long a closed connection can go unnoticed. */
const BLOCK_SECONDS = 5;
/** An answer that has not come this long after the read should have ended never will. */
const BLOCK_GRACE_MS = 1_500;

/** A queue that is taken from behind the read. */
interface PromptQueue {
  readonly queue: QueueName;
  readonly marker: string;
  /** Called at once: sends a take through this taker, and resolves when that has been followed up. */
  take(taker: JobTaker): Promise<void>;
}

export interface Popped {
  readonly marker: string;
  readonly member: string;
  /** When something is ready, in ms. */
  readonly at: number;
}

export interface MarkerRead {
  /**
   * Waits for the first of these markers, and takes from the prompt queues as soon as the wait ends, however it ends.
   */
  wait(markers: readonly string[], prompt: readonly PromptQueue[]): Promise<Popped | undefined>;
  /** Whether the read under way waits for this marker; undefined when none is under way. */
  waitsFor(marker: string): boolean | undefined;
  /** Ends the read under way, so that the next one waits for other markers. */
  interrupt(): void;
  /** The next read opens another connection. */
  reset(): void;
  /** Ends everything, also while Redis is away. */
  close(): void;
}

/**
 * @param key Any of the markers: on a Cluster all markers of a read have one tag, and are read from the server that has
 * it.
 */
export const createMarkerRead = (
  store: Store,
  key: string,
  { onError }: { onError: (error: unknown) => void },
): MarkerRead => {
  /** Ends the last read: while Redis is away, closing its connection does not. */
  const over = new AbortController();
  let blocking: Redis | undefined;
  let blockingId: number | undefined;
  /** On the blocking connection, by marker. */
  let promptTakers = new Map<string, JobTaker>();
  /** The markers of the read under way. */
  let waitingFor: ReadonlySet<string> | undefined;
  let interrupted: ReadonlySet<string> | undefined;

  const open = (): Redis => {
    // Silence on this connection means nothing, and each read has a deadline of its own.
    const connection = store.connectionOf(key).duplicate({
      connectionName: 'clickrelay-dispatcher',
      socketTimeout: undefined,
      commandTimeout: undefined,
      enableOfflineQueue: true,
      maxRetriesPerRequest: null,
      // On a Cluster the next read may have to go elsewhere: this connection is opened once and never again.
      ...(store.isCluster && { lazyConnect: false, retryStrategy: () => null }),
    });
    connection.on('error', onError);
    return connection;
  };

  const reset = (): void => {
    blocking?.disconnect();
    blocking = undefined;
    blockingId = undefined;
    promptTakers = new Map();
  };

  const untilDeadline = <T>(promise: Promise<T>, ms: number): Promise<T> =>
    withDeadline(promise, ms, { error: () => new Error(`no answer from Redis within ${ms} ms`), signal: over.signal });

  const promptTaker = async ({ queue, marker }: PromptQueue, connection: Redis): Promise<JobTaker> => {
    let taker = promptTakers.get(marker);
    if (taker === undefined) {
      taker = store.openTaker(queue, connection);
      // Questions that BullMQ asks on a new connection would wait behind the read.
      await untilDeadline(taker.waitUntilReady(), BLOCK_SECONDS * 1_000);
      promptTakers.set(marker, taker);
    }
    return taker;
  };

  const endRead = async (read: ReadonlySet<string>): Promise<void> => {
    // Sent over another connection, this can overtake the read that it is meant for: repeat it until that has ended.
    while (waitingFor === read) {
      if (blockingId !== undefined && (await store.connectionOf(key).client('UNBLOCK', blockingId)) === 1) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  return {
    wait: async (markers, prompt) => {
      blocking ??= open();
      const connection = blocking;
      const takers: JobTaker[] = [];
      for (const queue of prompt) takers.push(await promptTaker(queue, connection));
      waitingFor = new Set(markers);
      try {
        // Asked before each read: behind it, the answer would come too late to be of use.
        connection.client('ID').then(
          (id) => {
            if (blocking === connection) blockingId = Number(id);
          },
          () => {},
        );
        const reading = connection.bzpopmin(...markers, BLOCK_SECONDS);
        const taking = prompt.map((queue, index) => {
          const taken = queue.take(takers[index] as JobTaker);
          // BullMQ sends the take in a later turn of the microtask queue: this has to come after it.
          setImmediate(() => {
            runScript(connection, DROP_MARKER, [queue.marker, waitKey(queue.queue)]).catch(onError);
          });
          return taken;
        });
        const [popped] = await untilDeadline(Promise.all([reading, ...taking]), BLOCK_SECONDS * 1_000 + BLOCK_GRACE_MS);
        return popped === null ? undefined : { marker: popped[0], member: popped[1], at: Number(popped[2]) };
      } finally {
        waitingFor = undefined;
      }
    },
    waitsFor: (marker) => waitingFor?.has(marker),
    interrupt: () => {
      if (waitingFor === undefined || waitingFor === interrupted) return;
      interrupted = waitingFor;
      endRead(interrupted).catch(onError);
    },
    reset,
    close: () => {
      reset();
      over.abort();
    },
  };
};
