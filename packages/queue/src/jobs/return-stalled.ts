import { sendAll } from '../redis/send-all.ts';
import type { Store } from '../redis/store.ts';
import { activeKey } from './keys.ts';
import { shortenLocks } from './shorten-waits.ts';
import type { Dispatch, Source } from './source.ts';

/**
 * Gives back what crashed processes had taken. Asks only queues that have something taken: a check on each costs more
 * than everything else idle.
 * @returns how many locks would have lasted longer than any lock: the clock of Redis was put back
 */
export const returnStalled = async ({ store, sources }: Pick<Dispatch, 'store' | 'sources'>): Promise<number> => {
  // On a Cluster the queues of one tag wait for nobody else: its master may be away.
  const parts = store.isCluster
    ? Map.groupBy(sources.values(), ({ consumer }) => consumer.queue.prefix).values()
    : [[...sources.values()]];
  const results = await Promise.allSettled([...parts].map((part) => returnStalledOf(store, part)));
  let shortened = 0;
  for (const result of results) {
    if (result.status === 'rejected') throw result.reason;
    shortened += result.value;
  }
  return shortened;
};

const returnStalledOf = async (store: Store, sources: readonly Source[]): Promise<number> => {
  let shortened = 0;
  const lengths = await sendAll(
    store,
    sources.map(({ consumer }) => ['llen', activeKey(consumer.queue)]),
  );
  for (const [index, source] of sources.entries()) {
    const active = Number(lengths[index]);
    source.consumer.onActive?.(active);
    if (active === 0) continue;
    // Looked at each time: a clock may be put forward and back again before anybody notices.
    shortened += await shortenLocks(store, source.consumer);
    await source.taker.backend.moveStalledJobsToWait();
  }
  return shortened;
};
