import { QueueUnavailableError } from '@clickrelay/core';
import { LOCK_MS, type Store } from './store.ts';
import { withDeadline } from './with-deadline.ts';

/** As long as a lock. A command for a master that is away is sent again for longer; nobody waits for that. */
const PATIENCE_MS = LOCK_MS;

/**
 * Writes to one tag of a Cluster, and puts the tag aside when that does not succeed in time: the next writes fail at once
 * until a try succeeds. A write that failed may still be carried out. On a single server there is nothing to go on with
 * meanwhile: it waits.
 * @throws what Redis answered, also while it is put aside
 */
export const useShard = async <T>(store: Store, tag: string, write: () => Promise<T>): Promise<T> => {
  if (!store.isCluster) return write();
  if (!store.aside.mayTry(tag)) throw store.aside.reason(tag);
  try {
    const result = await withDeadline(write(), PATIENCE_MS, {
      error: () => new QueueUnavailableError('a part of the Redis Cluster does not answer in time'),
    });
    store.aside.worked(tag);
    return result;
  } catch (error) {
    store.aside.failed(tag, error);
    throw error;
  }
};
