import type { Lane } from '@clickrelay/core';
import { readLaneFacts } from '@clickrelay/queue';
import type { LaneFacts } from '../facts.ts';
import type { Known } from '../known.ts';
import { ask } from './ask.ts';
import type { Sources } from './sources.ts';

const NONE_SO_FAR = { unknown: 'no callback came so far' };

/** What waits to be routed in each lane, and how callbacks usually come. */
export const gatherLanes = (sources: Sources, nowMs: number): Promise<Known<Readonly<Record<Lane, LaneFacts>>>> =>
  ask(sources, async () => {
    const read = await readLaneFacts(sources.store, nowMs);
    const lane = (name: Lane): LaneFacts => ({ ...read[name], wasReady: read[name].wasReady ?? NONE_SO_FAR });
    return { messages: lane('messages'), statuses: lane('statuses') };
  });
