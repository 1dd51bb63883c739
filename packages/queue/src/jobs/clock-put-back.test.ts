import { fileURLToPath } from 'node:url';
import {
  cannotShiftClock,
  createShiftedClock,
  fairNow,
  startProgram,
  startRedis,
  waitUntil,
} from '@clickrelay/testkit';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { newEvents } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { putDestination } from '../destinations/destinations.ts';
import { holdDestination, listHolds } from '../destinations/holds.ts';
import { createLeases } from '../leases/leases.ts';
import type { Lease } from '../leases/waiter.ts';
import { createEventLog } from '../log/append.ts';
import { destinationQueue, type QueueName } from '../redis/names.ts';
import { addJobs } from './add-jobs.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import type { ClockHealed } from './heal-clock.ts';
import type { Settlement } from './settle.ts';
import type { Consumer, TakenJob } from './source.ts';

/*
 * What comes back within seconds does so whatever the clocks do: that of Redis is put back by an hour, or that of the
 * process that takes jobs. Redis runs with a clock of its own, which takes a Linux with gcc.
 */

const cannot = cannotShiftClock();
if (cannot !== undefined) console.warn(`NOT RUN: the clock of Redis put back. ${cannot}`);

const HOUR = 3_600_000;
const DONE: Settlement = { kind: 'done' };
/** In ms of `fairNow`. Without any mending it would take an hour. */
const WITHIN = 12_000;

const clock = cannot === undefined ? createShiftedClock() : undefined;
let shiftMs = 0;
const putBack = (): void => {
  shiftMs -= HOUR;
  clock?.shift(shiftMs);
};

const { redis, store, openStore } = useStore({
  freshPerTest: 'nothing',
  start: () => startRedis({ env: clock?.env ?? {} }),
});
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0)) await close();
});
afterAll(() => clock?.close());

const openDispatcher = async (onPutBack?: (healed: ClockHealed) => void): Promise<Dispatcher> => {
  const own = await openStore({ role: 'consumer' });
  const dispatcher = createDispatcher(own, { onError: () => {}, ...(onPutBack && { onPutBack }) });
  closing.push(() => dispatcher.close(100));
  return dispatcher;
};

const consume = (
  queue: QueueName,
  run: (job: TakenJob) => Settlement | Promise<Settlement> = () => DONE,
  more: Partial<Consumer> = {},
): Consumer & { taken: string[] } => {
  const taken: string[] = [];
  const note = async (job: TakenJob): Promise<Settlement> => {
    taken.push(job.id);
    return run(job);
  };
  return Object.assign({ queue, taken, room: () => 10, run: note }, more);
};

const add = (queue: QueueName, ...ids: string[]) =>
  addJobs(
    store,
    queue,
    ids.map((id) => ({ data: {}, options: { jobId: id } })),
  );

/** Resolves when it holds. @returns after how many ms of `fairNow` */
const soon = async (holds: () => boolean | Promise<boolean>): Promise<number> => {
  const since = fairNow();
  await waitUntil(async () => (await holds()) || fairNow() - since > WITHIN, { timeoutMs: 120_000 });
  expect(await holds()).toBe(true);
  return fairNow() - since;
};

describe.skipIf(clock === undefined)('when the clock of Redis is put back by an hour', () => {
  it('a job of a killed process is handed out again', async () => {
    const queue = destinationQueue('killed');
    const holder = await startProgram({
      args: [fileURLToPath(new URL('../../test/worker-process.ts', import.meta.url)), redis.url, 'killed', 'hold'],
      readyOutput: /ready/,
    });
    closing.push(() => holder.stop('SIGKILL'));
    await add(queue, 'one');
    await holder.waitForOutput(/took one/);
    const told: ClockHealed[] = [];
    const dispatcher = await openDispatcher((healed) => told.push(healed));
    const consumer = consume(queue);
    await dispatcher.add(consumer);
    await holder.stop('SIGKILL');
    putBack();
    await soon(() => consumer.taken.length === 1);
    // The lock may have been shortened when this process had just begun.
    await soon(() => told.some(({ byMs }) => byMs !== null));
    expect(told.at(-1)?.byMs).toBeCloseTo(HOUR, -4);
    expect(told.reduce((sum, { locks }) => sum + locks, 0)).toBe(1);
  });

  it('and no process was there, a new one notices', async () => {
    const queue = destinationQueue('late');
    const holder = await startProgram({
      args: [fileURLToPath(new URL('../../test/worker-process.ts', import.meta.url)), redis.url, 'late', 'hold'],
      readyOutput: /ready/,
    });
    await add(queue, 'one');
    await holder.waitForOutput(/took one/);
    await holder.stop('SIGKILL');
    await addJobs(store, queue, [{ data: {}, options: { jobId: 'two', delay: 500 } }]);
    putBack();
    const told: ClockHealed[] = [];
    const dispatcher = await openDispatcher((healed) => told.push(healed));
    const consumer = consume(queue);
    await dispatcher.add(consumer);
    await soon(() => consumer.taken.length === 2);
    expect(told).toEqual([{ byMs: null, locks: 1, delays: 1 }]);
  });

  it('what sleeps wakes after its own delay at the latest', async () => {
    const queue = destinationQueue('sleeps');
    const dispatcher = await openDispatcher();
    const consumer = consume(queue, ({ attemptsMade }) =>
      attemptsMade === 0 ? { kind: 'retry', delayMs: 2_000, reason: '' } : DONE,
    );
    await dispatcher.add(consumer);
    await add(queue, 'one');
    await waitUntil(async () => (await store.queue(queue).getDelayedCount()) === 1);
    const since = performance.now();
    putBack();
    await soon(() => consumer.taken.length === 2);
    expect(performance.now() - since).toBeGreaterThanOrEqual(1_900);
  });

  it('a rate allows what it allowed', async () => {
    const queue = destinationQueue('rated');
    const dispatcher = await openDispatcher();
    const consumer = consume(queue, () => DONE, { rate: { max: 1, spanMs: 1_000 } });
    await dispatcher.add(consumer);
    await add(queue, 'one', 'two', 'three');
    await waitUntil(() => consumer.taken.length === 1);
    putBack();
    await soon(() => consumer.taken.length === 3);
  });

  it('a lease that nobody answers comes back, and a nacked one too', async () => {
    await putDestination(store, { id: 'bot', type: 'pull', events: ['*'], paused: null, config: {} });
    const own = await openStore({ role: 'producer' });
    await own.ready();
    const leases = createLeases(own, { schedule: [0, 1, 1], onError: () => {} });
    closing.push(() => leases.close());
    const events = newEvents(2);
    await createEventLog(store, { dedupeTtlMs: 60_000 }).append('test', events, Date.now());
    await enqueueDeliveries(
      store,
      'bot',
      events.map(({ event }) => ({ eventId: event.id })),
    );
    const take = () =>
      leases.lease('bot', { max: 2, waitMs: 1_000, leaseMs: 5_000, signal: new AbortController().signal });
    const first: Lease[] = [];
    while (first.length < 2) first.push(...(await take()));
    putBack();
    const nacked = first.at(-1) as Lease;
    const answer = await leases.nack('bot', nacked, { error: 'no mood', retry: true });
    expect(answer).toMatchObject({ state: 'retrying' });
    const again = new Set<string>();
    await soon(async () => {
      for (const { deliveryId } of await take()) again.add(deliveryId);
      return again.size === 2;
    });
  });

  it('a hold ends', async () => {
    await store.clock.look();
    const until = store.clock.now() + 5_000;
    await holdDestination(store, 'held', { reason: 'throttled', until });
    expect([...(await listHolds(store, until - 5_000)).keys()]).toEqual(['held']);
    expect([...(await listHolds(store, until - 5_000 - HOUR)).keys()]).toEqual([]);
  });
});

describe('when the clock of this machine is put back by an hour', () => {
  it('what sleeps is due in time all the same, and not before', async () => {
    const queue = destinationQueue('local');
    const dispatcher = await openDispatcher();
    const at: number[] = [];
    const consumer = consume(queue, ({ attemptsMade }) => {
      at.push(performance.now());
      return attemptsMade < 2 ? { kind: 'retry', delayMs: 1_000, reason: '' } : DONE;
    });
    await dispatcher.add(consumer);
    await add(queue, 'one');
    await waitUntil(async () => (await store.queue(queue).getDelayedCount()) === 1);
    const real = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => real() - HOUR);
    await soon(() => consumer.taken.length === 3);
    const [first = 0, second = 0, third = 0] = at;
    expect(second - first).toBeGreaterThanOrEqual(995);
    expect(third - second).toBeGreaterThanOrEqual(995);
  });

  it('and another machine puts off what it takes, neither is early', async () => {
    const queue = destinationQueue('two-clocks');
    const real = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => real() - HOUR);
    const behind = await openDispatcher();
    let puts = 0;
    const at: number[] = [];
    await behind.add(
      consume(queue, () => {
        puts++;
        at.push(performance.now());
        return { kind: 'retry', delayMs: 1_000, reason: '' };
      }),
    );
    await add(queue, 'one');
    await waitUntil(() => puts === 1);
    await waitUntil(async () => (await store.queue(queue).getDelayedCount()) === 1);
    behind.remove(queue);
    vi.restoreAllMocks();
    const right = await openDispatcher();
    await right.add(
      consume(queue, () => {
        at.push(performance.now());
        return DONE;
      }),
    );
    await soon(() => at.length === 2);
    expect((at[1] as number) - (at[0] as number)).toBeGreaterThanOrEqual(995);
  });
});
