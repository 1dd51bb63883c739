import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fairNow, waitUntil } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { putDestination, readDestination, watchDestinations } from '../destinations/destinations.ts';
import { createCommitter } from '../intake/commit.ts';
import { addJobs } from '../jobs/add-jobs.ts';
import { createDispatcher } from '../jobs/dispatcher.ts';
import { adoptStore, inspectStore } from '../registry/adopt-store.ts';
import { StoreLostError } from './errors.ts';
import { ingestQueue } from './names.ts';
import { rememberStore } from './remember-store.ts';
import type { Store } from './store.ts';

const context = useStore();
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'clickrelay-store-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const failed = (error: unknown): void => {
  throw error;
};
/** A process with this folder. */
const start = (folder = dir): Promise<Store> => context.openStore({ memory: rememberStore(folder, failed) });
/** As a receiver does that finds Redis durable. */
const begin = async (store: Store): Promise<void> => {
  await store.ready();
  await store.identity.settle();
};
const mark = async () => (await inspectStore(context.store)).mark;
const empty = (): Promise<unknown> => context.store.redis.flushall();
const isLost = (store: Store): Promise<unknown> => waitUntil(() => store.identity.problem !== undefined);

test('the first process marks the store, and all others find and remember that mark', async () => {
  const [first, second] = [await start(), await start('')];
  await Promise.all([begin(first), begin(second)]);
  const id = (await mark())?.id as string;
  expect(id).toMatch(/^str_[\w-]{16}$/);
  expect([first.identity.expectedId, second.identity.expectedId]).toEqual([id, id]);
  expect(JSON.parse(readFileSync(join(dir, 'store.json'), 'utf8'))).toEqual({ id });
});

test('an emptied Redis is refused within two seconds, told, and marked by nobody, also after a restart', async () => {
  const store = await start();
  await begin(store);
  const told: (string | undefined)[] = [];
  store.identity.onChange((problem) => told.push(problem?.value));
  const id = (await mark())?.id;
  const emptiedAt = fairNow();
  await empty();
  await isLost(store);
  expect(fairNow() - emptiedAt).toBeLessThan(2_000);
  expect(told).toEqual([`gone: this Redis was emptied or exchanged; it held ${id}`]);
  expect(() => store.assertConnected()).toThrow(StoreLostError);
  const again = await start();
  await expect(again.ready()).rejects.toThrow(`the store is gone: this Redis was emptied or exchanged; it held ${id}`);
  expect(await context.store.redis.keys('*')).toEqual([]);
});

test('a store of another Clickrelay is refused', async () => {
  const theirs = await start('');
  await begin(theirs);
  const others = mkdtempSync(join(tmpdir(), 'clickrelay-store-'));
  rememberStore(others, failed).write('str_ours');
  const store = await start(others);
  await expect(store.ready()).rejects.toThrow(
    `another one: this Redis holds ${theirs.identity.expectedId}, not str_ours: bring its data back, or`,
  );
  rmSync(others, { recursive: true });
});

test('a store that comes back, as from a backup, is used again', async () => {
  const store = await start();
  await begin(store);
  const backup = (await context.store.redis.get('cr:{registry}:store')) as string;
  await empty();
  await isLost(store);
  await context.store.redis.set('cr:{registry}:store', backup);
  await waitUntil(() => store.identity.problem === undefined);
  store.assertConnected();
});

test('nothing is acknowledged into an emptied Redis, not even before the next look', async () => {
  const store = await start();
  await begin(store);
  const committer = createCommitter(store);
  const commit = (): Promise<void> =>
    committer.commit({ lane: 'statuses', text: '{"event":{}}' }, '2026-01-01T00:00:00Z');
  await commit();
  await empty();
  await expect(commit()).rejects.toThrow(StoreLostError);
});

test('an adopted store is taken for the one that is gone, and that is remembered', async () => {
  const store = await start();
  await begin(store);
  const gone = (await mark())?.id as string;
  await empty();
  await isLost(store);
  const adopted = await adoptStore(context.store, [gone]);
  expect(adopted).toEqual({ id: expect.stringMatching(/^str_/), createdAt: expect.any(String), adopts: [gone] });
  await waitUntil(() => store.identity.problem === undefined);
  expect(rememberStore(dir, failed).read()).toBe(adopted.id);
  const again = await start();
  await begin(again);
  expect(await context.store.redis.get('cr:{registry}:layout')).toBe('{"version":1,"shards":64}');
});

test('the destinations that a process knows are put back before it uses an adopted store', async () => {
  const store = await start();
  await begin(store);
  const crm = { id: 'crm', type: 'webhook', events: ['*'], paused: null, config: { url: 'https://a.example' } };
  await putDestination(store, crm);
  const seen: string[][] = [];
  const watch = await watchDestinations(store, {
    onChange: (all) => void seen.push(all.map(({ id }) => id)),
    onError: failed,
  });
  const gone = (await mark())?.id as string;
  await empty();
  await isLost(store);
  await expect(watch.look()).rejects.toThrow(StoreLostError);
  let atChange: unknown;
  store.identity.onChange(() => {
    atChange = readDestination(context.store, 'crm');
  });
  await adoptStore(context.store, [gone]);
  await waitUntil(() => store.identity.problem === undefined);
  expect(await atChange).toEqual(crm);
  await watch.look();
  watch.stop();
  // Once at the start, and once or twice for the adopted store, but never as empty as that one was.
  expect(seen.length).toBeGreaterThan(1);
  expect(seen).not.toContainEqual([]);
});

test('nothing is taken from a store that is not ours', async () => {
  const store = await start();
  await begin(store);
  const gone = (await mark())?.id as string;
  const queue = ingestQueue('messages');
  const taken: unknown[] = [];

  const dispatcher = createDispatcher(store, { onError: () => {} });
  await dispatcher.add({
    queue,
    room: () => 10,
    run: async ({ data }) => {
      taken.push(data);
      return { kind: 'done' };
    },
  });
  await empty();
  await isLost(store);
  await addJobs(context.store, queue, [{ data: 1 }]);
  dispatcher.look(queue);
  await waitUntil(async () => (await context.store.queue(queue).getWaitingCount()) === 1);
  expect(taken).toEqual([]);
  await adoptStore(context.store, [gone]);
  await waitUntil(() => taken.length === 1);
  await dispatcher.close(1_000);
});
