import { DAY_MS } from '@clickrelay/core';
import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { putDestination, removeDestination } from '../destinations/destinations.ts';
import { destinationQueue, hoursPrefix } from '../redis/names.ts';
import { attemptMs, createHourCounts, type Hour, readHours, sumHours } from './hour-figures.ts';

const { openStore, store } = useStore();

const DELIVERED = { kind: 'delivered' } as const;
const FAILED = { kind: 'retry', delayMs: 0 } as const;
const DEAD = { kind: 'dead_letter' } as const;
const attempt = (outcome: typeof DELIVERED | typeof FAILED | typeof DEAD, durationMs = 12, isFirst = false) => ({
  destinationId: 'crm',
  durationMs,
  outcome,
  isFirst,
});
const open = (from = store) =>
  createHourCounts(from, {
    onError: (error) => {
      throw error;
    },
  });
/** Of two hours, in case one ends while a test runs. */
const sum = async (id = 'crm') => sumHours((await read(id, 2)) as Hour[]);
const read = async (id: string, count: number, nowMs = Date.now()) =>
  (await readHours(store, [id], count, nowMs)).get(id);
const commandsOf = async (name: string): Promise<number> =>
  Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await store.redis.info('commandstats'))?.[1] ?? 0);

describe('figures by the hour', () => {
  it('add up what all processes saw', async () => {
    const other = await openStore();
    const [ours, theirs] = [open(), open(other)];
    ours.add(attempt(DELIVERED, 12, true));
    ours.add(attempt(DELIVERED));
    theirs.add(attempt(FAILED, 15_000));
    theirs.add(attempt(DEAD));
    theirs.add(attempt(DELIVERED, 12, true));
    await Promise.all([ours.stop(), theirs.stop()]);
    await other.close();
    expect(await sum()).toMatchObject({ delivered: 3, failed: 2, firstTry: 2, deadLetters: 1 });
    expect((await sum()).durations.reduce((all, one) => all + one, 0)).toBe(5);
    expect(await sum('other')).toMatchObject({ delivered: 0, failed: 0, firstTry: 0 });
  });

  it('are written without being asked, with one command for any number of attempts', async () => {
    const hours = open();
    const before = (await commandsOf('evalsha')) + (await commandsOf('eval'));
    for (let i = 0; i < 10_000; i++) hours.add(attempt(DELIVERED));
    await waitUntil(async () => (await sum()).delivered === 10_000);
    // Two when the hour ended meanwhile, and one more each when the script was not known yet.
    expect((await commandsOf('evalsha')) + (await commandsOf('eval')) - before).toBeLessThanOrEqual(4);
    await hours.stop();
  });

  it('are there for every hour that is asked for, the present one last, with zeros where nothing was', async () => {
    const now = Date.parse('2026-03-02T01:30:00.000Z');
    const key = (day: string) => `${hoursPrefix(destinationQueue('crm'))}:d${Date.parse(day) / DAY_MS}`;
    await store.redis.hset(key('2026-03-02'), '1', '1,2,0,3');
    await store.redis.hset(key('2026-03-01'), '23', '4,0,4,4');
    await store.redis.hset(key('2026-03-01'), '22', '9,9,9,9');
    const hours = (await read('crm', 3, now)) as Hour[];
    expect(hours.map(({ at, delivered, failed, firstTry }) => [at, delivered, failed, firstTry])).toEqual([
      ['2026-03-01T23:00:00.000Z', 4, 0, 4],
      ['2026-03-02T00:00:00.000Z', 0, 0, 0],
      ['2026-03-02T01:00:00.000Z', 1, 2, 0],
    ]);
    expect((await read('crm', 168, now))?.length).toBe(168);
  });

  it('are kept for eight days', async () => {
    const hours = open();
    hours.add(attempt(DELIVERED));
    await hours.stop();
    const [key] = await store.redis.keys('*:hours:*');
    const ttl = await store.redis.ttl(key ?? '');
    expect(ttl).toBeGreaterThan(8.9 * 24 * 3_600);
    expect(ttl).toBeLessThanOrEqual(9 * 24 * 3_600);
  });

  it('go with their destination', async () => {
    const destination = { id: 'crm', type: 'pull', events: ['*'], paused: null, config: {} };
    await putDestination(store, destination);
    const hours = open();
    hours.add(attempt(DELIVERED));
    await hours.stop();
    expect(await sum()).toMatchObject({ delivered: 1 });
    await removeDestination(store, 'crm');
    expect(await store.redis.keys('*:hours:*')).toEqual([]);
    await putDestination(store, destination);
    expect(await sum()).toMatchObject({ delivered: 0 });
  });

  it('wait in memory while Redis is away', async () => {
    const own = await openStore({ role: 'producer' });
    await own.ready();
    const errors: unknown[] = [];
    const hours = createHourCounts(own, { onError: (error) => errors.push(error), writeMs: 50 });
    own.redis.disconnect();
    hours.add(attempt(DELIVERED));
    await waitUntil(() => errors.length > 0);
    hours.add(attempt(DELIVERED));
    await own.redis.connect();
    await waitUntil(async () => (await sum()).delivered === 2);
    await hours.stop();
    await own.close();
  });
});

describe('how long attempts take', () => {
  const among = (share: number, durationsMs: readonly number[]) => {
    const bounds = [5, 10, 20, 35, 50, 75, 100, 150, 200];
    const durations = new Array(bounds.length).fill(0);
    for (const ms of durationsMs) durations[bounds.findIndex((bound) => ms <= bound)]++;
    return attemptMs({ durations }, share);
  };
  const of = (...durationsMs: number[]) => among(0.95, durationsMs);

  it('is told for 95 of 100, by the class in which it lies', () => {
    expect(of()).toBeNull();
    expect(of(12)).toBe(20);
    expect(of(...new Array(95).fill(12), ...new Array(5).fill(180))).toBe(20);
    const slow = of(...new Array(90).fill(12), ...new Array(10).fill(180));
    expect(slow).toBeGreaterThan(150);
    expect(slow).toBeLessThanOrEqual(200);
  });

  it('is told of half of them too', () => {
    const durations = [...new Array(60).fill(12), ...new Array(40).fill(180)];
    expect(among(0.5, durations)).toBeLessThanOrEqual(20);
    expect(among(0.95, durations)).toBeGreaterThan(150);
  });
});
