import { DAY_MS } from '@clickrelay/core';
import { destinationQueue, queueKey } from '../redis/names.ts';
import { fieldsOf, sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';

/*
 * What is known of all attempts at a destination since it was made: how many there were, how many delivered, and how
 * the last ones went. They are added up in memory and written now and then, as the figures by the hour are.
 */

/** For what a worker writes after its destination was removed. In seconds. */
const KEPT_S = (400 * DAY_MS) / 1_000;

const keyOf = (destinationId: string): string => `${queueKey(destinationQueue(destinationId))}:totals`;

export interface DestinationTotals {
  readonly attempts: number;
  readonly delivered: number;
  /** In ms; null when there was none. */
  readonly deliveredAt: number | null;
  readonly failedAt: number | null;
  /** Of the last attempt that failed; null when none has. */
  readonly lastErrorCode: string | null;
}

interface Pending {
  attempts: number;
  delivered: number;
  deliveredAt?: number;
  failedAt?: number;
  lastErrorCode?: string;
}

interface EndedAttempt {
  readonly isDelivered: boolean;
  readonly errorCode: string | undefined;
  readonly at: number;
}

export interface PendingTotals {
  add(destinationId: string, attempt: EndedAttempt): void;
  /** @throws the first error; what Redis did not take is written the next time */
  write(store: Store): Promise<void>;
}

export const createPendingTotals = (): PendingTotals => {
  let pending = new Map<string, Pending>();

  const writeOne = async (store: Store, id: string, some: Pending): Promise<void> => {
    const { attempts, delivered, ...last } = some;
    try {
      const key = keyOf(id);
      await store.redis
        .multi()
        .hincrby(key, 'attempts', attempts)
        .hincrby(key, 'delivered', delivered)
        .hset(key, last)
        .expire(key, KEPT_S)
        .exec();
    } catch (error) {
      const later = pending.get(id);
      pending.set(id, {
        ...some,
        ...later,
        attempts: attempts + (later?.attempts ?? 0),
        delivered: delivered + (later?.delivered ?? 0),
      });
      throw error;
    }
  };

  return {
    add: (id, { isDelivered, errorCode, at }) => {
      const present = pending.get(id) ?? { attempts: 0, delivered: 0 };
      pending.set(id, present);
      present.attempts++;
      if (isDelivered) {
        present.delivered++;
        present.deliveredAt = at;
      } else {
        present.failedAt = at;
        if (errorCode !== undefined) present.lastErrorCode = errorCode;
      }
    },
    write: async (store) => {
      const taken = pending;
      pending = new Map();
      const results = await Promise.allSettled([...taken].map(([id, some]) => writeOne(store, id, some)));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
};

/** Of each destination, in this order. */
export const readTotals = async (store: Store, destinationIds: readonly string[]): Promise<DestinationTotals[]> => {
  const replies = await sendAll(
    store,
    destinationIds.map((id) => ['hgetall', keyOf(id)]),
  );
  return replies.map(fieldsOf).map(({ attempts, delivered, deliveredAt, failedAt, lastErrorCode = null }) => ({
    attempts: Number(attempts ?? 0),
    delivered: Number(delivered ?? 0),
    deliveredAt: deliveredAt === undefined ? null : Number(deliveredAt),
    failedAt: failedAt === undefined ? null : Number(failedAt),
    lastErrorCode,
  }));
};

/** Removes those of a removed destination. */
export const removeTotals = async (store: Store, destinationId: string): Promise<void> => {
  await store.redis.del(keyOf(destinationId));
};
