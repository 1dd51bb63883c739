import { DAY_MS, HOUR_MS, type Lane, MINUTE_MS } from '@clickrelay/core';
import { type CountedIntake, type Heard, readHeard, readIntake } from '../counts/intake-counts.ts';
import { readIngestFigures } from '../ledger/queue-figures.ts';
import type { Store } from '../redis/store.ts';
import { wasReadySince } from '../registry/ready-minutes.ts';

const WEEK_MS = 7 * DAY_MS;
const WEEKS = [1, 2, 3, 4] as const;

/** One callback is counted in the hour in which it was split. */
type Hours = readonly { readonly at: number; readonly callbacks: number }[];

/** The hours of a month change slowly, and health asks every few seconds. */
const REMEMBERED_MS = MINUTE_MS;
const remembered = new WeakMap<object, { readonly at: number; readonly intake: Promise<CountedIntake> }>();

const readHours = (store: Store, nowMs: number): Promise<CountedIntake> => {
  const known = remembered.get(store.redis);
  if (known !== undefined && Math.abs(nowMs - known.at) < REMEMBERED_MS) return known.intake;
  const intake = readIntake(store, { step: 'hour' }, nowMs);
  remembered.set(store.redis, { at: nowMs, intake });
  intake.catch(() => remembered.delete(store.redis));
  return intake;
};

/** How many came in a span that need not begin or end with an hour: of an hour that lies half in it, half. */
export const countInSpan = (hours: Hours, fromMs: number, toMs: number): number =>
  Math.floor(
    hours.reduce((sum, { at, callbacks }) => {
      const share = (Math.min(at + HOUR_MS, toMs) - Math.max(at, fromMs)) / HOUR_MS;
      return share > 0 ? sum + callbacks * share : sum;
    }, 0),
  );

/** The longest time between two hours with callbacks, from `fromMs` on. To the hour. */
export const longestGap = (hours: Hours, fromMs: number): number => {
  let longest = 0;
  let last = fromMs;
  for (const { at } of hours.filter(({ at: begin, callbacks }) => callbacks > 0 && begin >= fromMs)) {
    longest = Math.max(longest, at - last);
    last = at;
  }
  return longest;
};

export interface LaneFactsRead {
  readonly groups: number;
  readonly oldestGroupAt: number | null;
  readonly firstAt: number | null;
  readonly lastAt: number | null;
  readonly sameSpanBefore: readonly (number | null)[];
  readonly countedMs: number;
  readonly longestGapMs: number;
  readonly lastWeek: number;
  /** Null when none came so far. */
  readonly wasReady: boolean | null;
}

const msOf = (iso: string | null): number | null => (iso === null ? null : Date.parse(iso));

/** What a lane is used to, and since when nothing came. */
const rhythmOf = (
  hours: Hours,
  { firstAt, lastAt }: Heard,
  { nowMs, keptFromMs }: { nowMs: number; keptFromMs: number },
) => {
  const [first, last] = [msOf(firstAt), msOf(lastAt)];
  if (first === null || last === null) {
    return {
      firstAt: null,
      lastAt: null,
      sameSpanBefore: WEEKS.map(() => null),
      countedMs: 0,
      longestGapMs: 0,
      lastWeek: 0,
    };
  }
  const countedFrom = Math.max(first, keptFromMs);
  const weekAgo = Math.max(nowMs - WEEK_MS, first);
  return {
    firstAt: first,
    lastAt: last,
    sameSpanBefore: WEEKS.map((weeks) => {
      const from = last - weeks * WEEK_MS;
      return from < countedFrom ? null : countInSpan(hours, from, nowMs - weeks * WEEK_MS);
    }),
    countedMs: Math.max(nowMs - first, 0),
    // The hour that the week begins in counts whole.
    longestGapMs: longestGap(hours, Math.floor(weekAgo / HOUR_MS) * HOUR_MS),
    lastWeek: countInSpan(hours, nowMs - WEEK_MS, nowMs + HOUR_MS),
  };
};

/** What waits in each lane, and whether its silence is unusual. Times in ms. */
export const readLaneFacts = async (store: Store, nowMs: number): Promise<Readonly<Record<Lane, LaneFactsRead>>> => {
  const [figures, heard, intake] = await Promise.all([
    readIngestFigures(store),
    readHeard(store),
    readHours(store, nowMs),
  ]);
  const factsOf = async (lane: Lane): Promise<LaneFactsRead> => {
    const hours = intake.spans.map((span) => ({ at: Date.parse(span.at), callbacks: span[lane].callbacks }));
    const { waiting, delayed, active, oldestAt } = figures[lane];
    const rhythm = rhythmOf(hours, heard[lane], { nowMs, keptFromMs: Date.parse(intake.from) });
    return {
      groups: waiting + delayed + active,
      oldestGroupAt: oldestAt,
      ...rhythm,
      wasReady: rhythm.lastAt === null ? null : await wasReadySince(store, rhythm.lastAt, nowMs),
    };
  };
  const [messages, statuses] = await Promise.all([factsOf('messages'), factsOf('statuses')]);
  return { messages, statuses };
};
