import { DAY_MS, HOUR_MS } from '@clickrelay/core';
import type { LaneFacts } from '../facts.ts';
import { isUnknown, whenKnown } from '../known.ts';
import { fully } from '../reach.ts';
import type { Blind, Rule, Sighting } from '../rule.ts';
import { amount, duration } from '../words.ts';

const LEAST_MS = HOUR_MS;
/** Of the same span in earlier weeks: so many callbacks in most of them, and so many as a median. */
const LIVELY = 5;
const LIVELY_WEEKS = 3;
const LEAST_MEDIAN = 20;
/** Without such weeks. */
const YOUNG = { leastMs: 6 * HOUR_MS, timesLongestGap: 4, leastLastWeek: 50 };

export const silence: Rule = {
  code: 'silence',
  kind: 'relay',
  levels: [{ severity: 'warning', keepMs: 0 }],
  when:
    'Nothing has come in a lane for an hour or longer, while in the same span one, two, three and four weeks ago 20 ' +
    'callbacks or more came (their median; 5 or more in three of them). While three such weeks are not known: ' +
    'nothing for 6 hours and for four times the longest gap of the last 7 days, in which 50 came. Until the next ' +
    'callback; only while a receiver was ready for the whole span.',
  about:
    'A public holiday looks the same. Send a test callback with `clickrelay setup --test`: if that arrives, look at ' +
    'the address in the portal of Clickatell, and at what you have sent.',
  look: ({ lanes }, nowMs) =>
    whenKnown(lanes, (known) => Object.entries(known).flatMap(([lane, facts]) => sightSilence(lane, facts, nowMs))),
};

const sightSilence = (lane: string, facts: LaneFacts, nowMs: number): (Sighting | Blind)[] => {
  const { lastAt, wasReady } = facts;
  if (lastAt === null) return [];
  const spanMs = nowMs - lastAt;
  const usual = usually(facts, spanMs);
  if (usual === undefined) return [];
  if (isUnknown(wasReady)) return [{ id: lane, unknown: wasReady.unknown }];
  if (!wasReady) return [{ id: lane, unknown: 'no receiver was ready for the whole time' }];
  const sentence = `no callback with ${lane} has come for ${duration(spanMs)}; ${usual}`;
  const mend = {
    text: 'send a test callback; when that arrives, look at the address in the portal of Clickatell',
    command: 'clickrelay setup --test',
  };
  return [{ id: lane, ...fully('warning'), sinceMs: lastAt, count: 0, sentence, mend }];
};

/** What came at other times, in words, if that makes this span a silence. */
const usually = (facts: LaneFacts, spanMs: number): string | undefined => {
  const weeks = facts.sameSpanBefore.filter((callbacks) => callbacks !== null).sort((a, b) => a - b);
  if (weeks.length < LIVELY_WEEKS || facts.countedMs < 14 * DAY_MS) return usuallyYoung(facts, spanMs);
  const usual = median(weeks);
  const lively = weeks.filter((callbacks) => callbacks >= LIVELY).length;
  if (spanMs < LEAST_MS || lively < LIVELY_WEEKS || usual < LEAST_MEDIAN) return undefined;
  return `in the last ${amount(weeks.length, 'week')} about ${Math.floor(usual)} came in the same hours`;
};

const usuallyYoung = ({ longestGapMs, lastWeek }: LaneFacts, spanMs: number): string | undefined => {
  const isLong = spanMs > YOUNG.leastMs && spanMs > YOUNG.timesLongestGap * longestGapMs;
  if (!isLong || lastWeek < YOUNG.leastLastWeek) return undefined;
  return `in the last 7 days the longest gap was ${duration(longestGapMs)}`;
};

const median = (sorted: readonly number[]): number => {
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
};
