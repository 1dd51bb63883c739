import { fairNow, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { CRM, consume, DONE, EMPTY, gate, ids, PROMPTLY, useDispatcher } from '../../test/use-dispatcher.ts';
import { destinationQueue } from '../redis/names.ts';
import { markerKey } from './keys.ts';

const test = useDispatcher();
const { add, counts, listening, nothingIsActive, openAnother, store } = test;

describe('jobs of many queues', () => {
  it('are taken with one connection that blocks, and one that does not', async () => {
    const queues = ids(40, 'crm').map(destinationQueue);
    const consumers = queues.map((queue) => consume(queue));
    for (const consumer of consumers) test.dispatcher.add(consumer);
    await Promise.all(queues.map((queue) => add(queue, ...ids(5))));
    await waitUntil(() => consumers.every(({ taken }) => taken.length === 5));
    for (const { taken } of consumers) expect(taken).toEqual(ids(5));
    const clients = String(await store.redis.client('LIST'))
      .trim()
      .split('\n');
    expect(clients).toHaveLength(2);
    expect(clients.filter((client) => client.includes('name=clickrelay-dispatcher'))).toHaveLength(1);
    for (const queue of queues) await nothingIsActive(queue);
    expect(test.errors).toEqual([]);
  });

  it('are taken at once when they come to an idle queue', async () => {
    const consumers = ids(10, 'crm').map((id) => consume(destinationQueue(id)));
    for (const consumer of consumers) test.dispatcher.add(consumer);
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
    test.dispatcher.add(busy);
    test.dispatcher.add(quiet);
    await add(busy.queue, ...ids(20));
    await waitUntil(() => busy.taken.length > 100);
    await add(quiet.queue, 'one');
    await waitUntil(() => quiet.taken.length === 1, { timeoutMs: PROMPTLY, everyMs: 1 });
    test.dispatcher.remove(busy.queue);
  });
});

describe('a queue', () => {
  it('is emptied in the order of adding', async () => {
    await add(CRM, ...ids(100, 'before'));
    const consumer = consume(CRM);
    test.dispatcher.add(consumer);
    await add(CRM, ...ids(100, 'after'));
    await waitUntil(() => consumer.taken.length === 200);
    expect(consumer.taken).toEqual([...ids(100, 'before'), ...ids(100, 'after')]);
    await nothingIsActive(CRM);
    expect(await counts(CRM)).toEqual(EMPTY);
  });

  it('that was full is looked at as soon as its consumer says that there is room', async () => {
    let room = 0;
    const consumer = { ...consume(CRM), room: () => room };
    test.dispatcher.add(consumer);
    await add(CRM, 'one');
    // Long enough for the dispatcher to have passed it over.
    await add(destinationQueue('other'), 'x');
    const other = consume(destinationQueue('other'));
    test.dispatcher.add(other);
    await waitUntil(() => other.taken.length === 1);
    expect(consumer.taken).toEqual([]);
    room = 1;
    test.dispatcher.poke(CRM);
    await waitUntil(() => consumer.taken.length === 1, { timeoutMs: PROMPTLY });
  });

  it('that is full here is left to another process', async () => {
    const { opened, open } = gate();
    const here = consume(CRM, () => opened, 1);
    test.dispatcher.add(here);
    await add(CRM, 'first');
    await waitUntil(() => here.taken.length === 1);
    const elsewhere = await openAnother();
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
    test.dispatcher.add(here);
    await listening(1);
    const elsewhere = await openAnother();
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
    test.dispatcher.add(consume(CRM));
    await add(CRM, 'first');
    for (const id of ids(30, 'crm')) {
      const consumer = consume(destinationQueue(id));
      test.dispatcher.add(consumer);
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
      test.dispatcher.add(first);
      for (let turn = 0; turn < round % 12; turn++) await new Promise((resolve) => setImmediate(resolve));
      test.dispatcher.add(second);
      // Behind the look that adding takes at the queue.
      await store.redis.ping();
      await store.redis.ping();
      await add(second.queue, 'one');
      await waitUntil(() => second.taken.length === 1, { timeoutMs: PROMPTLY, everyMs: 1 });
      test.dispatcher.remove(first.queue);
      test.dispatcher.remove(second.queue);
    }
  });

  it('that is removed is left alone until it is added again', async () => {
    const first = consume(CRM);
    const other = consume(destinationQueue('other'));
    test.dispatcher.add(first);
    test.dispatcher.add(other);
    await add(CRM, 'one');
    await waitUntil(() => first.taken.length === 1);
    test.dispatcher.remove(CRM);
    test.dispatcher.remove(CRM);
    await add(CRM, 'two');
    await add(other.queue, 'x');
    await waitUntil(() => other.taken.length === 1);
    expect(first.taken).toEqual(['one']);
    expect(await counts(CRM)).toEqual({ ...EMPTY, waiting: 1 });
    const second = consume(CRM);
    test.dispatcher.add(second);
    await waitUntil(() => second.taken.length === 1);
    expect([first.taken, second.taken]).toEqual([['one'], ['two']]);
  });

  it('that is removed lets what was taken end', async () => {
    const { opened, open } = gate();
    const consumer = consume(CRM, () => opened);
    test.dispatcher.add(consumer);
    await add(CRM, 'one');
    await waitUntil(() => consumer.taken.length === 1);
    test.dispatcher.remove(CRM);
    open(DONE);
    await nothingIsActive(CRM);
    expect(await counts(CRM)).toEqual(EMPTY);
  });

  it('has one consumer in a process', async () => {
    await test.dispatcher.add(consume(CRM));
    await expect(test.dispatcher.add(consume(CRM))).rejects.toThrow('the queue crm has a consumer already');
  });

  it('leaves nothing in Redis but its own few keys', async () => {
    const consumer = consume(CRM);
    test.dispatcher.add(consumer);
    await add(CRM, ...ids(300));
    await waitUntil(() => consumer.taken.length === 300);
    await nothingIsActive(CRM);
    const keys = await store.redis.keys('*');
    expect(keys.filter((key) => key.includes('job-'))).toEqual([]);
    expect(keys.length).toBeLessThan(8);
    expect(await store.redis.xlen(`${CRM.prefix}:crm:events`)).toBeLessThan(5);
  });
});

it('a marker names the queue that BullMQ writes it for', async () => {
  await add(CRM, 'one');
  expect(await store.redis.zrange(markerKey(CRM), '0', '-1', 'WITHSCORES')).toEqual(['0', '0']);
});
