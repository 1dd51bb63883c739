import { freePort } from '@clickrelay/service/machine';
import { type RedisServer, startRedis, waitUntil } from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readDurability, watchDurability } from './durability.ts';
import type { DurabilityMode } from './durability-mode.ts';
import { judgeDurability } from './judge-durability.ts';
import { openStore, type Store } from './store.ts';

type Settings = Parameters<typeof judgeDurability>[0];

const SAFE: Settings = {
  appendonly: 'yes',
  appendfsync: 'always',
  noFsyncOnRewrite: 'no',
  policy: 'noeviction',
  role: 'master',
  replicas: 1,
  lastWrite: 'ok',
  cli: 'redis-cli',
  primary: undefined,
};

const judge = (settings: Partial<Settings>, mode: DurabilityMode) => {
  const { ready, durability, problems } = judgeDurability({ ...SAFE, ...settings }, mode);
  expect(ready).toBe(problems.length === 0);
  return `${durability}: ${problems.map(({ setting, value }) => `${setting} ${value}`).join(', ') || 'ready'}`;
};

describe('a server', () => {
  const cases: [Partial<Settings>, always: string, everysec: string, replicated: string, unsafe: string][] = [
    [{}, 'always: ready', 'always: ready', 'always: ready', 'always: ready'],
    [
      { appendfsync: 'everysec' },
      'everysec: appendfsync everysec',
      'everysec: ready',
      'everysec: appendfsync everysec',
      'everysec: ready',
    ],
    [{ appendfsync: 'no' }, 'no: appendfsync no', 'no: appendfsync no', 'no: appendfsync no', 'no: ready'],
    [
      { appendfsync: undefined },
      'everysec: appendfsync unknown',
      'everysec: ready',
      'everysec: appendfsync unknown',
      'everysec: ready',
    ],
    [
      { noFsyncOnRewrite: 'yes' },
      'always: no-appendfsync-on-rewrite yes',
      'always: ready',
      'always: no-appendfsync-on-rewrite yes',
      'always: ready',
    ],
    [{ appendonly: 'no' }, 'none: appendonly no', 'none: appendonly no', 'none: appendonly no', 'none: ready'],
    [
      { appendonly: undefined },
      'none: appendonly unknown',
      'none: appendonly unknown',
      'none: appendonly unknown',
      'none: ready',
    ],
    ...[
      'allkeys-lru',
      'allkeys-lfu',
      'allkeys-random',
      'volatile-lru',
      'volatile-lfu',
      'volatile-random',
      'volatile-ttl',
    ].map((policy): [Partial<Settings>, string, string, string, string] => [
      { policy },
      `always: maxmemory-policy ${policy}`,
      `always: maxmemory-policy ${policy}`,
      `always: maxmemory-policy ${policy}`,
      'always: ready',
    ]),
    [{ role: 'slave' }, 'always: role slave', 'always: role slave', 'always: role slave', 'always: ready'],
    [{ role: undefined }, 'always: role unknown', 'always: role unknown', 'always: role unknown', 'always: ready'],
    [{ replicas: 0 }, 'always: ready', 'always: ready', 'always: connected_slaves 0', 'always: ready'],
    [{ replicas: 3 }, 'always: ready', 'always: ready', 'always: ready', 'always: ready'],
    [
      { appendonly: 'no', appendfsync: 'everysec', policy: 'allkeys-lru', role: 'slave', replicas: 0 },
      'none: appendonly no, maxmemory-policy allkeys-lru, role slave',
      'none: appendonly no, maxmemory-policy allkeys-lru, role slave',
      'none: appendonly no, maxmemory-policy allkeys-lru, role slave',
      'none: ready',
    ],
  ];

  it.each(cases)('with %j is judged for each mode', (settings, always, everysec, replicated, unsafe) => {
    expect({
      always: judge(settings, 'always'),
      everysec: judge(settings, 'everysec'),
      replicated: judge(settings, 'replicated'),
      unsafe: judge(settings, 'unsafe'),
    }).toEqual({ always, everysec, replicated, unsafe });
  });

  it.each([
    ['always', 'with the disk of Redis'],
    ['everysec', 'the last second'],
    ['replicated', 'every replica'],
    ['unsafe', 'anything'],
  ] as const)('that is fine for `%s` comes with what that may lose: %s', (mode, words) => {
    expect(judgeDurability(SAFE, mode).mayBeLost).toContain(words);
  });

  it('that is not safe comes with what to type', () => {
    const mends = (settings: Partial<Settings>, mode: DurabilityMode) =>
      judgeDurability({ ...SAFE, ...settings }, mode).problems.map(({ mend }) => mend);
    expect(mends({ appendonly: 'no' }, 'always')).toEqual(['redis-cli config set appendonly yes']);
    expect(mends({ appendfsync: 'no' }, 'always')).toEqual(['redis-cli config set appendfsync always']);
    expect(mends({ appendfsync: 'no' }, 'everysec')).toEqual(['redis-cli config set appendfsync everysec']);
    expect(mends({ appendfsync: undefined }, 'always')).toEqual([
      'this server does not tell; set DURABILITY=everysec if a second of callbacks may be lost with the power',
    ]);
    expect(mends({ policy: 'allkeys-lru' }, 'always')).toEqual(['redis-cli config set maxmemory-policy noeviction']);
    expect(mends({ role: 'slave' }, 'always')).toEqual(['point REDIS_URL at the primary']);
    expect(mends({ replicas: 0 }, 'replicated')).toEqual([
      'connect a replica (on its server: redis-cli replicaof <host> <port> of this one), or set DURABILITY=always',
    ]);
    expect(mends({ lastWrite: 'err' }, 'always')).toEqual(['make room on the disk of Redis']);
    expect(mends({ appendonly: 'no', cli: 'redis-cli -h 10.0.0.1 -p 7000 --tls' }, 'always')).toEqual([
      'redis-cli -h 10.0.0.1 -p 7000 --tls config set appendonly yes',
    ]);
    expect(mends({ role: 'slave', primary: '10.0.0.1:6379' }, 'always')).toEqual([
      'point REDIS_URL at the primary, which is at 10.0.0.1:6379',
    ]);
  });
});

describe('a real Redis', () => {
  let primary: RedisServer;
  const stores: Store[] = [];

  const open = async (redisUrl: string): Promise<Store> => {
    const store = await openStore({ redisUrl, role: 'producer' });
    stores.push(store);
    return store;
  };

  beforeAll(async () => {
    primary = await startRedis();
  });
  afterAll(() => primary.stop());
  beforeEach(async () => {
    const store = await open(primary.url);
    await store.ready();
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });

  it('with safe settings is ready', async () => {
    const [store] = stores as [Store];
    expect(await readDurability(store, 'always')).toMatchObject({ ready: true, durability: 'always', problems: [] });
    expect(await readDurability(store, 'everysec')).toMatchObject({ ready: true, durability: 'always', problems: [] });
    expect(await readDurability(store, 'replicated')).toMatchObject({ ready: false, durability: 'always' });
  });

  it.each([
    [['--appendfsync', 'everysec'], 'everysec', [['appendfsync', 'everysec']]],
    [['--appendfsync', 'no'], 'no', [['appendfsync', 'no']]],
    [['--no-appendfsync-on-rewrite', 'yes'], 'always', [['no-appendfsync-on-rewrite', 'yes']]],
    [['--appendonly', 'no'], 'none', [['appendonly', 'no']]],
    [['--maxmemory-policy', 'allkeys-lru'], 'always', [['maxmemory-policy', 'allkeys-lru']]],
    [
      ['--appendonly', 'no', '--maxmemory-policy', 'volatile-ttl'],
      'none',
      [
        ['appendonly', 'no'],
        ['maxmemory-policy', 'volatile-ttl'],
      ],
    ],
  ])('started with %j is not ready, and says why', async (args, durability, problems) => {
    const redis = await startRedis({ args });
    const store = await open(redis.url);
    await store.ready();
    const report = await readDurability(store, 'always');
    expect([report.ready, report.durability, report.problems.map(({ setting, value }) => [setting, value])]).toEqual([
      false,
      durability,
      problems,
    ]);
    // The mend is what makes it safe.
    for (const { mend } of report.problems) {
      expect(mend).toMatch(new RegExp(`^redis-cli -p ${redis.port} config set `));
      const [, , , command, ...rest] = mend.split(' ') as [string, string, string, string, ...string[]];
      await store.redis.call(command, ...rest);
    }
    expect(await readDurability(store, 'always')).toMatchObject({ ready: true, durability: 'always', problems: [] });
    await store.close();
    await redis.stop();
  });

  it('that is a replica is not ready; its primary then has a replica', async () => {
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] });
    const store = await open(replica.url);
    await waitUntil(() => store.redis.status === 'ready');
    expect(await readDurability(store, 'always')).toMatchObject({
      ready: false,
      durability: 'always',
      problems: [
        {
          setting: 'role',
          value: 'slave',
          mend: `point REDIS_URL at the primary, which is at 127.0.0.1:${primary.port}`,
        },
      ],
    });
    const [ofPrimary] = stores as [Store];
    await waitUntil(async () => (await readDurability(ofPrimary, 'replicated')).ready);
    await store.close();
    await replica.stop();
    await waitUntil(async () => !(await readDurability(ofPrimary, 'replicated')).ready);
  });

  it('that is an empty replica is watched, and named as one', async () => {
    const empty = await startRedis();
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(empty.port)] });
    const store = await open(replica.url);
    const watch = watchDurability(store, { mode: 'always', intervalMs: 50 });
    await waitUntil(() => watch.current().problems.some(({ setting }) => setting === 'role'));
    watch.stop();
    await replica.stop();
    await empty.stop();
  });

  it('that refuses CONFIG is believed for what INFO tells, and asked about for the rest', async () => {
    const [admin] = stores as [Store];
    await admin.redis.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all', '-config');
    const store = await open(primary.url.replace('//', '//app:secret@'));
    await store.ready();
    expect(await readDurability(store, 'everysec')).toMatchObject({
      ready: true,
      durability: 'everysec',
      problems: [],
    });
    expect(await readDurability(store, 'always')).toMatchObject({
      ready: false,
      durability: 'everysec',
      problems: [{ setting: 'appendfsync', value: 'unknown' }],
    });
    await admin.redis.config('SET', 'appendonly', 'no');
    expect(await readDurability(store, 'everysec')).toMatchObject({
      ready: false,
      durability: 'none',
      problems: [{ setting: 'appendonly', value: 'no' }],
    });
    await admin.redis.config('SET', 'appendonly', 'yes');
    await admin.redis.call('ACL', 'DELUSER', 'app');
  });

  it('is watched: a setting that is made unsafe is noticed, and mended again', async () => {
    const [store] = stores as [Store];
    const watch = watchDurability(store, { mode: 'always', intervalMs: 50 });
    await waitUntil(() => watch.current().ready);
    await store.redis.config('SET', 'appendfsync', 'no');
    await waitUntil(() => watch.current().durability === 'no');
    expect(watch.current().ready).toBe(false);
    await store.redis.config('SET', 'appendfsync', 'always');
    await waitUntil(() => watch.current().ready);
    watch.stop();
  });

  it('is watched before it is up, while it is down, and once it is back', async () => {
    const port = await freePort();
    const store = await open(`redis://127.0.0.1:${port}`);
    const watch = watchDurability(store, { mode: 'always' });
    expect(watch.current()).toMatchObject({
      ready: false,
      durability: 'unknown',
      problems: [{ setting: 'connection' }],
    });
    const late = await startRedis({ port });
    await waitUntil(() => watch.current().ready);
    await late.kill('SIGKILL');
    await waitUntil(() => !watch.current().ready);
    expect(watch.current()).toMatchObject({
      ready: false,
      durability: 'unknown',
      problems: [{ setting: 'connection', mend: 'start Redis, or set REDIS_URL to where it is' }],
    });
    await late.restart();
    await waitUntil(() => watch.current().ready);
    watch.stop();
    await store.close();
    await late.stop();
  });

  it('that another version laid out is not ready', async () => {
    const [admin] = stores as [Store];
    const layout = await admin.redis.getset('cr:{registry}:layout', 'another');
    const store = await open(primary.url);
    const watch = watchDurability(store, { mode: 'always', intervalMs: 50 });
    const problem = () => JSON.stringify(watch.current().problems);
    await waitUntil(() => problem().includes('this version of Clickrelay reads'));
    expect(watch.current().ready).toBe(false);
    await admin.redis.set('cr:{registry}:layout', layout as string);
    await waitUntil(() => watch.current().ready);
    watch.stop();
  });
});
