import { HOUR_MS, MINUTE_MS } from '@clickrelay/core';
import type { LaneFacts } from '../facts.ts';
import { whenKnown } from '../known.ts';
import { above, barely, fully } from '../reach.ts';
import type { Blind, Rule, Sighting } from '../rule.ts';
import { amount, duration, groupsWait, isAre, percent } from '../words.ts';
import { AGE_UNKNOWN } from './cluster.ts';

const BEHIND = [
  { severity: 'warning', raise: MINUTE_MS, clear: 20_000 },
  { severity: 'critical', raise: 10 * MINUTE_MS, clear: 5 * MINUTE_MS },
] as const;

const workerBehind: Rule = {
  code: 'worker_behind',
  kind: 'relay',
  levels: [
    { severity: 'warning', forMs: 2 * MINUTE_MS },
    { severity: 'critical', forMs: 2 * MINUTE_MS },
  ],
  when:
    'For 2 minutes, the oldest group of callbacks of a lane has waited for 60 seconds (warning) or 10 minutes ' +
    '(critical) to be routed; until 20 seconds or 5 minutes.',
  about: 'Callbacks come faster than workers take them. Start more workers, here or on another machine.',
  look: ({ lanes }, nowMs) =>
    whenKnown(lanes, (known) => Object.entries(known).flatMap(([lane, facts]) => sightBehind(lane, facts, nowMs))),
};

const sightBehind = (lane: string, { groups, oldestGroupAt }: LaneFacts, nowMs: number): (Sighting | Blind)[] => {
  if (groups === 0) return [];
  if (oldestGroupAt === null) return [{ id: lane, unknown: AGE_UNKNOWN }];
  const ageMs = nowMs - oldestGroupAt;
  const reached = above(ageMs, BEHIND);
  if (reached === undefined) return [];
  const sentence = `${groupsWait(groups, lane)} for a worker, the oldest for ${duration(ageMs)}`;
  const mend = { text: 'start more workers', command: 'clickrelay start --roles worker' };
  return [{ id: lane, ...reached, count: groups, sentence, mend }];
};

const LEDGER = 'docs/operations.md#the-ledger';

const ledgerUnbalanced: Rule = {
  code: 'ledger_unbalanced',
  kind: 'destination',
  levels: [{ severity: 'critical' }],
  when: 'In two walks of the ledger running, deliveries to a destination were unaccounted for.',
  about: 'Nobody would ever send them. Send each with `clickrelay replay <delivery>`, and please report it.',
  look: ({ ledger }) =>
    whenKnown(ledger, ({ unaccounted, unaccountedBefore }) =>
      Object.entries(unaccounted).flatMap(([id, count]) => {
        if (count === 0 || (unaccountedBefore[id] ?? 0) === 0) return [];
        const deliveries = amount(count, 'delivery', 'deliveries');
        const sentence = `${deliveries} to ${id} ${isAre(count)} unaccounted for, and will never be sent`;
        const mend = {
          text: 'send each one with clickrelay replay, and please report it',
          command: `clickrelay ledger --destination ${id}`,
          link: LEDGER,
        };
        return [{ id, ...fully('critical'), count, sentence, mend }];
      }),
    ),
};

const LONGEST_WALK_MS = 6 * HOUR_MS;

const ledgerNotWalked: Rule = {
  code: 'ledger_not_walked',
  kind: 'relay',
  levels: [{ severity: 'warning' }],
  when: 'The ledger has not been walked to its end for 6 hours.',
  about:
    'Whether each event was delivered is not known for that time. An API walks the ledger; its log says what keeps ' +
    'it from it.',
  look: ({ ledger, store }, nowMs) =>
    whenKnown(ledger, ({ walkedAt }) =>
      whenKnown(walkedAt === null ? store : { createdAt: walkedAt }, ({ createdAt: lastAt }) => {
        if (lastAt === null) return [{ id: null, unknown: 'it is not known since when the ledger could be walked' }];
        const agoMs = nowMs - lastAt;
        if (agoMs < LONGEST_WALK_MS) return [];
        const sentence =
          walkedAt === null
            ? `the ledger has never been walked to its end, for ${duration(agoMs)}`
            : `the ledger was last walked to its end ${duration(agoMs)} ago`;
        const mend = { text: 'look into the log of the API', command: 'clickrelay ledger', link: LEDGER };
        return [{ id: null, ...fully('warning'), count: 0, sentence, mend }];
      }),
    ),
};

const QUARANTINE = [{ severity: 'critical', raise: 0.8, clear: 0.7 }] as const;

const quarantine: Rule = {
  code: 'quarantine',
  kind: 'relay',
  levels: [{ severity: 'warning' }, { severity: 'critical' }],
  when: 'A callback is in quarantine (warning), or it is 80 % full (critical), until 70 %.',
  about:
    'Authentic callbacks could not be used. Look at each: `reparse` those that a newer version understands, ' +
    '`remove` the others. When it is full, such callbacks get 422.',
  look: ({ quarantine: facts }) =>
    whenKnown(facts, ({ callbacks, bytes, maxCallbacks, maxBytes }) => {
      if (callbacks === 0) return [];
      const full = Math.max(callbacks / maxCallbacks, bytes / maxBytes);
      const reached = above(full, QUARANTINE) ?? fully('warning');
      const room = reached.holds === 'critical' ? `, which is ${percent(full)} full` : '';
      const sentence = `${amount(callbacks, 'callback')} ${isAre(callbacks)} in quarantine${room}`;
      const mend = { text: 'look at each, and reparse or remove it', command: 'clickrelay quarantine list' };
      return [{ id: null, ...reached, raises: reached.raises ?? 'warning', count: callbacks, sentence, mend }];
    }),
};

const EARLY_MS = 6 * HOUR_MS;

const retentionEarly: Rule = {
  code: 'retention_early',
  kind: 'relay',
  levels: [{ severity: 'warning' }],
  when: 'An event left the log before `EVENT_RETENTION` in the last hour; until none did for 6 hours.',
  about:
    'There is no room for all events of that time, so old ones cannot be shown or sent again. Raise ' +
    '`EVENT_LOG_MAX_BYTES`, or give Redis more memory.',
  look: ({ log }, nowMs) =>
    whenKnown(log, ({ trimmedEarly: count, trimmedEarlyAt }) => {
      const agoMs = trimmedEarlyAt === null ? undefined : nowMs - trimmedEarlyAt;
      if (count === 0 && (agoMs === undefined || agoMs >= EARLY_MS)) return [];
      const sentence =
        count > 0
          ? `${amount(count, 'event')} of the last hour left the log before EVENT_RETENTION`
          : `events left the log before EVENT_RETENTION, the last of them ${duration(agoMs ?? 0)} ago`;
      const mend = {
        text: 'raise EVENT_LOG_MAX_BYTES, or give Redis more memory',
        link: 'docs/operations.md#what-to-watch',
      };
      return [{ id: null, ...(count > 0 ? fully : barely)('warning'), count, sentence, mend }];
    }),
};

const indexIncomplete: Rule = {
  code: 'index_incomplete',
  kind: 'relay',
  levels: [{ severity: 'warning' }],
  when:
    'In the last walk of the ledger, a sampled event was not found by its message; until a walk finds all of its ' +
    'sample.',
  about: 'A message may be shown without some of its statuses. Nothing is undelivered. Rebuild the index.',
  look: ({ log }) =>
    whenKnown(log, ({ notIndexed: count, sampled }) => {
      if (count === 0) return [];
      const missing = `${count} ${isAre(count)} missing from the index of messages`;
      const sentence = `of ${amount(sampled, 'sampled event')}, ${missing}`;
      const mend = { text: 'rebuild the index', command: 'clickrelay message --reindex' };
      return [{ id: null, ...fully('warning'), count, sentence, mend }];
    }),
};

export const keptRules: readonly Rule[] = [
  workerBehind,
  ledgerUnbalanced,
  ledgerNotWalked,
  quarantine,
  retentionEarly,
  indexIncomplete,
];
