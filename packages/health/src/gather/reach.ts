import { type HealthRecords, type Store, StoreLostError, withDeadline } from '@clickrelay/queue';
import type { RedisReach } from '../facts.ts';

/** How long Redis may take for a small write before it counts as away, in ms. */
const PROBE_MS = 1_000;

/** A Redis that says one of these is there. Everything else says that it cannot be reached. */
const REFUSALS =
  /^(NOPERM|WRONGPASS|NOAUTH|MISCONF|OOM|READONLY|LOADING|BUSY|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)$/;

const SILENT = {
  state: 'away',
  cause: 'Redis does not answer',
  mend: 'start it, or set REDIS_URL to where it is',
} as const;

/** Whether Redis takes what is written: only a write tells. */
export const reachRedis = async (store: Store, { probe }: Pick<HealthRecords, 'probe'>): Promise<RedisReach> => {
  try {
    await withDeadline(probe(), PROBE_MS, { error: () => new Error('no answer') });
    return { state: 'answers' };
  } catch (error) {
    // It answers; that it is not ours is another condition.
    if (error instanceof StoreLostError) return { state: 'answers' };
    // A command that was not sent does not know why; the connection does.
    const trouble = store.explain(error) ?? store.explain();
    if (trouble === undefined) return SILENT;
    const { code, cause, mend } = trouble;
    return REFUSALS.test(code) ? { state: 'refuses', code, cause, mend } : { state: 'away', cause, mend };
  }
};
