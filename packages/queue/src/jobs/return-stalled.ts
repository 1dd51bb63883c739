import { sendAll } from '../redis/send-all.ts';
import { activeKey } from './keys.ts';
import type { Dispatch } from './source.ts';

/**
 * Gives back what crashed processes had taken. Asks only queues that have something taken: a check on each costs more
 * than everything else idle.
 */
export const returnStalled = async ({ store, sources }: Pick<Dispatch, 'store' | 'sources'>): Promise<void> => {
  const all = [...sources.values()];
  if (all.length === 0) return;
  const lengths = await sendAll(
    store,
    all.map(({ consumer }) => ['llen', activeKey(consumer.queue)]),
  );
  for (const [index, source] of all.entries()) {
    const active = Number(lengths[index]);
    source.consumer.onActive?.(active);
    if (active > 0) await source.taker.backend.moveStalledJobsToWait();
  }
};
