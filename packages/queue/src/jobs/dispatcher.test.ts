import { fileURLToPath } from 'node:url';
import { fairNow, type RedisServer, startProgram, startRedis, waitUntil } from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { destinationQueue, type QueueName } from '../redis/names.ts';
import { addJobs, openStore, type Store } from '../redis/store.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { markerKey } from './keys.ts';
import type { Settlement } from './settle.ts';
import type { Consumer, TakenJob } from './source.ts';

const CRM = destinationQueue('crm');
const DONE: Settlement = { kind: 'done' };

let redis: RedisServer;
let store: Store;
let dispatcher: Dispatcher;
let errors: unknown[];
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  errors = [];
  [store, dispatcher] = await openAnother();
  await store.redis.flushall();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A process of its own, as far as Redis can tell. */
const openAnother = async (): Promise<[Store, Dispatcher]> => {
  const another = await openStore({ redisUrl: redis.url, role: 'consumer' });
  const taking = createDispatcher(another, { onError: (error) => errors.push(error) });
  closing.push(async () => {
    await taking.close(100);
    await another.close();
  });
  return [another, taking];
};

/** Takes what it can, at most `limit` at a time, and notes it down. */
const consume = (
  queue: QueueName,
  run: (job: TakenJob) => Settlement | Promise<Settlement> = () => DONE,
  limit = 1_000,
): Consumer & { taken: string[]; running: number; peak: number } => {
  const consumer = {
    queue,
    taken: [] as string[],
    running: 0,
    peak: 0,
    room: () => limit - consumer.running,
    run: async (job: TakenJob) => {
      consumer.taken.push(job.id);
      consumer.running++;
      consumer.peak = Math.max(consumer.peak, consumer.running);
      try {
        return await run(job);
      } finally {
        consumer.running--;
      }
    },
  };
  return consumer;
};

const add = (queue: QueueName, ...ids: string[]) =>
  addJobs(
    store,
    queue,
    ids.map((id) => ({ data: {}, options: { jobId: id } })),
  );

const addDelayed = (queue: QueueName, delay: number, id: string) =>
  addJobs(store, queue, [{ data: {}, options: { jobId: id, delay } }]);

const ids = (count: number, prefix = 'job') => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

const counts = (queue: QueueName) => store.queue(queue).getJobCounts('waiting', 'active', 'delayed', 'failed');
/** Resolves when this many dispatchers wait for something to be ready. */
const listening = (count: number) =>
  waitUntil(async () => {
    const clients = String(await store.redis.client('LIST')).split('\n');
    return clients.filter((client) => /cmd=bzpopmin/.test(client) && /flags=b/.test(client)).length === count;
  });

/**
 * In ms of `fairNow`, and so on a busy machine too: a marker that nobody heard of shows as a pause of the five seconds after
 * which a read that blocks looks again.
 */
const PROMPTLY = 3_000;

const EMPTY = { waiting: 0, active: 0, delayed: 0, failed: 0 };

const nap = (ms: number) => new Promise<Settlement>((resolve) => setTimeout(resolve, ms, DONE));

/** The longest time between two runs, in ms of `fairNow`. */
const pausesOf = (run: () => Promise<Settlement>) => {
  let last = fairNow();
  let longest = 0;
  return {
    run: () => {
      longest = Math.max(longest, fairNow() - last);
      last = fairNow();
      return run();
    },
    longest: () => longest,
  };
};

/** A run that ends when the test says so. */
const gate = () => {
  let open = (_: Settlement): void => {};
  const opened = new Promise<Settlement>((resolve) => {
    open = resolve;
  });
  return { opened, open };
};

describe('jobs of many queues', () => {
  it('are taken with one connection that blocks, and one that does not', async () => {
    const queues = ids(40, 'crm').map(destinationQueue);
    const consumers = queues.map((queue) => consume(queue));
    for (const consumer of consumers) dispatcher.add(consumer);
    await Promise.all(queues.map((queue) => add(queue, ...ids(5))));
    await waitUntil(() => consumers.every(({ taken }) => taken.length === 5));
    for (const { taken } of consumers) expect(taken).toEqual(ids(5));
    const clients = String(await store.redis.client('LIST'))
      .trim()
      .split('\n');
    expect(clients).toHaveLength(2);
    expect(clients.filter((client) => client.includes('name=clickrelay-dispatcher'))).toHaveLength(1);
    for (const queue of queues) await waitUntil(async () => (await counts(queue))['active'] === 0);
    expect(errors).toEqual([]);
  });

  it('are taken at once when they come to an idle queue', async () => {
    const consumers = ids(10, 'crm').map((id) => consume(destinationQueue(id)));
    for (const consumer of consumers) dispatcher.add(consumer);
    const waits: number[] = [];
    for (let round = 0; round < 3; round++) {
      for (const consumer of consumers) {
        const addedAt = fairNow();
        await add(consumer.queue, `round-${round}`);
        await waitUntil(() => consumer.taken.length === round + 1, { everyMs: 1 });
        waits.push(fairNow() - addedAt);
      }
    }
    waits.sort((a, b) => a - b);
    expect(waits[15]).toBeLessThan(500);
    expect(waits.at(-1)).toBeLessThan(PROMPTLY);
  });

  it('leave no queue behind a busy one', async () => {
    const busy = consume(destinationQueue('busy'), async () => {
      await add(busy.queue, `more-${busy.taken.length}`);
      return DONE;
    });
    const quiet = consume(destinationQueue('quiet'));
    dispatcher.add(busy);
    dispatcher.add(quiet);
    await add(busy.queue, ...ids(20));
    await waitUntil(() => busy.taken.length > 100);
    await add(quiet.queue, 'one');
    await waitUntil(() => quiet.taken.length === 1, { timeoutMs: PROMPTLY, everyMs: 1 });
    dispatcher.remove(busy.queue);
  });
});

describe('a queue', () => {
  it('is emptied in the order of adding', async () => {
    await add(CRM, ...ids(100, 'before'));
    const consumer = consume(CRM);
    dispatcher.add(consumer);
    await add(CRM, ...ids(100, 'after'));
    await waitUntil(() => consumer.taken.length === 200);
    expect(consumer.taken).toEqual([...ids(100, 'before'), ...ids(100, 'after')]);
    await waitUntil(async () => (await counts(CRM))['active'] === 0);
    expect(await counts(CRM)).toEqual(EMPTY);
  });

  it.each([1, 3, 17])('never has more than its %i jobs under way, and is emptied without a pause', async (limit) => {
    const pauses = pausesOf(() => nap(5));
    const consumer = consume(CRM, pauses.run, limit);
    dispatcher.add(consumer);
    dispatcher.add(consume(destinationQueue('idle')));
    await add(CRM, ...ids(150));
    await waitUntil(() => consumer.taken.length === 150);
    // A turn that is missed shows as a pause of seconds.
    expect(pauses.longest()).toBeLessThan(PROMPTLY);
    expect(consumer.taken).toEqual(ids(150));
    expect(consumer.peak).toBe(limit);
  });

  it('that was full is looked at as soon as its consumer says that there is room', async () => {
    let room = 0;
    const consumer = { ...consume(CRM), room: () => room };
    dispatcher.add(consumer);
    await add(CRM, 'one');
    // Long enough for the dispatcher to have passed it over.
    await add(destinationQueue('other'), 'x');
    const other = consume(destinationQueue('other'));
    dispatcher.add(other);
    await waitUntil(() => other.taken.length === 1);
    expect(consumer.taken).toEqual([]);
    room = 1;
    dispatcher.poke(CRM);
    await waitUntil(() => consumer.taken.length === 1, { timeoutMs: PROMPTLY });
  });

  it('that is full here is left to another process', async () => {
    const { opened, open } = gate();
    const here = consume(CRM, () => opened, 1);
    dispatcher.add(here);
    await add(CRM, 'first');
    await waitUntil(() => here.taken.length === 1);
    const [, elsewhere] = await openAnother();
    const there = consume(CRM);
    elsewhere.add(there);
    await listening(1);
    for (let round = 1; round <= 20; round++) {
      await add(CRM, `more-${round}`);
      await waitUntil(() => there.taken.length === round, { timeoutMs: PROMPTLY, everyMs: 1 });
    }
    expect(here.taken).toEqual(['first']);
    open(DONE);
  });

  it('that became full while this process waited for it is left to another one', async () => {
    let room = 1;
    const here = { ...consume(CRM), room: () => room };
    dispatcher.add(here);
    await listening(1);
    const [, elsewhere] = await openAnother();
    const there = consume(CRM);
    elsewhere.add(there);
    await listening(2);
    // The one that has listened longest is told of it.
    room = 0;
    await add(CRM, 'one');
    await waitUntil(() => there.taken.length === 1, { timeoutMs: PROMPTLY });
    expect(here.taken).toEqual([]);
  });

  it('may be added while others run, and its jobs are taken at once', async () => {
    dispatcher.add(consume(CRM));
    await add(CRM, 'first');
    for (const id of ids(30, 'crm')) {
      const consumer = consume(destinationQueue(id));
      dispatcher.add(consumer);
      await add(consumer.queue, 'early');
      await waitUntil(() => consumer.taken.length === 1, { everyMs: 1 });
      await add(consumer.queue, 'late');
      await waitUntil(() => consumer.taken.length === 2, { timeoutMs: PROMPTLY, everyMs: 1 });
    }
  });

  it('is heard of, whenever it is added: also in the instant when the read for the others is sent', async () => {
    for (let round = 0; round < 200; round++) {
      const first = consume(destinationQueue(`first-${round}`));
      const second = consume(destinationQueue(`second-${round}`));
      dispatcher.add(first);
      for (let turn = 0; turn < round % 12; turn++) await new Promise((resolve) => setImmediate(resolve));
      dispatcher.add(second);
      // Behind the look that adding takes at the queue.
      await store.redis.ping();
      await store.redis.ping();
      await add(second.queue, 'one');
      await waitUntil(() => second.taken.length === 1, { timeoutMs: PROMPTLY, everyMs: 1 });
      dispatcher.remove(first.queue);
      dispatcher.remove(second.queue);
    }
  });

  it('that is removed is left alone until it is added again', async () => {
    const first = consume(CRM);
    const other = consume(destinationQueue('other'));
    dispatcher.add(first);
    dispatcher.add(other);
    await add(CRM, 'one');
    await waitUntil(() => first.taken.length === 1);
    dispatcher.remove(CRM);
    dispatcher.remove(CRM);
    await add(CRM, 'two');
    await add(other.queue, 'x');
    await waitUntil(() => other.taken.length === 1);
    expect(first.taken).toEqual(['one']);
    expect(await counts(CRM)).toEqual({ ...EMPTY, waiting: 1 });
    const second = consume(CRM);
    dispatcher.add(second);
    await waitUntil(() => second.taken.length === 1);
    expect([first.taken, second.taken]).toEqual([['one'], ['two']]);
  });

  it('that is removed lets what was taken end', async () => {
    const { opened, open } = gate();
    const consumer = consume(CRM, () => opened);
    dispatcher.add(consumer);
    await add(CRM, 'one');
    await waitUntil(() => consumer.taken.length === 1);
    dispatcher.remove(CRM);
    open(DONE);
    await waitUntil(async () => (await counts(CRM))['active'] === 0);
    expect(await counts(CRM)).toEqual(EMPTY);
  });

  it('has one consumer in a process', async () => {
    await dispatcher.add(consume(CRM));
    await expect(dispatcher.add(consume(CRM))).rejects.toThrow('the queue crm has a consumer already');
  });

  it('leaves nothing in Redis but its own few keys', async () => {
    const consumer = consume(CRM);
    dispatcher.add(consumer);
    await add(CRM, ...ids(300));
    await waitUntil(() => consumer.taken.length === 300);
    await waitUntil(async () => (await counts(CRM))['active'] === 0);
    const keys = await store.redis.keys('*');
    expect(keys.filter((key) => key.includes('job-'))).toEqual([]);
    expect(keys.length).toBeLessThan(8);
    expect(await store.redis.xlen(`${CRM.prefix}:crm:events`)).toBeLessThan(5);
  });
});

describe('a delayed job', () => {
  it('comes when it is due', async () => {
    const dueAt = new Map<string, { at: number; fair: number }>();
    const late: number[] = [];
    const fairlyLate: number[] = [];
    dispatcher.add(
      consume(CRM, ({ id }) => {
        const due = dueAt.get(id) as { at: number; fair: number };
        late.push(Date.now() - due.at);
        fairlyLate.push(fairNow() - due.fair);
        return DONE;
      }),
    );
    const delays = [700, 50, 400, 400, 120, 900, 60, 333, 801, 250, 1, 640, 510, 180, 95];
    for (const [index, delay] of delays.entries()) {
      dueAt.set(`job-${index}`, { at: Date.now() + delay, fair: fairNow() + delay });
      await addDelayed(CRM, delay, `job-${index}`);
    }
    await waitUntil(() => late.length === delays.length);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    fairlyLate.sort((a, b) => a - b);
    expect(fairlyLate[7]).toBeLessThan(500);
    expect(fairlyLate.at(-1)).toBeLessThan(PROMPTLY);
  });

  it.each([
    ['before', [300, 60_000]],
    ['after', [60_000, 300]],
  ])('is not held up by one that is due much later and was added %s it', async (_, delays) => {
    const consumer = consume(CRM);
    dispatcher.add(consumer);
    for (const delay of delays) await addDelayed(CRM, delay, `in-${delay}`);
    await waitUntil(() => consumer.taken.length === 1, { timeoutMs: 300 + PROMPTLY });
    expect(consumer.taken).toEqual(['in-300']);
    // The other one has its timer again.
    await addDelayed(CRM, 200, 'in-200');
    await waitUntil(() => consumer.taken.length === 2, { timeoutMs: PROMPTLY });
  });

  it('that was added before anyone listened comes when it is due', async () => {
    const addedAt = Date.now();
    await addDelayed(CRM, 400, 'one');
    const consumer = consume(CRM);
    dispatcher.add(consumer);
    await waitUntil(() => consumer.taken.length === 1, { timeoutMs: 400 + PROMPTLY });
    expect(Date.now() - addedAt).toBeGreaterThanOrEqual(400);
  });

  it('whose time this process waits for comes to another one when it is full by then', async () => {
    let room = 1;
    const here = { ...consume(CRM), room: () => room };
    dispatcher.add(here);
    await listening(1);
    const [, elsewhere] = await openAnother();
    const there = consume(CRM);
    elsewhere.add(there);
    await listening(2);
    // The one that has listened longest is told of it.
    await addDelayed(CRM, 1_500, 'later');
    await waitUntil(async () => (await store.redis.exists(markerKey(CRM))) === 0);
    room = 0;
    await waitUntil(() => there.taken.length === 1, { timeoutMs: 1_500 + PROMPTLY });
    expect(here.taken).toEqual([]);
  });

  it('of a destination that is full here comes to another process when it is due', async () => {
    const { opened, open } = gate();
    const here = consume(CRM, () => opened, 1);
    dispatcher.add(here);
    await add(CRM, 'first');
    await waitUntil(() => here.taken.length === 1);
    const [, elsewhere] = await openAnother();
    const there = consume(CRM);
    elsewhere.add(there);
    await listening(1);
    await addDelayed(CRM, 300, 'later');
    await waitUntil(() => there.taken.length === 1, { timeoutMs: 300 + PROMPTLY });
    open(DONE);
  });
});

describe('a job that was', () => {
  const settle = async (settlement: Settlement | (() => Settlement)) => {
    const consumer = consume(CRM, () => (typeof settlement === 'function' ? settlement() : settlement));
    dispatcher.add(consumer);
    await add(CRM, 'one');
    await waitUntil(async () => consumer.taken.length === 1 && (await counts(CRM))['active'] === 0);
    const job = await store.queue(CRM).getJob('one');
    return { consumer, job, state: await job?.getState() };
  };

  it('done is gone', async () => {
    expect(await settle(DONE)).toMatchObject({ job: undefined });
    expect(await counts(CRM)).toEqual(EMPTY);
  });

  it('to be retried waits for its time, counts as an attempt and has its reason', async () => {
    const { job, state } = await settle({ kind: 'retry', delayMs: 60_000, reason: 'answered 503' });
    expect([state, job?.attemptsMade, job?.delay, job?.failedReason]).toEqual(['delayed', 1, 60_000, 'answered 503']);
    expect(await store.redis.hget(`${CRM.prefix}:crm:one`, 'stacktrace')).toBeNull();
  });

  it('postponed waits for its time and counts for nothing', async () => {
    const { job, state } = await settle({ kind: 'postpone', delayMs: 60_000 });
    expect([state, job?.attemptsMade, job?.delay]).toEqual(['delayed', 0, 60_000]);
  });

  it('given up is a failed job with its reason, and stays', async () => {
    const { consumer, job, state } = await settle({ kind: 'dead', reason: 'answered 400' });
    expect([state, job?.attemptsMade, job?.failedReason]).toEqual(['failed', 1, 'answered 400']);
    expect(job?.stacktrace).toEqual([]);
    expect(consumer.taken).toEqual(['one']);
  });

  it('retried comes with the number of its attempts; postponing adds none', async () => {
    const seen: number[] = [];
    const settlements: Settlement[] = [
      { kind: 'retry', delayMs: 0, reason: 'first' },
      { kind: 'postpone', delayMs: 0 },
      { kind: 'retry', delayMs: 20, reason: 'second' },
      DONE,
    ];
    dispatcher.add(
      consume(CRM, ({ attemptsMade }) => {
        seen.push(attemptsMade);
        return settlements[seen.length - 1] as Settlement;
      }),
    );
    await add(CRM, 'one');
    await waitUntil(() => seen.length === 4);
    expect(seen).toEqual([0, 1, 1, 2]);
    await waitUntil(async () => (await counts(CRM))['active'] === 0);
    expect(await counts(CRM)).toEqual(EMPTY);
  });

  it('thrown at comes back in about a second, counts for nothing, and the error is told', async () => {
    const at: number[] = [];
    const fairlyAt: number[] = [];
    const consumer = consume(CRM, ({ attemptsMade }) => {
      at.push(Date.now());
      fairlyAt.push(fairNow());
      expect(attemptsMade).toBe(0);
      if (at.length === 1) throw new Error('no');
      return DONE;
    });
    dispatcher.add(consumer);
    await add(CRM, 'one');
    await waitUntil(() => at.length === 2);
    expect((at[1] as number) - (at[0] as number)).toBeGreaterThanOrEqual(1_000);
    expect((fairlyAt[1] as number) - (fairlyAt[0] as number)).toBeLessThan(1_000 + PROMPTLY);
    expect(errors).toEqual([new Error('no')]);
  });

  it('taken has its data', async () => {
    const data: unknown[] = [];
    dispatcher.add(
      consume(CRM, (job) => {
        data.push(job.data);
        return DONE;
      }),
    );
    await addJobs(store, CRM, [{ data: { a: 1, x: 'é😀' } }, { data: {} }]);
    await waitUntil(() => data.length === 2);
    expect(data).toEqual([{ a: 1, x: 'é😀' }, {}]);
  });
});

describe('a dispatcher that closes', () => {
  it('waits for what is running, and takes nothing more', async () => {
    const { opened, open } = gate();
    const consumer = consume(CRM, () => opened, 2);
    dispatcher.add(consumer);
    await add(CRM, ...ids(5));
    await waitUntil(() => consumer.taken.length === 2);
    let isClosed = false;
    const closed = dispatcher.close(10_000).then(() => {
      isClosed = true;
    });
    await store.redis.ping();
    expect(isClosed).toBe(false);
    open(DONE);
    await closed;
    expect(consumer.running).toBe(0);
    expect(consumer.taken).toEqual(['job-0', 'job-1']);
    expect(await counts(CRM)).toEqual({ ...EMPTY, waiting: 3 });
  });

  it('waits no longer than its grace', async () => {
    const { opened, open } = gate();
    const consumer = consume(CRM, () => opened);
    dispatcher.add(consumer);
    await add(CRM, 'one');
    await waitUntil(() => consumer.taken.length === 1);
    const closedAt = performance.now();
    const fairlyClosedAt = fairNow();
    await dispatcher.close(200);
    expect(performance.now() - closedAt).toBeGreaterThanOrEqual(195);
    expect(fairNow() - fairlyClosedAt).toBeLessThan(PROMPTLY);
    open(DONE);
    await waitUntil(() => consumer.running === 0);
  });

  it('leaves what comes meanwhile to another process', async () => {
    const { opened, open } = gate();
    const here = consume(CRM, () => opened);
    dispatcher.add(here);
    await add(CRM, 'one');
    await waitUntil(() => here.taken.length === 1);
    const [, elsewhere] = await openAnother();
    const there = consume(CRM);
    elsewhere.add(there);
    await listening(2);
    const closed = dispatcher.close(10_000);
    for (let round = 1; round <= 10; round++) {
      await add(CRM, `more-${round}`);
      await waitUntil(() => there.taken.length === round, { timeoutMs: PROMPTLY, everyMs: 1 });
    }
    open(DONE);
    await closed;
    expect(here.taken).toEqual(['one']);
  });

  it('in the middle of taking leaves nothing taken that nobody runs, and runs nothing afterwards', async () => {
    for (let round = 0; round < 30; round++) {
      const [, another] = await openAnother();
      const consumer = consume(CRM, () => nap(30), 1 + (round % 5));
      await add(CRM, ...ids(10, `round-${round}`));
      another.add(consumer);
      for (let turn = 0; turn < round % 10; turn++) await store.redis.ping();
      await another.close(5_000);
      const taken = consumer.taken.length;
      expect(consumer.running).toBe(0);
      await store.redis.ping();
      expect((await counts(CRM))['active']).toBe(0);
      expect(consumer.taken.length).toBe(taken);
    }
    expect(errors).toEqual([]);
  });

  it('does so within its grace while Redis is down', async () => {
    const other = await startRedis();
    const own = await openStore({ redisUrl: other.url, role: 'consumer' });
    const taking = createDispatcher(own, { onError: () => {} });
    const { opened, open } = gate();
    const consumer = consume(CRM, () => opened);
    taking.add(consumer);
    await addJobs(own, CRM, [{ data: {} }]);
    await waitUntil(() => consumer.taken.length === 1);
    await other.kill('SIGKILL');
    await waitUntil(() => own.redis.status === 'reconnecting');
    // Its job cannot be settled.
    open(DONE);
    const closedAt = fairNow();
    await taking.close(300);
    await own.close();
    expect(fairNow() - closedAt).toBeLessThan(PROMPTLY);
    await other.stop();
  });

  it('lets the process end', async () => {
    await add(CRM, 'one');
    await addDelayed(CRM, 3_600_000, 'much-later');
    const program = await startProgram({
      args: [fileURLToPath(new URL('../../test/worker-process.ts', import.meta.url)), redis.url, 'crm', 'once'],
      readyOutput: /ready/,
    });
    await program.waitForOutput(/closed/);
    const closedAt = fairNow();
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(fairNow() - closedAt).toBeLessThan(PROMPTLY);
    expect(program.stdout()).toBe('ready\ntook one\nclosed\n');
  });
});

describe('a queue that is taken from promptly', () => {
  const prompt = (...of: Parameters<typeof consume>) => Object.assign(consume(...of), { isPrompt: true });

  it('gives each job once, to one process or to several', async () => {
    const [, elsewhere] = await openAnother();
    const consumers = [dispatcher, elsewhere].flatMap((taking) =>
      [CRM, destinationQueue('archive')].map((queue) => {
        const consumer = prompt(queue, () => nap(2), 5);
        taking.add(consumer);
        return consumer;
      }),
    );
    for (let round = 0; round < 40; round++) {
      await add(CRM, ...ids(5, `crm-${round}`));
      await add(destinationQueue('archive'), `archive-${round}`);
    }
    await waitUntil(async () => (await counts(CRM))['waiting'] === 0 && (await counts(CRM))['active'] === 0);
    await waitUntil(() => consumers.flatMap(({ taken }) => taken).length >= 240);
    const expected = ids(40).flatMap((_, round) => [...ids(5, `crm-${round}`), `archive-${round}`]);
    expect(consumers.flatMap(({ taken }) => taken).sort()).toEqual(expected.sort());
    expect(errors).toEqual([]);
  });

  it('gives a lone job at once, time after time', async () => {
    const consumer = prompt(CRM);
    dispatcher.add(consumer);
    dispatcher.add(prompt(destinationQueue('idle')));
    dispatcher.add(consume(destinationQueue('other')));
    const waits: number[] = [];
    for (let round = 1; round <= 100; round++) {
      const addedAt = fairNow();
      await add(CRM, `job-${round}`);
      await waitUntil(() => consumer.taken.length === round, { everyMs: 1 });
      waits.push(fairNow() - addedAt);
    }
    waits.sort((a, b) => a - b);
    expect(waits[50]).toBeLessThan(500);
    expect(waits[99]).toBeLessThan(PROMPTLY);
  });

  it.each([1, 3])('never has more than its %i jobs under way', async (limit) => {
    const pauses = pausesOf(() => nap(5));
    const consumer = prompt(CRM, pauses.run, limit);
    dispatcher.add(consumer);
    dispatcher.add(consume(destinationQueue('idle')));
    await add(CRM, ...ids(150));
    await waitUntil(() => consumer.taken.length === 150);
    expect(pauses.longest()).toBeLessThan(PROMPTLY);
    expect([...consumer.taken].sort()).toEqual(ids(150).sort());
    expect(consumer.peak).toBeLessThanOrEqual(limit);
  });

  it('gives its delayed jobs when they are due', async () => {
    const consumer = prompt(CRM);
    dispatcher.add(consumer);
    await addJobs(store, CRM, [
      { data: {}, options: { jobId: 'in-1500', delay: 1_500 } },
      { data: {}, options: { jobId: 'in-1000', delay: 1_000 } },
      { data: {}, options: { jobId: 'now' } },
    ]);
    await waitUntil(() => consumer.taken.length === 3, { timeoutMs: 1_500 + PROMPTLY });
    expect(consumer.taken).toEqual(['now', 'in-1000', 'in-1500']);
  });

  it('is left to another process by one that is full, and by one that closes', async () => {
    const { opened, open } = gate();
    const here = prompt(CRM, () => opened, 1);
    dispatcher.add(here);
    await add(CRM, 'first');
    await waitUntil(() => here.taken.length === 1);
    const [, elsewhere] = await openAnother();
    const there = prompt(CRM);
    elsewhere.add(there);
    await listening(1);
    for (let round = 1; round <= 10; round++) {
      await add(CRM, `more-${round}`);
      await waitUntil(() => there.taken.length + here.taken.length === round + 1, { timeoutMs: PROMPTLY, everyMs: 1 });
    }
    const closed = dispatcher.close(10_000);
    for (let round = 11; round <= 20; round++) {
      await add(CRM, `more-${round}`);
      await waitUntil(() => there.taken.length + here.taken.length === round + 1, { timeoutMs: PROMPTLY, everyMs: 1 });
    }
    open(DONE);
    await closed;
    expect(here.taken).toEqual(['first']);
  });

  it('leaves nothing taken behind when it closes, nor runs anything afterwards', async () => {
    for (let round = 0; round < 20; round++) {
      const [, another] = await openAnother();
      const consumer = prompt(CRM, () => nap(30), 1 + (round % 5));
      await add(CRM, ...ids(10, `round-${round}`));
      another.add(consumer);
      for (let turn = 0; turn < round % 10; turn++) await store.redis.ping();
      await another.close(5_000);
      const taken = consumer.taken.length;
      expect(consumer.running).toBe(0);
      await store.redis.ping();
      expect((await counts(CRM))['active']).toBe(0);
      expect(consumer.taken.length).toBe(taken);
    }
    expect(errors).toEqual([]);
  });

  it('is closed within its grace while Redis is down, also when that never was up', async () => {
    const other = await startRedis();
    for (const isUpFirst of [true, false]) {
      const own = await openStore({ redisUrl: other.url, role: 'consumer' });
      const taking = createDispatcher(own, { onError: () => {} });
      const consumer = prompt(CRM);
      taking.add(consumer);
      if (isUpFirst) {
        await addJobs(own, CRM, [{ data: {} }]);
        await waitUntil(() => consumer.taken.length === 1);
        await other.kill('SIGKILL');
      }
      await waitUntil(() => own.redis.status === 'reconnecting');
      const closedAt = fairNow();
      await taking.close(300);
      await own.close();
      expect(fairNow() - closedAt).toBeLessThan(PROMPTLY);
    }
    await other.stop();
  });

  it('goes on when Redis restarts', async () => {
    const consumer = prompt(CRM);
    dispatcher.add(consumer);
    await add(CRM, 'before');
    await waitUntil(() => consumer.taken.length === 1);
    await redis.restart();
    await add(CRM, 'after');
    await waitUntil(() => consumer.taken.length === 2, { timeoutMs: PROMPTLY });
    await add(CRM, 'later');
    await waitUntil(() => consumer.taken.length === 3, { timeoutMs: PROMPTLY });
    await waitUntil(async () => (await counts(CRM))['active'] === 0);
    expect(await counts(CRM)).toEqual(EMPTY);
  });
});

describe('when Redis restarts', () => {
  it('taking goes on, and what was running is settled', async () => {
    const { opened, open } = gate();
    const slow = consume(destinationQueue('slow'), () => opened);
    const consumer = consume(CRM);
    dispatcher.add(slow);
    dispatcher.add(consumer);
    await add(CRM, 'before');
    await add(slow.queue, 'running');
    await waitUntil(() => consumer.taken.length === 1 && slow.taken.length === 1);
    await waitUntil(async () => (await counts(CRM))['active'] === 0);

    await redis.kill('SIGKILL');
    open(DONE);
    await redis.restart();

    await add(CRM, 'after');
    await waitUntil(() => consumer.taken.length === 2, { timeoutMs: PROMPTLY });
    await waitUntil(async () => (await counts(slow.queue))['active'] === 0);
    expect(await counts(slow.queue)).toEqual(EMPTY);
    await add(CRM, 'later');
    await waitUntil(() => consumer.taken.length === 3, { timeoutMs: PROMPTLY });
    expect([consumer.taken, slow.taken]).toEqual([['before', 'after', 'later'], ['running']]);
  });
});

it('a marker names the queue that BullMQ writes it for', async () => {
  await add(CRM, 'one');
  expect(await store.redis.zrange(markerKey(CRM), '0', '-1', 'WITHSCORES')).toEqual(['0', '0']);
});
