import { readCluster } from '@clickrelay/queue';
import type { ClusterFacts } from '../facts.ts';
import type { Known } from '../known.ts';
import { ask } from './ask.ts';
import type { Sources } from './sources.ts';

/** Whether a Cluster serves all slots, and whether a move of slots goes on. Null on a single server. */
export const createClusterGatherer = (sources: Sources): ((nowMs: number) => Promise<Known<ClusterFacts | null>>) => {
  let last = '';
  let since = 0;
  return async (nowMs) => {
    if (!sources.store.isCluster) return null;
    return await ask(sources, async () => {
      const { isDown, moving } = await readCluster(sources.store);
      const progress = JSON.stringify(moving);
      if (progress !== last) since = nowMs;
      last = progress;
      const movingSlots = Object.keys(moving).length;
      return { movingSlots, stuckSince: movingSlots > 0 && since < nowMs ? since : null, isDown };
    });
  };
};
