import { fairNow, startRedis, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import {
  CRM,
  consume,
  consumePromptly,
  DONE,
  EMPTY,
  gate,
  ids,
  nap,
  PROMPTLY,
  pausesOf,
  useDispatcher,
} from '../../test/use-dispatcher.ts';
import { destinationQueue } from '../redis/names.ts';
import { addJobs } from './add-jobs.ts';
import { createDispatcher } from './dispatcher.ts';

/* What holds for every queue, taken from promptly or not. */

const test = useDispatcher();
const { add, counts, listening, nothingIsActive, openAnother, openStore, redis, store } = test;

describe.each([
  ['as most are', { take: consume, isPrompt: false }],
  ['promptly', { take: consumePromptly, isPrompt: true }],
])('a queue that is taken from %s', (_, { take, isPrompt }) => {
  it('gives each job once, to one process or to several', async () => {
    const elsewhere = await openAnother();
    const consumers = [test.dispatcher, elsewhere].flatMap((taking) =>
      [CRM, destinationQueue('archive')].map((queue) => {
        const consumer = take(queue, () => nap(2), 5);
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
    expect(test.errors).toEqual([]);
  });

  it('gives a lone job at once, time after time', async () => {
    const consumer = take(CRM);
    test.dispatcher.add(consumer);
    test.dispatcher.add(take(destinationQueue('idle')));
    test.dispatcher.add(consume(destinationQueue('other')));
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

  it('gives its delayed jobs when they are due', async () => {
    const consumer = take(CRM);
    test.dispatcher.add(consumer);
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
    const here = take(CRM, () => opened, 1);
    test.dispatcher.add(here);
    await add(CRM, 'first');
    await waitUntil(() => here.taken.length === 1);
    const elsewhere = await openAnother();
    const there = take(CRM);
    elsewhere.add(there);
    await listening(1);
    for (let round = 1; round <= 10; round++) {
      await add(CRM, `more-${round}`);
      await waitUntil(() => there.taken.length + here.taken.length === round + 1, { timeoutMs: PROMPTLY, everyMs: 1 });
    }
    const closed = test.dispatcher.close(10_000);
    for (let round = 11; round <= 20; round++) {
      await add(CRM, `more-${round}`);
      await waitUntil(() => there.taken.length + here.taken.length === round + 1, { timeoutMs: PROMPTLY, everyMs: 1 });
    }
    open(DONE);
    await closed;
    expect(here.taken).toEqual(['first']);
  });

  it.each([1, 3, 17])('never has more than its %i jobs under way, and is emptied without a pause', async (limit) => {
    const pauses = pausesOf(() => nap(5));
    const consumer = take(CRM, pauses.run, limit);
    test.dispatcher.add(consumer);
    test.dispatcher.add(consume(destinationQueue('idle')));
    await add(CRM, ...ids(150));
    await waitUntil(() => consumer.taken.length === 150);
    // A turn that is missed shows as a pause of seconds.
    expect(pauses.longest()).toBeLessThan(PROMPTLY);
    if (isPrompt) {
      // A prompt take and one of a batch may overtake one another.
      expect(consumer.taken.toSorted()).toEqual(ids(150).toSorted());
      expect(consumer.peak).toBeLessThanOrEqual(limit);
    } else {
      expect(consumer.taken).toEqual(ids(150));
      expect(consumer.peak).toBe(limit);
    }
  });

  it('leaves nothing taken behind that nobody runs when it closes in the middle of taking, and runs nothing afterwards', async () => {
    for (let round = 0; round < 30; round++) {
      const another = await openAnother();
      const consumer = take(CRM, () => nap(30), 1 + (round % 5));
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
    expect(test.errors).toEqual([]);
  });

  it('is closed within its grace while Redis is down and a job cannot be settled', async () => {
    const other = await startRedis();
    const own = await openStore({ redisUrl: other.url });
    const taking = createDispatcher(own, { onError: () => {} });
    const { opened, open } = gate();
    const consumer = take(CRM, () => opened);
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

  it('is closed within its grace while Redis is down, also when that never was up', async () => {
    const other = await startRedis();
    for (const isUpFirst of [true, false]) {
      const own = await openStore({ redisUrl: other.url });
      const taking = createDispatcher(own, { onError: () => {} });
      const consumer = take(CRM);
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

  it('goes on when Redis is killed and restarts, and what was running is settled', async () => {
    const { opened, open } = gate();
    const slow = take(destinationQueue('slow'), () => opened);
    const consumer = take(CRM);
    test.dispatcher.add(slow);
    test.dispatcher.add(consumer);
    await add(CRM, 'before');
    await add(slow.queue, 'running');
    await waitUntil(() => consumer.taken.length === 1 && slow.taken.length === 1);
    await nothingIsActive(CRM);

    await redis.kill('SIGKILL');
    open(DONE);
    await redis.restart();

    await add(CRM, 'after');
    await waitUntil(() => consumer.taken.length === 2, { timeoutMs: PROMPTLY });
    await nothingIsActive(slow.queue);
    expect(await counts(slow.queue)).toEqual(EMPTY);
    await add(CRM, 'later');
    await waitUntil(() => consumer.taken.length === 3, { timeoutMs: PROMPTLY });
    expect([consumer.taken, slow.taken]).toEqual([['before', 'after', 'later'], ['running']]);
  });

  it('goes on when Redis restarts', async () => {
    const consumer = take(CRM);
    test.dispatcher.add(consumer);
    await add(CRM, 'before');
    await waitUntil(() => consumer.taken.length === 1);
    await redis.restart();
    await add(CRM, 'after');
    await waitUntil(() => consumer.taken.length === 2, { timeoutMs: PROMPTLY });
    await add(CRM, 'later');
    await waitUntil(() => consumer.taken.length === 3, { timeoutMs: PROMPTLY });
    await nothingIsActive(CRM);
    expect(await counts(CRM)).toEqual(EMPTY);
  });
});
