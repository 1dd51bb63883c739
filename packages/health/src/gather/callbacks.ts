import { HOUR_MS, MINUTE_MS } from '@clickrelay/core';
import { readHeard, readRefusals, sumRefusals } from '@clickrelay/queue';
import type { CallbackFacts, Refusals } from '../facts.ts';
import type { Known } from '../known.ts';
import { ask } from './ask.ts';
import type { Sources } from './sources.ts';

/** Which callbacks receivers refused lately, and when one was last accepted. */
export const gatherCallbacks = (sources: Sources, nowMs: number): Promise<Known<CallbackFacts>> =>
  ask(sources, async () => {
    const [minutes, heard] = await Promise.all([
      readRefusals(sources.store, { fromMs: nowMs - HOUR_MS, toMs: nowMs + MINUTE_MS, step: 'minute' }),
      readHeard(sources.store),
    ]);
    const since = (ms: number) =>
      sumRefusals([...minutes].filter(([at]) => at > nowMs - ms - MINUTE_MS).map(([, counts]) => counts));
    const lastHour = since(HOUR_MS);
    const firstWrong = [...minutes].filter(([, { wrongCredential }]) => wrongCredential > 0).map(([at]) => at);
    const accepted = [heard.messages.lastAt, heard.statuses.lastAt].filter((at) => at !== null).map(Date.parse);
    return {
      refusedLast5m: refusalsOf(since(5 * MINUTE_MS)),
      refusedLast15m: refusalsOf(since(15 * MINUTE_MS)),
      wrongCredentials: lastHour.wrongCredential,
      firstWrongAt: firstWrong.length === 0 ? null : Math.min(...firstWrong),
      withoutCredential: lastHour.noCredential,
      lastAcceptedAt: accepted.length === 0 ? null : Math.max(...accepted),
    };
  });

const refusalsOf = ({ unavailable, tooLarge, unprocessable, rateLimited }: Refusals): Refusals => ({
  unavailable,
  tooLarge,
  unprocessable,
  rateLimited,
});
