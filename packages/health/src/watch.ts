import { setTimeout as sleep } from 'node:timers/promises';
import { type HealthRecords, withDeadline } from '@clickrelay/queue';
import type { Acknowledgement, Condition, Verdict } from './condition.ts';
import type { Facts } from './facts.ts';
import { type Acknowledgements, acknowledgeIn, type Judged, judge, type Memories, memoryKey } from './judge.ts';
import { parseKept, textsOf } from './kept.ts';
import type { Rule } from './rule.ts';

/*
 * Every few seconds one API judges, and writes what it remembers and what it found. The others read that. While Redis is
 * away each judges for itself, from what it remembers, and none can write.
 */

/** How often, in ms. */
const LOOK_MS = 5_000;
/** A verdict that is older was left behind by a judge that is gone. */
const FRESH_MS = 20_000;
/** How long Redis may take for what was judged before, in ms. */
const RECORDS_MS = 1_000;

export interface WatchOptions {
  readonly records: HealthRecords;
  readonly rules: readonly Rule[];
  readonly gather: (nowMs: number) => Promise<Facts>;
  /** Names this process among all. */
  readonly by: string;
  /** Called with each verdict that this process came to. */
  readonly onVerdict?: ((verdict: Verdict) => void) | undefined;
  readonly onError: (error: unknown) => void;
  /** What time it is, in ms since 1970. Tests put it forward. @default the clock of this machine */
  readonly now?: (() => number) | undefined;
  readonly lookMs?: number | undefined;
}

export interface HealthWatch {
  /** What is known now; judges when nothing is. */
  current(): Promise<Verdict>;
  /** Looks now. */
  look(): Promise<Verdict>;
  /**
   * Notes that a person knows of it, until a time or until it ends.
   * @returns the condition; undefined when there is none
   */
  acknowledge(
    of: Pick<Condition, 'code' | 'subject'>,
    acknowledgement: Acknowledgement,
  ): Promise<Condition | undefined>;
  /**
   * Takes an acknowledgement back.
   * @returns the condition; undefined when there is none
   */
  withdraw(of: Pick<Condition, 'code' | 'subject'>): Promise<Condition | undefined>;
  stop(): Promise<void>;
}

export const watchHealth = (options: WatchOptions): HealthWatch => {
  const { records, by, onVerdict = () => {}, onError, now = Date.now, lookMs = LOOK_MS } = options;
  const ending = new AbortController();
  let memories: Memories = new Map();
  let acknowledged: Acknowledgements = new Map();
  let verdict: Verdict | undefined;
  let looking: Promise<Verdict> | undefined;

  const rules = options.rules.map((rule) => survive(rule, onError));
  const judgeNow = (facts: Facts): Judged => {
    const judged = judge({ rules, facts, before: memories, acknowledged, nowMs: now() });
    ({ memories, verdict } = judged);
    return judged;
  };

  /** Another process may have judged since we last did. */
  const catchUp = (kept: ReturnType<typeof parseKept>): void => {
    acknowledged = kept.acknowledged;
    const ours = verdict === undefined ? Number.NEGATIVE_INFINITY : Date.parse(verdict.checkedAt);
    const theirs = kept.verdict === undefined ? Number.NEGATIVE_INFINITY : Date.parse(kept.verdict.checkedAt);
    // While Redis was away, or after it was emptied, what is remembered here is newer.
    if (theirs <= ours && verdict !== undefined) return;
    ({ memories } = kept);
    verdict = kept.verdict ?? verdict;
  };

  const lookNow = async (): Promise<Verdict> => {
    const shared = await inTime(async () => {
      const kept = parseKept(await records.read());
      return { kept, isOurs: await records.takeTurn(by) };
    });
    if (shared !== undefined) catchUp(shared.kept);
    const age = verdict === undefined ? Number.POSITIVE_INFINITY : now() - Date.parse(verdict.checkedAt);
    if (verdict !== undefined && shared?.isOurs === false && age < FRESH_MS) {
      verdict = acknowledgeIn(verdict, acknowledged, now());
      return verdict;
    }
    const { verdict: found } = judgeNow(await options.gather(now()));
    if (shared?.isOurs) await inTime(() => write(shared.kept.texts, found));
    onVerdict(found);
    return found;
  };

  const write = async (before: Readonly<Record<string, string>>, found: Verdict): Promise<void> => {
    const after = textsOf(memories);
    const changed = Object.fromEntries(Object.entries(after).filter(([place, text]) => before[place] !== text));
    const gone = Object.keys(before).filter((place) => !(place in after));
    await records.write({ changed, gone, verdict: JSON.stringify(found) });
    const present = new Set(found.conditions.map(({ code, subject }) => memoryKey(code, subject)));
    await records.forget([...acknowledged.keys()].filter((place) => !present.has(place)));
  };

  /** @returns undefined when Redis does not do it in time, or at all: then this process is on its own */
  const inTime = async <T>(step: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await withDeadline(step(), RECORDS_MS, { error: () => new Error('Redis does not answer') });
    } catch {
      return undefined;
    }
  };

  const look = (): Promise<Verdict> => {
    looking ??= lookNow().finally(() => {
      looking = undefined;
    });
    return looking;
  };

  const goOn = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await look().catch(onError);
      await sleep(lookMs, undefined, { signal: ending.signal, ref: false }).catch(() => {});
    }
  };
  const going = goOn();

  const findIn = ({ conditions }: Verdict, { code, subject }: Pick<Condition, 'code' | 'subject'>) =>
    conditions.find((one) => memoryKey(one.code, one.subject) === memoryKey(code, subject));

  const present = async (of: Pick<Condition, 'code' | 'subject'>): Promise<Condition | undefined> =>
    findIn(verdict ?? (await look()), of);

  const lookAgain = async (of: Pick<Condition, 'code' | 'subject'>, expected: Condition): Promise<Condition> => {
    // One that is under way has read the acknowledgements already.
    await looking;
    return findIn(await look(), of) ?? expected;
  };

  return {
    look,
    current: () => (verdict === undefined ? look() : Promise.resolve(verdict)),
    acknowledge: async (of, acknowledgement) => {
      const found = await present(of);
      if (found === undefined) return undefined;
      await records.acknowledge(
        memoryKey(of.code, of.subject),
        JSON.stringify({ ...acknowledgement, since: found.since }),
      );
      return lookAgain(of, { ...found, acknowledged: acknowledgement });
    },
    withdraw: async (of) => {
      const found = await present(of);
      if (found === undefined) return undefined;
      await records.forget([memoryKey(of.code, of.subject)]);
      return lookAgain(of, { ...found, acknowledged: null });
    },
    stop: async () => {
      ending.abort();
      await going;
      await inTime(() => records.giveTurn(by));
    },
  };
};

/** A rule with a fault hides no other: what it would tell is unknown. */
const survive = (rule: Rule, onError: (error: unknown) => void): Rule => ({
  ...rule,
  look: (facts, nowMs) => {
    try {
      return rule.look(facts, nowMs);
    } catch (error) {
      onError(error);
      return { unknown: 'a fault of Clickrelay; the log of the API has the error' };
    }
  },
});

/**
 * For a program that looks once, and does not judge for others: what was judged lately, or else its own judgement, which
 * is not written. One look cannot see whether something lasts, so only what tells since when it is true is waited for.
 */
export const judgeOnce = async ({
  records,
  rules,
  gather,
  onError,
}: Pick<WatchOptions, 'records' | 'rules' | 'gather' | 'onError'>): Promise<Verdict> => {
  const nowMs = Date.now();
  const kept = await withDeadline(records.read().then(parseKept), RECORDS_MS, {
    error: () => new Error('Redis does not answer'),
  }).catch(() => undefined);
  if (kept?.verdict !== undefined && nowMs - Date.parse(kept.verdict.checkedAt) < FRESH_MS) {
    return acknowledgeIn(kept.verdict, kept.acknowledged, nowMs);
  }
  const { verdict } = judge({
    rules: rules.map((rule) => survive(rule, onError)),
    facts: await gather(nowMs),
    before: kept?.memories ?? new Map(),
    acknowledged: kept?.acknowledged ?? new Map(),
    nowMs,
    isOnlyLook: true,
  });
  return verdict;
};
