import { sendAll } from '../redis/send-all.ts';
import { activeKey } from './keys.ts';
import { shortenLocks } from './shorten-waits.ts';
import type { Dispatch } from './source.ts';

/**
 * Gives back what crashed processes had taken. Asks only queues that have something taken: a check on each costs more
 * than everything else idle.
 * @returns how many locks would have lasted longer than any lock: the clock of Redis was put back
 */
export const returnStalled = async ({ store, sources }: Pick<Dispatch, 'store' | 'sources'>): Promise<number> => {
  const all = [...sources.values()];
  if (all.length === 0) return 0;
  let shortened = 0;
  const lengths = await sendAll(
    store,
    all.map(({ consumer }) => ['llen', activeKey(consumer.queue)]),
  );
  for (const [index, source] of all.entries()) {
    const active = Number(lengths[index]);
    source.consumer.onActive?.(active);
    if (active === 0) continue;
    // Looked at each time: a clock may be put forward and back again before anybody notices.
    shortened += await shortenLocks(store, source.consumer);
    await source.taker.backend.moveStalledJobsToWait();
  }
  return shortened;
};
