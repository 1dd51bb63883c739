import { LOCK_MS } from '../redis/store.ts';
import type { Source } from './source.ts';

/** Renews the locks of running jobs. Holders of jobs that were handed out under a consumer's own tokens renew those. */
export const renewLocks = async (working: Iterable<Source>): Promise<void> => {
  for (const { consumer, running, taker } of working) {
    if (consumer.newToken !== undefined) continue;
    await taker.extendJobLocks([...running.values()], [...running.keys()], LOCK_MS);
  }
};
