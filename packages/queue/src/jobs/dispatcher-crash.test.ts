import { fileURLToPath } from 'node:url';
import { type Program, startFaultProxy, startProgram, waitUntil } from '@clickrelay/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { destinationQueue, type QueueName } from '../redis/names.ts';
import { LOCK_MS } from '../redis/store.ts';
import { addJobs } from './add-jobs.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { JOB_FIELD, jobKey, lockKey, markerKey } from './keys.ts';
import type { Settlement } from './settle.ts';
import type { Consumer, TakenJob } from './source.ts';

/* Tests that take seconds, because locks have to expire: side by side, on one Redis, each with a queue of its own. */

const DONE: Settlement = { kind: 'done' };
/** G13: a worker crash is a redelivery. */
const HANDED_OUT_AGAIN_MS = 10_000;

const { redis, store, openStore } = useStore({ role: 'producer', freshPerTest: 'nothing' });
const closing: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

/** A process of its own, as far as Redis can tell. */
const openDispatcher = async (redisUrl?: string): Promise<{ dispatcher: Dispatcher; errors: string[] }> => {
  const errors: string[] = [];
  const own = await openStore({ ...(redisUrl && { redisUrl }), role: 'consumer' });
  const dispatcher = createDispatcher(own, { onError: (error) => errors.push((error as Error).message) });
  closing.push(() => dispatcher.close(100));
  return { dispatcher, errors };
};

/** Another process for real, which keeps what it takes until it gets SIGUSR2. */
const startHolder = async (name: string): Promise<Program> => {
  const program = await startProgram({
    args: [fileURLToPath(new URL('../../test/worker-process.ts', import.meta.url)), redis.url, name, 'hold'],
    readyOutput: /ready/,
  });
  closing.push(() => program.stop('SIGKILL'));
  return program;
};

const consume = (
  queue: QueueName,
  run: (job: TakenJob) => Settlement | Promise<Settlement> = () => DONE,
): Consumer & { taken: string[] } => {
  const taken: string[] = [];
  return {
    queue,
    taken,
    room: () => 10,
    run: async (job) => {
      taken.push(job.id);
      return run(job);
    },
  };
};

const add = (queue: QueueName, id: string) => addJobs(store, queue, [{ data: {}, options: { jobId: id } }]);
const counts = (queue: QueueName) => store.queue(queue).getJobCounts('waiting', 'active', 'delayed', 'failed');
const EMPTY = { waiting: 0, active: 0, delayed: 0, failed: 0 };
const isEmpty = async (queue: QueueName) => Object.values(await counts(queue)).every((count) => count === 0);

/** Resolves when this time has passed: there is no state to wait for where nothing may happen. */
const quiet = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.concurrent('a job', () => {
  it('that was taken by a process that was killed is handed out again within ten seconds', async () => {
    const queue = destinationQueue('killed');
    const holder = await startHolder('killed');
    await add(queue, 'one');
    await holder.waitForOutput(/took one/);
    const { dispatcher, errors } = await openDispatcher();
    const consumer = consume(queue, ({ attemptsMade }) => {
      expect(attemptsMade).toBe(0);
      return DONE;
    });
    dispatcher.add(consumer);
    const killedAt = performance.now();
    await holder.stop('SIGKILL');
    await waitUntil(() => consumer.taken.length === 1, { timeoutMs: HANDED_OUT_AGAIN_MS });
    console.log(`handed out again ${Math.round(performance.now() - killedAt)} ms after the crash`);
    await waitUntil(() => isEmpty(queue));
    expect(errors).toEqual([]);
  });

  it('is handed out again after however many crashes, and never fails for them', async () => {
    const queue = destinationQueue('crashes');
    await add(queue, 'one');
    // As if it had brought down a hundred processes; BullMQ counts both.
    await store.redis.hset(jobKey(queue, 'one'), JOB_FIELD.stalledCount, 100, 'ats', 100);
    const holder = await startHolder('crashes');
    await holder.waitForOutput(/took one/);
    await holder.stop('SIGKILL');
    const { dispatcher } = await openDispatcher();
    const consumer = consume(queue);
    dispatcher.add(consumer);
    await waitUntil(() => consumer.taken.length === 1, { timeoutMs: HANDED_OUT_AGAIN_MS });
    await waitUntil(() => isEmpty(queue));
    expect(consumer.taken).toEqual(['one']);
  });

  it('that was taken by a process that was stopped for longer than its lock runs once more, and its late end changes nothing', async () => {
    const queue = destinationQueue('stopped');
    const holder = await startHolder('stopped');
    await add(queue, 'one');
    await holder.waitForOutput(/took one/);
    const { dispatcher } = await openDispatcher();
    const consumer = consume(queue, () => ({ kind: 'retry', delayMs: 60_000, reason: 'answered 503' }));
    dispatcher.add(consumer);
    process.kill(holder.pid, 'SIGSTOP');
    await waitUntil(() => consumer.taken.length === 1, { timeoutMs: HANDED_OUT_AGAIN_MS });
    await waitUntil(async () => (await counts(queue))['delayed'] === 1);
    process.kill(holder.pid, 'SIGUSR2');
    process.kill(holder.pid, 'SIGCONT');
    await holder.waitForOutput(/error .*Missing (key|lock)|error .*not in the active state/);
    await holder.stop('SIGKILL');
    const job = await store.queue(queue).getJob('one');
    expect([await job?.getState(), job?.attemptsMade, job?.failedReason]).toEqual(['delayed', 1, 'answered 503']);
  });

  it('that runs for longer than a lock is handed out to nobody else', async () => {
    const queue = destinationQueue('long');
    const { dispatcher: here, errors } = await openDispatcher();
    const { dispatcher: elsewhere, errors: otherErrors } = await openDispatcher();
    const long = consume(queue, async () => {
      await quiet(2.5 * LOCK_MS);
      return DONE;
    });
    here.add(long);
    await add(queue, 'one');
    await waitUntil(() => long.taken.length === 1);
    const other = consume(queue);
    elsewhere.add(other);
    await waitUntil(() => isEmpty(queue), { timeoutMs: 4 * LOCK_MS });
    expect([long.taken, other.taken]).toEqual([['one'], []]);
    // Idle for longer than any deadline on a connection, too.
    expect([errors, otherErrors]).toEqual([[], []]);
  });

  it('that lost its lock runs once more, not again and again, however long both runs take', async () => {
    const queue = destinationQueue('lost-lock');
    const { dispatcher } = await openDispatcher();
    const ends: ((settlement: Settlement) => void)[] = [];
    const consumer = consume(queue, () => new Promise((resolve) => ends.push(resolve)));
    dispatcher.add(consumer);
    await add(queue, 'one');
    await waitUntil(() => ends.length === 1);
    // What a pause of this process, or of Redis, for longer than the lock comes down to.
    await store.redis.del(lockKey(queue, 'one'));
    await waitUntil(() => ends.length === 2);
    ends[0]?.({ kind: 'dead_letter', reason: 'too late to count' });
    await quiet(1.8 * LOCK_MS);
    expect(ends).toHaveLength(2);
    expect(await counts(queue)).toEqual({ ...EMPTY, active: 1 });
    ends[1]?.(DONE);
    await waitUntil(() => isEmpty(queue));
  });

  it('is taken within the sweep when the process that was told of it died before it took it', async () => {
    const queue = destinationQueue('lost-marker');
    const { dispatcher } = await openDispatcher();
    let room = 0;
    const consumer = { ...consume(queue), room: () => room };
    dispatcher.add(consumer);
    await add(queue, 'one');
    expect(await store.redis.zrem(markerKey(queue), '0')).toBe(1);
    room = 1;
    await waitUntil(() => consumer.taken.length === 1, { timeoutMs: 12_000 });
  });

  it('is taken soon after the network to Redis died silently and is back', async () => {
    const queue = destinationQueue('silent');
    const proxy = await startFaultProxy(redis.port);
    const { dispatcher } = await openDispatcher(proxy.url);
    const consumer = consume(queue);
    dispatcher.add(consumer);
    await add(queue, 'one');
    await waitUntil(() => isEmpty(queue));
    proxy.withholdReplies();
    await add(queue, 'two');
    await waitUntil(() => consumer.taken.length === 2, { timeoutMs: 20_000 });
    await waitUntil(() => isEmpty(queue), { timeoutMs: 20_000 });
    closing.push(() => proxy.close());
  });
});
