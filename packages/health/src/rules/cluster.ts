import { MINUTE_MS } from '@clickrelay/core';
import type { ClusterFacts, Facts, LaneFacts } from '../facts.ts';
import { type Known, whenKnown } from '../known.ts';
import { above, fully } from '../reach.ts';
import type { Blind, Rule, Sighting } from '../rule.ts';
import { amount, duration, groupsWait, isAre } from '../words.ts';

/** Nothing of this is said of a single server. */
const ofCluster = (
  { cluster }: Facts,
  look: (cluster: ClusterFacts) => Known<readonly (Sighting | Blind)[]>,
): Known<readonly (Sighting | Blind)[]> => whenKnown(cluster, (known) => (known === null ? [] : look(known)));

const CHECK = 'redis-cli --cluster check <host>:<port>';
const FIX =
  'end the move with redis-cli --cluster fix <host>:<port>; never with --cluster-replace, which throws away keys';

const slotsMoving: Rule = {
  code: 'slots_moving',
  kind: 'redis',
  levels: [{ severity: 'info' }],
  when: 'While slots of a Redis Cluster are being moved.',
  about: 'Somebody adds a master, or takes one away. Nothing is to be done while keys move.',
  look: (facts) =>
    ofCluster(facts, ({ movingSlots }) =>
      movingSlots === 0
        ? []
        : [
            {
              id: null,
              ...fully('info'),
              count: movingSlots,
              sentence: `${amount(movingSlots, 'slot')} of the Cluster ${isAre(movingSlots)} being moved`,
              mend: { text: 'let the move end', command: CHECK },
            },
          ],
    ),
};

const slotStuck: Rule = {
  code: 'slot_stuck',
  kind: 'redis',
  levels: [{ severity: 'critical', forMs: MINUTE_MS }],
  inhibits: ['slots_moving', 'routing_stuck'],
  when: 'A slot of a Redis Cluster has been open for a minute, and none of its keys moves.',
  about:
    'A move was broken off. What lies in that slot is not written meanwhile: callbacks take another way, and events ' +
    'of that slot wait. Look which slot it is with `redis-cli --cluster check`, and end the move with `redis-cli ' +
    '--cluster fix`. **Never use `--cluster-replace`**: it throws away the keys that are already there.',
  look: (facts, nowMs) =>
    ofCluster(facts, ({ movingSlots, stuckSince }) => {
      if (stuckSince === null) return [];
      const open = `${amount(movingSlots, 'slot')} of the Cluster ${isAre(movingSlots)} open`;
      const sentence = `${open}, and no key has moved for ${duration(nowMs - stuckSince)}`;
      const mend = { text: FIX, command: CHECK };
      return [{ id: null, ...fully('critical'), sinceMs: stuckSince, count: movingSlots, sentence, mend }];
    }),
};

const clusterDown: Rule = {
  code: 'cluster_down',
  kind: 'redis',
  levels: [{ severity: 'critical', forMs: 10_000, keepMs: 15_000 }],
  inhibits: ['routing_stuck'],
  when: 'The Redis Cluster has called itself down for 10 seconds; until it has been up for 15 seconds.',
  about:
    'Some slots have no master that answers, or most masters are away. Bring the masters back, or promote their ' +
    'replicas; `redis-cli --cluster check` says which slots are not served.',
  look: (facts) =>
    ofCluster(facts, ({ isDown }) =>
      isDown
        ? [
            {
              id: null,
              ...fully('critical'),
              count: 0,
              sentence: 'the Redis Cluster is down: some slots have no master that answers',
              mend: { text: 'bring its masters back, or promote their replicas', command: CHECK },
            },
          ]
        : [],
    ),
};

const STUCK = [{ severity: 'critical', raise: 30_000, clear: 10_000 }] as const;

const routingStuck: Rule = {
  code: 'routing_stuck',
  kind: 'relay',
  levels: [{ severity: 'critical' }],
  inhibits: ['worker_behind'],
  when:
    'On a Redis Cluster with open slots, or one that is down, a group of callbacks has waited for 30 seconds to be ' +
    'routed; until none has waited for 10. (Without either, workers are merely behind: ' +
    '[`worker_behind`](#worker_behind).)',
  about:
    'What waits belongs to slots that cannot be written now, and goes on by itself once they can. End the move of ' +
    'slots.',
  look: (facts, nowMs) =>
    whenKnown(facts.lanes, (lanes) =>
      ofCluster(facts, ({ movingSlots, isDown }) => {
        if (movingSlots === 0 && !isDown) return [];
        return Object.entries(lanes).flatMap(([lane, facts]) => sightStuck(lane, facts, nowMs));
      }),
    ),
};

export const AGE_UNKNOWN = 'the age of the oldest group is not known';

const sightStuck = (lane: string, { groups, oldestGroupAt }: LaneFacts, nowMs: number): (Sighting | Blind)[] => {
  if (groups === 0) return [];
  if (oldestGroupAt === null) return [{ id: lane, unknown: AGE_UNKNOWN }];
  const ageMs = nowMs - oldestGroupAt;
  const reached = above(ageMs, STUCK);
  if (reached === undefined) return [];
  const oldest = `the oldest for ${duration(ageMs)}`;
  const sentence = `${groupsWait(groups, lane)} for slots of the Cluster that cannot be written, ${oldest}`;
  return [{ id: lane, ...reached, count: groups, sentence, mend: { text: FIX, command: CHECK } }];
};

export const clusterRules: readonly Rule[] = [slotsMoving, slotStuck, clusterDown, routingStuck];
