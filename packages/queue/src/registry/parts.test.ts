import { hostname } from 'node:os';
import { waitUntil } from '@clickrelay/testkit';
import { expect, test, vi } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import type { ApiPart } from './part.ts';
import { listDeaths, listParts, publishPart, removePart, timeOf } from './parts.ts';
import { tellPart } from './tell-part.ts';

const context = useStore();

const api: ApiPart = {
  role: 'api',
  hostName: 'a',
  version: '1',
  startedAt: '2026-03-01T12:00:00.000Z',
  storeId: null,
  roundTripMs: 1,
  clockOffsetMs: 0,
  clockJumpMs: 0,
  eventLoop: 0,
  disks: [],
  settings: {},
  publicUrl: null,
};
const processes = async () => (await listParts(context.store)).map(({ process }) => process);

test('a part that is silent for 16 seconds is forgotten, and counts as one death, whoever looks', async () => {
  const { store } = context;
  const now = await timeOf(store);
  await publishPart(store, 'a:1', api, now - 15_000);
  await publishPart(store, 'a:2', api, now - 17_000);
  await publishPart(store, 'a:3', api, now - 17_000);
  expect(await Promise.all([processes(), processes()])).toEqual([['a:1'], ['a:1']]);
  expect(await listDeaths(store)).toEqual([{ role: 'api', hostName: 'a', count: 2 }]);
});

test('a part that ends in an orderly way is no death, nor one that only could not reach Redis', async () => {
  const { store } = context;
  const now = await timeOf(store);
  await publishPart(store, 'a:1', api, now);
  await removePart(store, 'a:1');
  await publishPart(store, 'a:2', api, now - 17_000);
  expect(await processes()).toEqual([]);
  await publishPart(store, 'a:2', api, now);
  expect(await processes()).toEqual(['a:2']);
  expect(await listDeaths(store)).toEqual([]);
});

test('a part that publishes while somebody finds it silent is not forgotten', async () => {
  const { store } = context;
  const now = await timeOf(store);
  await publishPart(store, 'a:1', api, now - 17_000);
  const read = vi.spyOn(store.redis, 'hgetall');
  read.mockImplementationOnce(async (key) => {
    const before = await store.redis.hgetall(key as string);
    await publishPart(store, 'a:1', api, now);
    return before;
  });
  expect(await processes()).toEqual([]);
  expect(await processes()).toEqual(['a:1']);
  expect(await listDeaths(store)).toEqual([]);
  read.mockRestore();
});

test('a process measures itself and its machine, and takes itself out at its end', async () => {
  const { store } = context;
  const telling = tellPart<ApiPart>(store, {
    role: 'api',
    version: '1',
    process: 'a:1',
    settings: { DURABILITY: 'abc' },
    disks: [{ of: 'data', dir: '/', neededBytes: () => 7 }],
    facts: () => ({ publicUrl: null }),
  });
  await waitUntil(async () => (await processes()).length === 1);
  const [part] = await listParts(store);
  expect(part).toEqual({
    role: 'api',
    hostName: hostname(),
    version: '1',
    process: 'a:1',
    at: expect.any(String),
    startedAt: expect.any(String),
    storeId: null,
    roundTripMs: expect.any(Number),
    clockOffsetMs: expect.any(Number),
    clockJumpMs: expect.any(Number),
    eventLoop: expect.any(Number),
    disks: [{ of: 'data', freeBytes: expect.any(Number), totalBytes: expect.any(Number), neededBytes: 7 }],
    settings: { DURABILITY: 'abc' },
    publicUrl: null,
  });
  expect(part?.disks[0]?.totalBytes).toBeGreaterThan(part?.disks[0]?.freeBytes as number);
  // One machine: what differs is the way there and back.
  expect(Math.abs(part?.clockOffsetMs as number)).toBeLessThanOrEqual((part?.roundTripMs as number) / 2 + 2);
  await telling.stop();
  expect(await processes()).toEqual([]);
  expect(await listDeaths(store)).toEqual([]);
});
