import { MINUTE_MS } from '@clickrelay/core';
import type { RedisReach, ServerFacts } from '../facts.ts';
import { isUnknown, whenKnown } from '../known.ts';
import { above, fully } from '../reach.ts';
import type { Rule, Sighting } from '../rule.ts';
import { amount, duration, list, percent, size } from '../words.ts';
import { receiversOf } from './by-host.ts';

/** Problems of the durability report that have a condition of their own, or pass by themselves. */
const TOLD_ELSEWHERE = ['connection', 'used_memory', 'layout', 'connected_slaves'];

/** The code is Redis' own, the words are ours: `explainRedisError` of packages/queue. */
const reachRule = (state: 'away' | 'refuses', rule: Pick<Rule, 'code' | 'levels' | 'when' | 'about'>): Rule => ({
  ...rule,
  kind: 'redis',
  look: ({ redis }) => (redis.state === state ? [sightReach(redis)] : []),
});

const sightReach = ({ cause, mend }: Exclude<RedisReach, { state: 'answers' }>) => ({
  id: null,
  ...fully('critical'),
  count: 0,
  sentence: cause,
  mend: { text: mend },
});

const redisAway = reachRule('away', {
  code: 'redis_away',
  levels: [{ severity: 'critical', forMs: 10_000, keepMs: 15_000 }],
  when: 'Redis has given no answer for 10 seconds; until it has answered for 15 seconds.',
  about:
    'Receivers keep callbacks in their spools, or answer 503 without one; nothing is delivered. Start Redis, or ' +
    'mend the way to it: the sentence names host and reason. All that is read from Redis is unknown meanwhile.',
});

const redisRefuses = reachRule('refuses', {
  code: 'redis_refuses',
  levels: [{ severity: 'critical' }],
  when: 'At once, when Redis answers with NOPERM, MISCONF, NOAUTH, READONLY, OOM or another refusal.',
  about:
    'Redis is there, and does not do what is asked of it. Do what the condition says: it names the permission or ' +
    'the setting. [A Redis user](operations.md#a-redis-user) lists what Clickrelay needs.',
});

const dataLost: Rule = {
  code: 'data_lost',
  kind: 'redis',
  levels: [{ severity: 'critical' }],
  inhibits: ['silence', 'never_received', 'clickatell_lag'],
  when: 'At once, when the id of the store is gone from Redis, or is another one.',
  about:
    'Redis was emptied (`FLUSHALL`, a restart without its file), or `REDIS_URL` leads to another one. Receivers ' +
    'spool and workers stop, so that nothing goes into a store that nobody reads. Bring the data back; or, when ' +
    'they are gone for good, accept this Redis with `clickrelay doctor --adopt`, which first says what is missing.',
  look: ({ store }) =>
    whenKnown(store, ({ expectedId, foundId }) =>
      whenKnown(expectedId, (id) => (id === null || id === foundId ? [] : [sightLoss(foundId)])),
    ),
};

const sightLoss = (foundId: string | null): Sighting => {
  const sentence =
    foundId === null
      ? 'the data of Clickrelay are gone from Redis'
      : 'Redis holds the data of another Clickrelay than before';
  const text = 'bring the data back, or look at what is missing and accept this Redis';
  return { id: null, ...fully('critical'), count: 0, sentence, mend: { text, command: 'clickrelay doctor --adopt' } };
};

const layoutMismatch: Rule = {
  code: 'layout_mismatch',
  kind: 'redis',
  levels: [{ severity: 'critical' }],
  when: 'At once, when Redis holds data in the layout of another version.',
  about: 'Nothing is accepted. Start the version that wrote the data; see [the error](errors.md#layout_mismatch).',
  look: ({ store }) =>
    whenKnown(store, ({ otherLayout }) =>
      otherLayout === null
        ? []
        : [
            {
              id: null,
              ...fully('critical'),
              count: 0,
              sentence: 'the data in Redis have the layout of another version',
              mend: { text: 'start the version of Clickrelay that wrote them' },
            },
          ],
    ),
};

const notDurable: Rule = {
  code: 'not_durable',
  kind: 'redis',
  levels: [{ severity: 'critical', forMs: 30_000 }],
  when:
    'The durability report has had a problem for 30 seconds, or the last write or rewrite of the append-only file ' +
    'failed.',
  about:
    'Redis would lose callbacks that were acknowledged, so receivers refuse them. Change the setting now, and in ' +
    '`redis.conf`, or a restart undoes it. [Durability](operations.md#durability) says what each mode asks of Redis.',
  look: ({ server }) =>
    whenKnown(server, ({ durability, lastRewrite }) => {
      const problems = durability.problems.filter(({ setting }) => !TOLD_ELSEWHERE.includes(setting));
      const told = problems.map(({ setting, value }) => `${setting} is ${value}`);
      const mends = problems.map(({ mend }) => mend);
      if (lastRewrite === 'err') {
        told.push('the last rewrite of its file failed');
        mends.push('make room on the disk of Redis');
      }
      if (told.length === 0) return [];
      const commands = [...new Set(mends.filter((mend) => mend.startsWith('redis-cli')))];
      const texts = mends.filter((mend) => !mend.startsWith('redis-cli'));
      const text = [...new Set([...texts, ...(commands.length > 0 ? ['set it in redis.conf too'] : [])])].join('; ');
      const command = commands.length > 0 ? commands.join(' && ') : undefined;
      const sentence = `Redis would lose what was acknowledged: ${list(told)}`;
      return [{ id: null, ...fully('critical'), count: told.length, sentence, mend: { text, command } }];
    }),
};

const MEMORY = {
  maxmemory: [
    { severity: 'warning', raise: 0.8, clear: 0.75 },
    { severity: 'critical', raise: 0.9, clear: 0.88 },
  ],
  machine: [{ severity: 'warning', raise: 0.85, clear: 0.8 }],
} as const;

const redisMemory: Rule = {
  code: 'redis_memory',
  kind: 'redis',
  levels: [{ severity: 'warning' }, { severity: 'critical' }],
  when:
    'Redis uses 80 % (warning) or 90 % (critical) of its `maxmemory`; until it uses 75 % or 88 %. Without ' +
    '`maxmemory`: 85 % of the memory of its machine (warning), until 80 %.',
  about:
    'From 80 % on, the event log drops its oldest events early; from 90 % on, callbacks are spooled or get 503. ' +
    'Give Redis more memory, or keep less: `EVENT_LOG_MAX_BYTES`, `EVENT_RETENTION`.',
  look: ({ server }) =>
    whenKnown(server, (facts) => {
      const { usedBytes, limitBytes, limit } = facts;
      if (limitBytes === null) return [{ id: null, unknown: 'this Redis does not tell how much memory it may use' }];
      const reached = above(usedBytes / limitBytes, MEMORY[limit]);
      return reached === undefined
        ? []
        : [{ id: null, ...reached, count: usedBytes, ...tellMemory(facts, limitBytes) }];
    }),
};

const tellMemory = ({ usedBytes, limit }: ServerFacts, limitBytes: number) => {
  const share = percent(usedBytes / limitBytes);
  const of = limit === 'maxmemory' ? 'its maxmemory' : 'the memory of its machine';
  const text = 'give Redis more memory, or keep less: EVENT_LOG_MAX_BYTES, EVENT_RETENTION';
  const command = limit === 'maxmemory' ? 'redis-cli config set maxmemory <bytes>' : undefined;
  return {
    sentence: `Redis uses ${share} of ${of}: ${size(usedBytes)} of ${size(limitBytes)}`,
    mend: { text, command, link: 'docs/operations.md#what-to-watch' },
  };
};

const SLOW_WRITES = [{ severity: 'warning', raise: 500, clear: 250 }] as const;
/** How many writes waited for the disk; one alone is an accident. */
const DELAYED = [{ severity: 'warning', raise: 3, clear: 0 }] as const;

const redisSlow: Rule = {
  code: 'redis_slow',
  kind: 'redis',
  levels: [{ severity: 'warning', forMs: 5 * MINUTE_MS }],
  when:
    'For 5 minutes, one write in a hundred took 500 ms or longer, or writes waited for the disk of Redis ' +
    '(`aof_delayed_fsync`); until 250 ms.',
  about:
    'Callbacks are answered late, and beyond a second spooled. The disk of Redis is too slow, or busy with ' +
    'something else.',
  look: ({ parts, server }) => {
    const times = isUnknown(parts) ? [] : receiversOf(parts).map(({ commitP99Ms }) => commitP99Ms);
    const p99Ms = Math.max(0, ...times.flatMap((ms) => ms ?? []));
    const delayed = isUnknown(server) ? 0 : server.delayedFsyncs;
    const [slow, waited] = [above(p99Ms, SLOW_WRITES), above(delayed, DELAYED)];
    const reached = slow?.raises ? slow : (waited ?? slow);
    if (reached !== undefined) {
      const sentence =
        reached === slow
          ? `one write in a hundred to Redis takes ${duration(p99Ms)} or longer`
          : `${amount(delayed, 'write')} waited for the disk of Redis in the last 5 minutes`;
      const mend = { text: 'give Redis a faster disk, or one that it does not share' };
      return [{ id: null, ...reached, count: reached === slow ? 0 : delayed, sentence, mend }];
    }
    if (isUnknown(parts)) return parts;
    if (isUnknown(server)) return server;
    const isIdle = times.length > 0 && times.every((ms) => ms === null);
    return isIdle ? [{ id: null, unknown: 'no callback was written in the last minute' }] : [];
  },
};

const replicasMissing: Rule = {
  code: 'replicas_missing',
  kind: 'redis',
  levels: [
    { severity: 'warning', forMs: 30_000 },
    { severity: 'critical', forMs: 30_000 },
  ],
  when: 'With `DURABILITY=replicated`, for 30 seconds: one replica only (warning), or none (critical).',
  about:
    'Without a replica no callback is accepted; with one, the next failover leaves none. Start replicas, two for ' +
    'each primary: [Durability](operations.md#durability).',
  look: ({ server }) =>
    whenKnown(server, ({ durability: { mode }, replicas }) => {
      if (mode !== 'replicated' || replicas > 1) return [];
      const sentence =
        replicas === 1
          ? 'a primary of Redis has one replica only: its loss would end the taking of callbacks'
          : 'a primary of Redis has no replica, so no callback is taken';
      const mend = {
        text: 'start replicas, two for each primary',
        command: 'redis-cli -h <replica> replicaof <primary> <port>',
      };
      return [{ id: null, ...fully(replicas === 1 ? 'warning' : 'critical'), count: 0, sentence, mend }];
    }),
};

export const redisRules: readonly Rule[] = [
  redisAway,
  redisRefuses,
  dataLost,
  layoutMismatch,
  notDurable,
  redisMemory,
  redisSlow,
  replicasMissing,
];
