import { toIso } from '@clickrelay/core';
import {
  type Acknowledgement,
  type Condition,
  SEVERITIES,
  type Severity,
  type Subject,
  type Verdict,
} from './condition.ts';
import type { Facts } from './facts.ts';
import { isUnknown } from './known.ts';
import { type LevelMemory, NEVER, stepLevel } from './level.ts';
import type { Level, Rule, Sighting } from './rule.ts';

/*
 * Facts, what was, and the time give what is: no Redis, no clock, no environment. Every surface shows this list, and
 * none adds to it.
 */

/** What is remembered of one condition of one subject, between two judgements and over a restart. */
export interface Memory {
  readonly code: string;
  readonly subject: Subject;
  /** The first moment it was true, in ms since 1970; null when it neither is nor is raised. */
  readonly since: number | null;
  /** By severity. */
  readonly levels: Readonly<Partial<Record<Severity, LevelMemory>>>;
  /** What was last said of it, for the time in which it is clearing or cannot be told. */
  readonly last: Pick<Sighting, 'count' | 'sentence' | 'mend'>;
  /** Since when nobody can tell, in ms since 1970; null when somebody can. */
  readonly unknownSince: number | null;
}

/** By `memoryKey`. */
export type Memories = ReadonlyMap<string, Memory>;
/** By `memoryKey`; `since` is that of the condition which was acknowledged. */
export type Acknowledgements = ReadonlyMap<string, Acknowledgement & { readonly since: string }>;

/** `<code>|<kind>`, and `:<id>` behind it if there is one. */
export const memoryKey = (code: string, { kind, id }: Subject): string =>
  `${code}|${kind}${id === null ? '' : `:${id}`}`;

const DEFAULT_KEEP_MS = 60_000;
/** While one of these is seen, what cannot be told cannot be told because of it. */
const BLINDS = ['redis_away', 'redis_refuses', 'layout_mismatch'];

export interface Judged {
  readonly verdict: Verdict;
  readonly memories: Memories;
}

export interface JudgeInput {
  readonly rules: readonly Rule[];
  readonly facts: Facts;
  readonly before: Memories;
  readonly acknowledged: Acknowledgements;
  readonly nowMs: number;
  /** Nobody looks again, so what does not tell since when it is true is not waited for. @default false */
  readonly isOnlyLook?: boolean;
}

/** Pure: what is wrong now, and what must be remembered until the next time. */
export const judge = ({ rules, facts, before, acknowledged, nowMs, isOnlyLook = false }: JudgeInput): Judged => {
  const remembered = Map.groupBy(before.values(), ({ code }) => code);
  const found = rules.flatMap((rule) => {
    const known = remembered.get(rule.code) ?? [];
    return judgeRule(rule, rule.look(facts, nowMs), known, { nowMs, isOnlyLook });
  });
  const conditions = explain(
    rules,
    found.flatMap(({ condition }) => condition ?? []),
  )
    .map((condition) => ({ ...condition, acknowledged: acknowledgementOf(condition, acknowledged, nowMs) }))
    .sort(worstFirst);
  const memories = new Map(found.map(({ memory }) => [memoryKey(memory.code, memory.subject), memory]));
  return { verdict: { state: stateOf(conditions), checkedAt: toIso(nowMs), conditions }, memories };
};

/** Of one subject: what to remember, and what to tell if there is anything. */
interface Found {
  readonly memory: Memory;
  readonly condition?: Condition;
}

interface Look {
  readonly nowMs: number;
  readonly isOnlyLook: boolean;
}

const judgeRule = (rule: Rule, seen: ReturnType<Rule['look']>, known: readonly Memory[], look: Look): Found[] => {
  const { nowMs } = look;
  if (isUnknown(seen)) return cannotTellAny(rule, known, seen.unknown, nowMs);
  const before = new Map(known.map((memory) => [memoryKey(rule.code, memory.subject), memory]));
  const now = new Map(
    seen.map((one) => {
      const subject = { kind: one.kind ?? rule.kind, id: one.id };
      return [memoryKey(rule.code, subject), { one, subject }] as const;
    }),
  );
  const gone = [...before].filter(([key]) => !now.has(key));
  return [
    ...[...now].flatMap(([key, { one, subject }]) => {
      const memory = before.get(key);
      if (!isUnknown(one)) return step(rule, memory, one, subject, look);
      return memory === undefined ? [] : [cannotTell(rule, memory, one.unknown, nowMs)];
    }),
    ...gone.flatMap(([, memory]) => step(rule, memory, undefined, memory.subject, look)),
  ];
};

/** What is true stays listed; when nothing is, the rule as a whole cannot be told. */
const cannotTellAny = (rule: Rule, known: readonly Memory[], why: string, nowMs: number): Found[] => {
  if (known.some(isActive)) return known.map((memory) => cannotTell(rule, memory, why, nowMs));
  const subject = { kind: rule.kind, id: null };
  const isSame = (one: Memory): boolean => memoryKey(one.code, one.subject) === memoryKey(rule.code, subject);
  const same = known.find(isSame);
  const mend = { text: 'mend what keeps it from being told' };
  const memory: Memory = {
    code: rule.code,
    subject,
    since: null,
    levels: same?.levels ?? {},
    last: { count: 0, sentence: `cannot tell: ${why}`, mend },
    unknownSince: same?.unknownSince ?? nowMs,
  };
  const others = known.filter((one) => !isSame(one)).map((one) => ({ memory: one }));
  return [...others, { memory, condition: { ...tell(rule, memory, nowMs), state: 'unknown' } }];
};

/** What is raised stays, and begins anew to be quiet when it can be told again. */
const cannotTell = (rule: Rule, before: Memory, why: string, nowMs: number): Found => {
  // It ended a while ago, and is only remembered in case that it comes and goes.
  if (!isActive(before)) return { memory: before };
  const levels = Object.fromEntries(
    Object.entries(before.levels).map(([severity, level]) => [severity, { ...level, falseSince: null }]),
  );
  const memory = { ...before, levels, unknownSince: before.unknownSince ?? nowMs };
  const told = tell(rule, memory, nowMs);
  const sentence = `cannot tell: ${why}; last seen: ${told.sentence}`;
  return { memory, condition: { ...told, state: 'unknown', sentence } };
};

const step = (
  rule: Rule,
  before: Memory | undefined,
  sighting: Sighting | undefined,
  subject: Subject,
  { nowMs, isOnlyLook }: Look,
): Found[] => {
  const levels: Partial<Record<Severity, LevelMemory>> = {};
  for (const { severity, forMs = 0, keepMs = DEFAULT_KEEP_MS } of rule.levels) {
    const input = {
      raises: isAtLeast(sighting?.raises ?? null, severity),
      holds: isAtLeast(sighting?.holds ?? null, severity),
      sinceMs: sighting?.sinceMs,
      forMs: isOnlyLook && sighting?.sinceMs === undefined ? 0 : forMs,
      keepMs,
    };
    const level = stepLevel(before?.levels[severity] ?? NEVER, input, nowMs);
    if (level.trueSince !== null || level.endedAt !== null || level.raisedAt.length > 0) levels[severity] = level;
  }
  const all = Object.values(levels);
  const last = sighting ?? before?.last;
  if (all.length === 0 || last === undefined) return [];
  const { count, sentence, mend } = last;
  const trueSince = all.flatMap((level) => level.trueSince ?? []);
  const since = trueSince.length === 0 ? null : Math.min(before?.since ?? nowMs, ...trueSince);
  const memory = { code: rule.code, subject, since, levels, last: { count, sentence, mend }, unknownSince: null };
  return [isActive(memory) ? { memory, condition: tell(rule, memory, nowMs) } : { memory }];
};

const isAtLeast = (reached: Severity | null, severity: Severity): boolean =>
  reached !== null && SEVERITIES.indexOf(reached) <= SEVERITIES.indexOf(severity);

/** Whether it is true, or raised. */
const isActive = ({ since }: Memory): boolean => since !== null;

const tell = (rule: Rule, memory: Memory, nowMs: number): Condition => {
  const levels = rule.levels.map(({ severity }) => ({ severity, ...(memory.levels[severity] ?? NEVER) }));
  const raised = levels.filter(({ isRaised }) => isRaised);
  // Nothing is raised: the level that will be raised first is told, and for what nobody could ever tell, the worst.
  const { severity } =
    raised.at(-1) ?? levels.find(({ trueSince }) => trueSince !== null) ?? (rule.levels.at(-1) as Level);
  const isTrue = raised.some(({ falseSince }) => falseSince === null);
  const { count, sentence, mend } = memory.last;
  const flapping = raised.findLast(({ comesAndGoes }) => comesAndGoes);
  return {
    code: rule.code,
    severity,
    state: raised.length === 0 ? 'pending' : isTrue ? 'raised' : 'clearing',
    subject: memory.subject,
    since: toIso(memory.since ?? memory.unknownSince ?? nowMs),
    count,
    sentence: flapping === undefined ? sentence : `${sentence}; ${comesAndGoes(flapping)}`,
    mend: { text: mend.text, command: mend.command ?? null, link: mend.link ?? `docs/conditions.md#${rule.code}` },
    inhibitedBy: null,
    acknowledged: null,
  };
};

const comesAndGoes = ({ raisedAt: { length } }: LevelMemory): string =>
  `comes and goes, ${length === 1 ? 'once' : `${length} times`} in the last hour`;

/** One cause is one condition: what another explains is listed beneath it. */
const explain = (rules: readonly Rule[], found: readonly Condition[]): Condition[] => {
  const causes = found.filter(({ state }) => state === 'raised' || state === 'clearing');
  const blind = found.find(({ code, state }) => BLINDS.includes(code) && state !== 'unknown');
  const inhibits = new Map(rules.map((rule) => [rule.code, rule.inhibits ?? []]));
  return found.map((condition) => {
    if (condition.state === 'unknown') return { ...condition, inhibitedBy: blind?.code ?? null };
    const cause = causes.find((one) => inhibits.get(one.code)?.includes(condition.code) && mayExplain(one, condition));
    return { ...condition, inhibitedBy: cause?.code ?? null };
  });
};

/** A destination explains what is wrong with itself. A warning about all of the relay explains nothing critical. */
const mayExplain = ({ subject, severity }: Condition, effect: Condition): boolean =>
  subject.kind === 'destination'
    ? subject.id === effect.subject.id
    : severity !== 'warning' || effect.severity !== 'critical';

const acknowledgementOf = (
  { code, subject, since }: Condition,
  acknowledged: Acknowledgements,
  nowMs: number,
): Acknowledgement | null => {
  const found = acknowledged.get(memoryKey(code, subject));
  // It ends with the condition: what is true again is new.
  if (found === undefined || found.since !== since) return null;
  if (found.until !== null && Date.parse(found.until) <= nowMs) return null;
  return { by: found.by, until: found.until, note: found.note ?? null };
};

/** A verdict of another process, with what was acknowledged since. */
export const acknowledgeIn = (verdict: Verdict, acknowledged: Acknowledgements, nowMs: number): Verdict => ({
  ...verdict,
  conditions: verdict.conditions.map((condition) => ({
    ...condition,
    acknowledged: acknowledgementOf(condition, acknowledged, nowMs),
  })),
});

/** Whether a person has to look at it now: raised, worse than `info`, not explained by another, nor acknowledged. */
export const needsSomebody = (condition: Condition): boolean => isTold(condition) && condition.acknowledged === null;

const isTold = ({ state, severity, inhibitedBy }: Condition): boolean =>
  (state === 'raised' || state === 'clearing') && severity !== 'info' && inhibitedBy === null;

const stateOf = (conditions: readonly Condition[]): Verdict['state'] => {
  const raised = conditions.filter(isTold);
  if (raised.some(({ severity }) => severity === 'critical')) return 'critical';
  if (raised.length > 0) return 'warning';
  return conditions.some(({ state, inhibitedBy }) => state === 'unknown' && inhibitedBy === null) ? 'unknown' : 'ok';
};

const STATES = ['raised', 'clearing', 'unknown', 'pending'];

/** By state; of each state the causes before what they explain, and the worst first. */
const worstFirst = (a: Condition, b: Condition): number =>
  STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
  Number(a.inhibitedBy !== null) - Number(b.inhibitedBy !== null) ||
  SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
  Date.parse(a.since) - Date.parse(b.since) ||
  (memoryKey(a.code, a.subject) < memoryKey(b.code, b.subject) ? -1 : 1);
