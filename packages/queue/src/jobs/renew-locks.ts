import { LOCK_MS } from '../redis/store.ts';
import type { Source } from './source.ts';

/** Sources whose renewal is under way. One that cannot be reached, on a Cluster, must not hold up the others. */
const renewing = new WeakSet<Source>();

/** Renews the locks of running jobs. Holders of jobs that were handed out under a consumer's own tokens renew those. */
export const renewLocks = (working: Iterable<Source>, onError: (error: unknown) => void): void => {
  for (const source of working) {
    const { consumer, running, taker } = source;
    if (consumer.newToken !== undefined || renewing.has(source)) continue;
    renewing.add(source);
    taker
      .extendJobLocks([...running.values()], [...running.keys()], LOCK_MS)
      .catch(onError)
      .finally(() => renewing.delete(source));
  }
};
