import type { Part, ReceiverPart } from '@clickrelay/queue';
import type { Condition } from './condition.ts';
import { allFromRedis } from './gather/gather-facts.ts';
import { judge } from './judge.ts';
import type { Rule } from './rule.ts';

const NOT_ASKED = { unknown: 'Redis was not asked' };

/** The same rules for one receiver that was asked itself: while Redis is away, nobody else can. */
export const judgeReceiver = ({
  rules,
  hostName,
  readiness,
  nowMs,
}: {
  readonly rules: readonly Rule[];
  readonly hostName: string;
  readonly readiness: ReceiverPart['readiness'];
  readonly nowMs: number;
}): readonly Condition[] => {
  // What its rules look at; the rest was not asked for.
  const receiver = { role: 'receiver', hostName, readiness, credentials: [] } as unknown as Part;
  const setup = { publicUrl: null, takesAnybody: false, knowsCredential: true, certificateEndsAt: null };
  const facts = allFromRedis(NOT_ASKED, { state: 'answers' }, setup, NOT_ASKED);
  const { verdict } = judge({
    rules: rules.filter(({ kind, code }) => kind === 'receiver' && code !== 'no_receiver'),
    facts: { ...facts, parts: [receiver] },
    before: new Map(),
    acknowledged: new Map(),
    nowMs,
    isOnlyLook: true,
  });
  return verdict.conditions.filter(({ state }) => state === 'raised');
};
