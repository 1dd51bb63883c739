import type { Condition } from '../src/condition.ts';
import type { Facts } from '../src/facts.ts';
import { type Acknowledgements, judge, type Memories, type Memory, memoryKey } from '../src/judge.ts';
import type { Rule } from '../src/rule.ts';
import { RULES } from '../src/rules/index.ts';
import { NOW } from './healthy.ts';

/** Judges again and again, as one process does, and remembers in between. */
export const relay = (rules: readonly Rule[] = RULES, { restarts = false } = {}) => {
  let memories: Memories = new Map();
  const acknowledged = new Map<string, Acknowledgements extends ReadonlyMap<string, infer A> ? A : never>();
  let nowMs = NOW;
  let conditions: readonly Condition[] = [];
  let state = 'ok';
  return {
    /** What is told of facts some time later. */
    look: (facts: Facts, afterMs = 0): readonly Condition[] => {
      nowMs += afterMs;
      const before = restarts ? overRedis(memories) : memories;
      const judged = judge({ rules, facts, before, acknowledged, nowMs });
      ({ memories } = judged);
      ({ conditions, state } = judged.verdict);
      return conditions;
    },
    state: () => state,
    now: () => nowMs,
    memories: () => memories,
    acknowledge: (code: string, until: string | null = null): void => {
      for (const one of conditions.filter((condition) => condition.code === code)) {
        acknowledged.set(memoryKey(code, one.subject), { by: 'ann', until, note: null, since: one.since });
      }
    },
  };
};

const overRedis = (memories: Memories): Memories =>
  new Map([...memories].map(([key, memory]) => [key, JSON.parse(JSON.stringify(memory)) as Memory]));

/** `critical raised crm: …`, and what explains it. */
export const line = ({ code, severity, state, subject, inhibitedBy }: Condition): string =>
  `${severity} ${state} ${code}${subject.id === null ? '' : ` ${subject.id}`}${inhibitedBy === null ? '' : ` by ${inhibitedBy}`}`;
