import { readDestinationFacts, type WantedCounts } from '@clickrelay/queue';
import type { DestinationFacts } from '../facts.ts';
import type { Known } from '../known.ts';
import { ask } from './ask.ts';
import type { Sources } from './sources.ts';

/** How each destination does. */
export const gatherDestinations = (
  sources: Sources,
  wanted: WantedCounts,
  nowMs: number,
): Promise<Known<readonly DestinationFacts[]>> =>
  ask(sources, async () => {
    const [found, counts] = await Promise.all([readDestinationFacts(sources.store, nowMs), wanted.read()]);
    return found.map((one) => ({ ...one, wantedOfLast1000: counts.get(one.id) ?? null }));
  });
