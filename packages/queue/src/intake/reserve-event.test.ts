import { type LoggedEvent, parseCallback, splitCallback } from '@clickrelay/core';
import { type Envelope, sampleCallback } from '@clickrelay/simulator';
import { type RedisServer, startFaultProxy, startRedis } from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RECEIVED_AT } from '../../test/sample-events.ts';
import { readIntake, sumIntake } from '../counts/intake-counts.ts';
import { putDestination } from '../destinations/destinations.ts';
import { noteOf } from '../jobs/add-noted.ts';
import { createEventLog, type EventLog } from '../log/append.ts';
import { listEvents } from '../log/list-events.ts';
import { claimOf, ingestQueue } from '../redis/names.ts';
import { openStore, type Store } from '../redis/store.ts';
import { TEST_MESSAGE } from './announce-test.ts';
import { createCommitter } from './commit.ts';
import type { IngestGroup } from './ingest-group.ts';
import { reservationOf, shareDedupe } from './reserve-event.ts';

const TTL_MS = 72 * 3_600_000;
const QUEUE = ingestQueue('messages');
const META = `${QUEUE.prefix}:${QUEUE.name}:meta`;

let redis: RedisServer;
let store: Store;
let log: EventLog;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  store = await openStore({ redisUrl: redis.url, role: 'consumer' });
  await store.redis.flushall();
  await store.ready();
  await shareDedupe(store, TTL_MS);
  log = createEventLog(store, { dedupeTtlMs: TTL_MS });
});
afterEach(() => store.close());

const commit = async (envelopes: readonly Envelope[], to = store): Promise<void> => {
  const committer = createCommitter(to, { deadlineMs: 30_000 });
  const callbacks = envelopes.map((envelope) => parseCallback(Buffer.from(JSON.stringify(envelope))));
  await Promise.all(callbacks.map((callback) => committer.commit(callback, RECEIVED_AT)));
};

const jobs = () => store.queue(QUEUE).getJobs(['waiting'], 0, -1, true);
const reservations = async () => (await jobs()).map((job) => reservationOf({ note: noteOf(job) }));
/** The claim of the only job that waits. */
const claim = async (): Promise<string> => {
  const [job, ...others] = await jobs();
  expect(others).toEqual([]);
  return claimOf(QUEUE, job?.id ?? 'no job');
};
/** Takes away what waits, as a worker does. */
const takeAll = () => store.queue(QUEUE).drain();
const append = (by: string, callback: Envelope) => {
  const [logged] = splitCallback(JSON.stringify(callback), RECEIVED_AT) as [LoggedEvent];
  return log.append(by, [{ ...logged, counted: { callbacks: 1, repeats: 0, ownRepeats: 0 } }], Date.now());
};
const counted = async () => sumIntake(await readIntake(store, {}, Date.now())).messages;

describe('the event of a callback that comes alone, with no other event', () => {
  it('is reserved for its job, which is told so', async () => {
    const callback = sampleCallback('moText');
    await commit([callback]);
    const [job] = await jobs();
    const text = JSON.stringify(callback);
    expect((job?.data as IngestGroup | undefined)?.callbacks).toEqual([{ receivedAt: RECEIVED_AT, text }]);
    expect(await reservations()).toEqual([{ version: null }]);
    expect((await listEvents(store, { limit: 1 })).items).toEqual([]);
  });

  it('comes with how far the registry was', async () => {
    await putDestination(store, { id: 'crm', type: 'webhook', events: ['*'], paused: null, config: {} });
    await commit([sampleCallback('moText')]);
    expect(await reservations()).toEqual([{ version: '1' }]);
  });

  it.each([
    ['', () => sampleCallback('moText')],
    [', also when parsing changes its numbers', () => sampleCallback('moText', { timestamp: 1e300 })],
  ])('is new to the log under its own claim, once, and seen under any other%s', async (_, sample) => {
    const callback = sample();
    await commit([callback]);
    expect(await append('m00other', callback)).toEqual(['seen']);
    expect(await append(await claim(), callback)).toEqual(['new']);
    expect(await append(await claim(), callback)).toEqual(['claimed']);
    expect(await counted()).toEqual({ callbacks: 2, events: 1, repeats: 1 });
  });

  it('is not reserved again when it comes again, before it was logged and after', async () => {
    const callback = sampleCallback('moText');
    await commit([callback]);
    const first = await claim();
    await takeAll();
    await commit([callback]);
    expect(await reservations()).toEqual([undefined]);
    expect(await append(await claim(), callback)).toEqual(['seen']);
    expect(await append(first, callback)).toEqual(['new']);
    await takeAll();
    await commit([callback]);
    expect(await reservations()).toEqual([undefined]);
  });

  it('is reserved for as long as the worker says by now, from the second callback on', async () => {
    await commit([sampleCallback('moText')]);
    await takeAll();
    await shareDedupe(store, TTL_MS / 2);
    await commit([sampleCallback('moText')]);
    expect(await reservations()).toEqual([undefined]);
    await takeAll();
    const callback = sampleCallback('moText');
    await commit([callback]);
    expect(await reservations()).toEqual([{ version: null }]);
    log = createEventLog(store, { dedupeTtlMs: TTL_MS / 2 });
    expect(await append('m00other', callback)).toEqual(['seen']);
  });

  it('is not reserved without its job', async () => {
    const callback = sampleCallback('moText');
    // One that waits, as it should be, and BullMQ's script fails on this.
    await store.queue(QUEUE).add('', { callbacks: [] });
    const meta = await store.redis.hgetall(META);
    await store.redis.set(META, 'of another type');
    await expect(commit([callback])).rejects.toMatchObject({ code: 'queue_unavailable' });
    await store.redis.del(META);
    await store.redis.hset(META, { ...meta, any: '1' });
    await takeAll();
    await commit([callback]);
    expect(await reservations()).toEqual([{ version: null }]);
  });

  it('is never reserved for nobody, wherever the connection breaks', async () => {
    const proxy = await startFaultProxy(redis.port);
    const producer = await openStore({ redisUrl: proxy.url, role: 'producer' });
    await producer.ready();
    await commit([sampleCallback('moText')], producer);
    await takeAll();
    for (const moment of ['before', 'inside', 'after'] as const) {
      for (const command of [1, 2]) {
        const cut = proxy.cutAt({ command, moment, names: ['EVALSHA', 'EVAL'] });
        const callback = sampleCallback('moText');
        const isCommitted = await commit([callback], producer).then(
          () => true,
          () => false,
        );
        expect(cut.happened).toBe(true);
        if ((await jobs()).length > 0) expect(await append(await claim(), callback)).toEqual(['new']);
        else {
          expect(isCommitted).toBe(false);
          expect(await append('m00resent', callback)).toEqual(['new']);
        }
        await takeAll();
      }
    }
    await producer.close();
    await proxy.close();
  });
});

describe('left to the worker is the event of', () => {
  const twoEvents = (): Envelope => {
    const { event, ...rest } = sampleCallback('moText');
    const [element] = event['moText'] as [object];
    return { ...rest, event: { moText: [element, { ...element, content: 'another' }] } };
  };
  const twoTypes = (): Envelope => {
    const { event, ...rest } = sampleCallback('moText');
    return { ...rest, event: { ...event, ...sampleCallback('moMedia').event } };
  };

  it.each([
    ['a callback with two events', () => [twoEvents()]],
    ['a callback with events of two types', () => [twoTypes()]],
    ['a callback without arrays', () => [{ ...sampleCallback('moText'), event: {} }]],
    ['a callback without events', () => [{ ...sampleCallback('moText'), event: { moText: [] } }]],
    ['a status', () => [sampleCallback('messageStatusUpdate')]],
    ['a callback that comes with others', () => [sampleCallback('moText'), sampleCallback('moText')]],
    ['a test callback', () => [sampleCallback('moText', { messageId: `${TEST_MESSAGE}1` })]],
  ])('%s', async (_, callbacks) => {
    await commit(callbacks());
    for (const lane of ['messages', 'statuses'] as const) {
      const waiting = await store.queue(ingestQueue(lane)).getJobs(['waiting']);
      for (const job of waiting) expect(noteOf(job)).toBeUndefined();
    }
    expect(await store.redis.keys('*seen*')).toEqual([]);
  });

  it('a callback that comes while others wait for a worker', async () => {
    await commit([sampleCallback('moText')]);
    await commit([sampleCallback('moText')]);
    expect(await reservations()).toEqual([{ version: null }, undefined]);
  });

  it('every callback, while no worker was ever there to say how long an event is known', async () => {
    await store.redis.flushall();
    await commit([sampleCallback('moText')]);
    expect(await reservations()).toEqual([undefined]);
  });
});
