import { readCallbackFacts } from '@clickrelay/queue';
import type { CallbackFacts } from '../facts.ts';
import type { Known } from '../known.ts';
import { ask } from './ask.ts';
import type { Sources } from './sources.ts';

/** Which callbacks receivers refused lately, and when one was last accepted. */
export const gatherCallbacks = (sources: Sources, nowMs: number): Promise<Known<CallbackFacts>> =>
  ask(sources, () => readCallbackFacts(sources.store, nowMs));
