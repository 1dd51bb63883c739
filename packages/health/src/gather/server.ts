import { readDurability, readServers } from '@clickrelay/queue';
import type { ServerFacts } from '../facts.ts';
import type { Known } from '../known.ts';
import { ask } from './ask.ts';
import type { Sources } from './sources.ts';

const WINDOW_MS = 300_000;

/** Redis counts from its start; what is wanted is how many there were lately. */
const countLately = (): ((total: number, nowMs: number) => number) => {
  let seen: { readonly at: number; readonly total: number }[] = [];
  return (total, nowMs) => {
    // It started anew: what it counted before is gone.
    if (total < (seen.at(-1)?.total ?? 0)) seen = [];
    seen = [...seen.filter(({ at }) => at > nowMs - WINDOW_MS), { at: nowMs, total }];
    return total - (seen[0]?.total ?? total);
  };
};

export const createServerGatherer = (sources: Sources): ((nowMs: number) => Promise<Known<ServerFacts>>) => {
  const { store, mode } = sources;
  const delayedLately = countLately();
  return (nowMs) =>
    ask(sources, async () => {
      const [durability, use] = await Promise.all([readDurability(store, mode), readServers(store)]);
      const { lastRewrite, usedBytes, maxBytes, machineBytes, replicas } = use;
      return {
        durability,
        lastRewrite,
        usedBytes,
        limitBytes: maxBytes || machineBytes,
        limit: maxBytes > 0 ? ('maxmemory' as const) : ('machine' as const),
        delayedFsyncs: delayedLately(use.delayedFsyncs, nowMs),
        replicas,
      };
    });
};
