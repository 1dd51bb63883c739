import { toIso } from '@clickrelay/core';
import { type Acknowledgement, type Condition, SEVERITIES, type Severity, type Verdict } from './condition.ts';
import type { Facts } from './facts.ts';
import { isUnknown } from './known.ts';
import { isFlapping, type LevelMemory, NEVER, stepLevel } from './level.ts';
import type { Level, Rule, Sighting } from './rule.ts';

/*
 * Facts, what was, and the time give what is: no Redis, no clock, no environment. Every surface shows this list, and
 * none adds to it.
 */

/** What is remembered of one condition of one subject, between two judgements and over a restart. */
export interface Memory {
  readonly code: string;
  readonly id: string | null;
  /** By severity. */
  readonly levels: Readonly<Partial<Record<Severity, LevelMemory>>>;
  /** What was last said of it, for the time in which it is clearing or cannot be told. */
  readonly last: Pick<Sighting, 'count' | 'sentence' | 'mend'>;
  /** Since when nobody can tell, in ms since 1970; null when somebody can. */
  readonly unknownSince: number | null;
}

/** By `<code>|<subject>`. */
export type Memories = ReadonlyMap<string, Memory>;
/** By the same. */
export type Acknowledgements = ReadonlyMap<string, Acknowledgement & { readonly since: string }>;

export const memoryKey = (code: string, id: string | null): string => `${code}|${id ?? ''}`;

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
}

/** Pure: what is wrong now, and what must be remembered until the next time. */
export const judge = ({ rules, facts, before, acknowledged, nowMs }: JudgeInput): Judged => {
  const memories = new Map<string, Memory>();
  const found: Condition[] = [];
  const remembered = Map.groupBy(before.values(), ({ code }) => code);
  for (const rule of rules) {
    const sightings = rule.look(facts, nowMs);
    const known = remembered.get(rule.code) ?? [];
    if (isUnknown(sightings)) {
      const blind = known.length > 0 ? known : [nothingKnown(rule, sightings.unknown)];
      for (const memory of blind) {
        const kept = { ...memory, unknownSince: memory.unknownSince ?? nowMs };
        memories.set(memoryKey(kept.code, kept.id), kept);
        found.push(tell(rule, kept, 'unknown', nowMs));
      }
      continue;
    }
    const byId = new Map(sightings.map((sighting) => [sighting.id, sighting]));
    const ids = new Set([...byId.keys(), ...known.map(({ id }) => id)]);
    for (const id of ids) {
      const memory = step(rule, before.get(memoryKey(rule.code, id)), byId.get(id), id, nowMs);
      if (memory === undefined) continue;
      memories.set(memoryKey(rule.code, id), memory);
      if (worstOf(rule, memory, isTrueOrRaised) !== undefined) found.push(tell(rule, memory, 'seen', nowMs));
    }
  }
  const conditions = explain(rules, found)
    .map((condition) => ({ ...condition, acknowledged: acknowledgementOf(condition, acknowledged, nowMs) }))
    .sort(worstFirst);
  return { verdict: { state: stateOf(conditions), checkedAt: toIso(nowMs), conditions }, memories };
};

/** Of a rule that nobody could ever tell. */
const nothingKnown = ({ code }: Rule, why: string): Memory => ({
  code,
  id: null,
  levels: {},
  last: { count: 0, sentence: `cannot tell: ${why}`, mend: { text: 'mend that first', command: null, link: null } },
  unknownSince: null,
});

const step = (
  rule: Rule,
  before: Memory | undefined,
  sighting: Sighting | undefined,
  id: string | null,
  nowMs: number,
): Memory | undefined => {
  const levels: Partial<Record<Severity, LevelMemory>> = {};
  for (const { severity, forMs = 0, keepMs = DEFAULT_KEEP_MS } of rule.levels) {
    const input = {
      raises: isAtLeast(sighting?.raises ?? null, severity),
      holds: isAtLeast(sighting?.holds ?? null, severity),
      sinceMs: sighting?.sinceMs,
      forMs,
      keepMs,
    };
    const level = stepLevel(before?.levels[severity] ?? NEVER, input, nowMs);
    if (level.trueSince !== null || level.isRaised || level.raisedAt.length > 0) levels[severity] = level;
  }
  if (Object.keys(levels).length === 0) return undefined;
  const last = sighting ?? before?.last;
  if (last === undefined) return undefined;
  const { count, sentence, mend } = last;
  return { code: rule.code, id, levels, last: { count, sentence, mend }, unknownSince: null };
};

const isAtLeast = (reached: Severity | null, severity: Severity): boolean =>
  reached !== null && SEVERITIES.indexOf(reached) <= SEVERITIES.indexOf(severity);

const isTrueOrRaised = ({ trueSince, isRaised }: LevelMemory): boolean => trueSince !== null || isRaised;

/** The worst level of which this holds. */
const worstOf = (
  { levels }: Pick<Rule, 'levels'>,
  memory: Memory,
  holds: (level: LevelMemory) => boolean,
): (Level & { memory: LevelMemory }) | undefined =>
  levels
    .map((level) => ({ ...level, memory: memory.levels[level.severity] ?? NEVER }))
    .findLast(({ memory: level }) => holds(level));

const tell = (rule: Rule, memory: Memory, how: 'seen' | 'unknown', nowMs: number): Condition => {
  const raised = worstOf(rule, memory, ({ isRaised }) => isRaised);
  // Nothing is raised: the level that will be raised first is told, and for what nobody could ever tell, the worst.
  const pending = rule.levels.find(({ severity }) => memory.levels[severity]?.trueSince != null);
  const { severity } = raised ?? pending ?? (rule.levels.at(-1) as Level);
  const level = memory.levels[severity];
  const seen = raised === undefined ? 'pending' : raised.memory.falseSince === null ? 'raised' : 'clearing';
  const sinceMs = level?.trueSince ?? memory.unknownSince ?? nowMs;
  const { count, sentence, mend } = memory.last;
  return {
    code: rule.code,
    severity,
    state: how === 'unknown' ? 'unknown' : seen,
    subject: { kind: rule.kind, id: memory.id },
    since: toIso(sinceMs),
    count,
    sentence: level !== undefined && isFlapping(level) ? `${sentence}; ${comesAndGoes(level)}` : sentence,
    mend,
    inhibitedBy: null,
    acknowledged: null,
  };
};

const comesAndGoes = ({ raisedAt }: LevelMemory): string => `comes and goes, ${raisedAt.length} times in the last hour`;

/** One cause is one condition: what another explains is listed beneath it. */
const explain = (rules: readonly Rule[], found: readonly Condition[]): Condition[] => {
  const causes = found.filter(({ state }) => state === 'raised' || state === 'clearing');
  const blind = found.find(({ code, state }) => BLINDS.includes(code) && state !== 'unknown');
  const inhibits = new Map(rules.map((rule) => [rule.code, rule.inhibits ?? []]));
  return found.map((condition) => {
    if (condition.state === 'unknown') return { ...condition, inhibitedBy: blind?.code ?? null };
    const cause = causes.find(
      ({ code, subject }) =>
        inhibits.get(code)?.includes(condition.code) &&
        (subject.kind !== 'destination' || subject.id === condition.subject.id),
    );
    return { ...condition, inhibitedBy: cause?.code ?? null };
  });
};

const acknowledgementOf = (
  { code, subject, since }: Condition,
  acknowledged: Acknowledgements,
  nowMs: number,
): Acknowledgement | null => {
  const found = acknowledged.get(memoryKey(code, subject.id));
  // It ends with the condition: what is true again is new.
  if (found === undefined || found.since !== since) return null;
  if (found.until !== null && Date.parse(found.until) <= nowMs) return null;
  return { by: found.by, until: found.until };
};

/** Whether a person has to look at it now: raised, not explained by another, and worse than `info`. */
export const needsSomebody = ({ state, severity, inhibitedBy }: Condition): boolean =>
  (state === 'raised' || state === 'clearing') && severity !== 'info' && inhibitedBy === null;

const stateOf = (conditions: readonly Condition[]): Verdict['state'] => {
  const raised = conditions.filter(needsSomebody);
  if (raised.some(({ severity }) => severity === 'critical')) return 'critical';
  if (raised.length > 0) return 'warning';
  return conditions.some(({ state, inhibitedBy }) => state === 'unknown' && inhibitedBy === null) ? 'unknown' : 'ok';
};

const STATES = ['raised', 'clearing', 'unknown', 'pending'];

const worstFirst = (a: Condition, b: Condition): number =>
  STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
  SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
  Date.parse(a.since) - Date.parse(b.since) ||
  (a.code < b.code ? -1 : 1);
