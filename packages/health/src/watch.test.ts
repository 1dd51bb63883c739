import { openHealthRecords, openStore, type Store } from '@clickrelay/queue';
import { type RedisServer, redisCommand, startRedis } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Verdict } from './condition.ts';
import type { Facts } from './facts.ts';
import { createGatherer } from './gather/gather-facts.ts';
import { isUnknown } from './known.ts';
import type { Rule } from './rule.ts';
import { type HealthWatch, judgeOnce, watchHealth } from './watch.ts';

let redis: RedisServer;
let store: Store;
const watches: HealthWatch[] = [];
const MINUTE_MS = 60_000;
let aheadMs = 0;

beforeEach(async () => {
  redis = await startRedis();
  store = await openStore({ redisUrl: redis.url, role: 'producer' });
  await store.ready();
  aheadMs = 0;
});
afterEach(async () => {
  await Promise.all(watches.splice(0).map((one) => one.stop()));
  await store.close();
  await redis.stop();
});

const mend = { text: 'start it', command: null, link: null };
const about = { when: '', about: '' };
/** Two rules as they are: one that Redis tells, one about Redis itself. */
const rules: readonly Rule[] = [
  {
    code: 'quarantine',
    kind: 'relay',
    levels: [{ severity: 'warning', forMs: 2 * MINUTE_MS }],
    ...about,
    look: ({ quarantine }) => {
      if (isUnknown(quarantine)) return quarantine;
      const { callbacks: count } = quarantine;
      if (count === 0) return [];
      return [{ id: null, raises: 'warning', holds: 'warning', count, sentence: `${count} could not be read`, mend }];
    },
  },
  {
    code: 'redis_away',
    kind: 'redis',
    levels: [{ severity: 'critical', forMs: 10_000, keepMs: 15_000 }],
    ...about,
    look: ({ redis: { state } }) =>
      state === 'away'
        ? [{ id: null, raises: 'critical', holds: 'critical', count: 0, sentence: 'Redis is away', mend }]
        : [],
  },
];

const openGatherer = (from: Store = store): ((nowMs: number) => Promise<Facts>) =>
  createGatherer({
    store: from,
    mode: 'always',
    publicUrl: null,
    knowsCredential: () => true,
    channels: () => [],
    onError: (error) => {
      throw error;
    },
  });

const watch = (by: string, onVerdict?: (verdict: Verdict) => void): HealthWatch => {
  const one = watchHealth({
    records: openHealthRecords(store),
    rules,
    gather: openGatherer(),
    by,
    onVerdict,
    onError: (error) => {
      throw error;
    },
    now: () => Date.now() + aheadMs,
    // The test says when.
    lookMs: 3_600_000,
  });
  watches.push(one);
  return one;
};

const toldBy = async (one: HealthWatch): Promise<string[]> =>
  (await one.look()).conditions.map(({ code, state }) => `${code} ${state}`);

const quarantineOne = (id: number): Promise<number> => store.redis.zadd('cr:{quarantine}:log', id, `qrt_${id}`);

it('one process judges, the other reads it, and takes over with what was remembered', async () => {
  const told: string[] = [];
  const first = watch('a:1', () => told.push('a:1'));
  await first.look();
  const second = watch('b:1', () => told.push('b:1'));
  await quarantineOne(1);
  expect(await toldBy(first)).toEqual(['quarantine pending']);
  const since = (await first.current()).conditions[0]?.since;
  expect(await toldBy(second)).toEqual(['quarantine pending']);
  expect(told).not.toContain('b:1');

  await first.stop();
  aheadMs = 2 * MINUTE_MS;
  expect(await toldBy(second)).toEqual(['quarantine raised']);
  expect((await second.current()).conditions[0]?.since).toBe(since);
  expect(told).toContain('b:1');
});

it('writes only what changed, and forgets what is over', async () => {
  const one = watch('a:1');
  await quarantineOne(1);
  await one.look();
  const kept = () => store.redis.hgetall('cr:{registry}:conditions');
  expect(Object.keys(await kept())).toEqual(['quarantine|relay']);
  await store.redis.del('cr:{quarantine}:log');
  expect(await toldBy(one)).toEqual([]);
  expect(await kept()).toEqual({});
});

it('an acknowledgement is told with the condition, ends at its time, and is forgotten with the condition', async () => {
  const one = watch('a:1');
  await quarantineOne(1);
  await one.look();
  const until = new Date(Date.now() + 5 * MINUTE_MS).toISOString();
  const of = { code: 'quarantine', subject: { kind: 'relay', id: null } } as const;
  expect(await one.acknowledge(of, { by: 'ops', until, note: null })).toMatchObject({
    acknowledged: { by: 'ops', until, note: null },
  });
  expect(
    await one.acknowledge({ ...of, subject: { kind: 'relay', id: 'crm' } }, { by: 'ops', until, note: null }),
  ).toBeUndefined();
  const acknowledged = async () => (await one.look()).conditions[0]?.acknowledged;
  aheadMs = 3 * MINUTE_MS;
  expect(await acknowledged()).toEqual({ by: 'ops', until, note: null });
  aheadMs = 6 * MINUTE_MS;
  expect(await acknowledged()).toBeNull();
  await store.redis.del('cr:{quarantine}:log');
  await one.look();
  aheadMs = 8 * MINUTE_MS;
  await one.look();
  expect(await store.redis.exists('cr:{registry}:conditions:acknowledged')).toBe(0);
});

it('while Redis is away it says so by itself, within 3 s, and what it cannot tell is unknown with the reason', async () => {
  const one = watch('a:1');
  await quarantineOne(1);
  await one.look();
  aheadMs = 2 * MINUTE_MS;
  expect(await toldBy(one)).toEqual(['quarantine raised']);
  await redis.kill('SIGSTOP');
  const since = performance.now();
  await one.look();
  expect(performance.now() - since).toBeLessThan(4_500);
  aheadMs += 11_000;
  const { state, conditions } = await one.look();
  expect(state).toBe('critical');
  expect(conditions).toMatchObject([
    { code: 'redis_away', state: 'raised' },
    { code: 'quarantine', state: 'unknown', inhibitedBy: 'redis_away' },
  ]);
  await redis.kill('SIGCONT');
  await expect.poll(() => store.redis.ping(), { timeout: 10_000 }).toBe('PONG');
  expect(await toldBy(one)).toContain('redis_away clearing');
  aheadMs += 16_000;
  expect(await toldBy(one)).toEqual(['quarantine raised']);
});

it('a Redis that refuses writes is told by its code, while all else is still known', async () => {
  await redisCommand(redis.port, 'config', 'set', 'maxmemory', 1);
  const facts = await openGatherer()(Date.now());
  expect(facts.redis).toMatchObject({ state: 'refuses', code: 'OOM' });
  expect(facts.server).toMatchObject({ limitBytes: 1, limit: 'maxmemory' });
});

it('a Redis that refuses INFO hides nothing else', async () => {
  await redisCommand(redis.port, 'acl', 'setuser', 'relay', 'on', '>pass', '~*', '&*', '+@all', '-info');
  const other = await openStore({ redisUrl: `redis://relay:pass@127.0.0.1:${redis.port}`, role: 'producer' });
  try {
    await expect.poll(() => other.redis.status).toBe('ready');
    const { redis: reach, server, quarantine } = await openGatherer(other)(Date.now());
    expect([reach, server]).toEqual([{ state: 'answers' }, { unknown: 'this Redis refuses INFO' }]);
    expect(quarantine).toMatchObject({ callbacks: 0 });
  } finally {
    await other.close();
  }
});

it('a program that looks once gets what was judged lately, or judges without writing and without waiting', async () => {
  const one = watch('a:1');
  await quarantineOne(1);
  await one.look();
  const once = () => judgeOnce({ records: openHealthRecords(store), rules, gather: openGatherer(), onError: () => {} });
  expect((await once()).conditions).toMatchObject([{ code: 'quarantine', state: 'pending' }]);
  await store.redis.del('cr:{registry}:conditions:verdict');
  expect((await once()).conditions).toMatchObject([{ code: 'quarantine', state: 'raised' }]);
  expect(await store.redis.exists('cr:{registry}:conditions:verdict')).toBe(0);
});
