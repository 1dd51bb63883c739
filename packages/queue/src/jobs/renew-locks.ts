import { LOCK_MS } from '../redis/store.ts';
import type { Source } from './source.ts';

/** Renews the locks of running jobs. Whoever was handed a job under a token of the consumer's renews that one. */
export const renewLocks = async (working: Iterable<Source>): Promise<void> => {
  for (const { consumer, running, taker } of working) {
    if (consumer.newToken !== undefined) continue;
    await taker.extendJobLocks([...running.values()], [...running.keys()], LOCK_MS);
  }
};
