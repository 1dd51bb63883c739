import type { Lane } from '@clickrelay/core';
import { type Figures, readHeard } from '@clickrelay/queue';
import type { LaneFacts } from '../facts.ts';
import type { Known } from '../known.ts';
import { ask } from './ask.ts';
import type { Sources } from './sources.ts';

const NOT_COUNTED = { unknown: 'this version does not count it' };

/** What waits to be routed in each lane, and how callbacks usually come. */
export const gatherLanes = (
  sources: Sources,
  figures: Promise<Figures>,
): Promise<Known<Readonly<Record<Lane, LaneFacts>>>> =>
  ask(sources, async () => {
    const [{ ingest }, heard] = await Promise.all([figures, readHeard(sources.store)]);
    const lane = (name: Lane): LaneFacts => {
      const { waiting, delayed, active, oldestAt } = ingest[name];
      const { firstAt, lastAt } = heard[name];
      return {
        groups: waiting + delayed + active,
        oldestGroupAt: oldestAt,
        firstAt: firstAt === null ? null : Date.parse(firstAt),
        lastAt: lastAt === null ? null : Date.parse(lastAt),
        sameSpanBefore: [null, null, null, null],
        countedMs: 0,
        longestGapMs: 0,
        lastWeek: 0,
        wasReady: NOT_COUNTED,
      };
    };
    return { messages: lane('messages'), statuses: lane('statuses') };
  });
