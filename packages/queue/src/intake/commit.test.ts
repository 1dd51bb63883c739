import { parseCallback, QueueUnavailableError, splitCallback } from '@clickrelay/core';
import { freePort } from '@clickrelay/service/machine';
import { samples } from '@clickrelay/simulator';
import { fairNow, type RedisServer, startFaultProxy, startRedis, waitUntil } from '@clickrelay/testkit';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RECEIVED_AT } from '../../test/sample-events.ts';
import { createEventLog } from '../log/append.ts';
import { listEvents } from '../log/list-events.ts';
import { ingestQueue } from '../redis/names.ts';
import { openStore, type Store } from '../redis/store.ts';
import { type Committer, createCommitter } from './commit.ts';
import type { CommittedCallback, IngestGroup } from './ingest-group.ts';

type Lane = 'messages' | 'statuses';

let redis: RedisServer;
let store: Store;
let committer: Committer;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  store = await openStore({ redisUrl: redis.url, role: 'producer' });
  await store.ready();
  await store.redis.flushall();
  // Longer than a busy machine stands still; what is about the deadline has one of its own.
  committer = createCommitter(store, { deadlineMs: 30_000 });
});
afterEach(async () => {
  await committer.close();
  await store.close();
});

const commit = (text: string, lane: Lane = 'messages', to = committer) => to.commit({ text, lane }, RECEIVED_AT);

const readGroups = async (lane: Lane = 'messages', from = store): Promise<CommittedCallback[][]> => {
  const jobs = await from.queue(ingestQueue(lane)).getJobs(['waiting'], 0, -1, true);
  return jobs.map(({ data }) => [...(data as IngestGroup).callbacks]);
};

const readTexts = async (lane: Lane = 'messages', from = store): Promise<string[]> =>
  (await readGroups(lane, from)).flat().map(({ text }) => text);

/** Less than any deadline here, in ms of `fairNow`: what waits for one is not at once. */
const AT_ONCE = 1_000;
/** In ms of `fairNow`; a connection that is not given up in time is away for much longer. */
const SOON = 5_000;

/** How long a refusal took, in ms of `fairNow`; fails when it was none, or another. */
const refusedAfter = async (commitment: Promise<void>): Promise<number> => {
  const startedAt = fairNow();
  const error = await commitment.then(
    () => new Error('the commit was not refused'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(QueueUnavailableError);
  expect(error).toMatchObject({ code: 'queue_unavailable', status: 503, expose: true });
  return fairNow() - startedAt;
};

/** Commits again and again until it is taken; how long that took, in ms of `fairNow`. */
const takenAfter = async (attempt: () => Promise<void>): Promise<number> => {
  const startedAt = fairNow();
  await waitUntil(() =>
    attempt().then(
      () => true,
      () => false,
    ),
  );
  return fairNow() - startedAt;
};

describe('a committed callback', () => {
  it('lies in Redis with its text and its time', async () => {
    const text = '{"integrationId":12345678901234567890,\n"event":{"moText":[{"content":"é😀\\ud800"}]}}';
    await committer.commit(parseCallback(Buffer.from(text)), '2026-03-01T12:00:00.123Z');
    expect(await readGroups()).toEqual([[{ receivedAt: '2026-03-01T12:00:00.123Z', text }]]);
  });

  it('lies in its own lane', async () => {
    await Promise.all([commit('a message'), commit('a status', 'statuses')]);
    expect(await readTexts('messages')).toEqual(['a message']);
    expect(await readTexts('statuses')).toEqual(['a status']);
  });

  it('shares its write with those that came at the same time', async () => {
    const texts = Array.from({ length: 100 }, (_, index) => `callback ${index}`);
    await Promise.all(texts.map((text) => commit(text)));
    const groups = await readGroups();
    expect(groups.length).toBeLessThanOrEqual(3);
    expect(groups.flat().map(({ text }) => text)).toEqual(texts);
  });

  it('shares its write with at most 255 others, and 256 KB', async () => {
    const small = Array.from({ length: 1_000 }, (_, index) => `callback ${index}`);
    const large = Array.from({ length: 20 }, (_, index) => String(index % 10).repeat(50_000));
    const texts = [...small, ...large];
    await Promise.all(texts.map((text) => commit(text)));
    const groups = await readGroups();
    expect(groups.flat().map(({ text }) => text)).toEqual(texts);
    for (const group of groups) {
      expect(group.length).toBeLessThanOrEqual(256);
      const bytes = group.reduce((sum, { text }) => sum + text.length, 0);
      expect(group.length === 1 || bytes <= 256 * 1_024).toBe(true);
    }
  });

  it('has been written when `close` resolves', async () => {
    const texts = ['a', 'b', 'c'];
    const commits = texts.map((text) => commit(text));
    await committer.close();
    expect(await readTexts()).toEqual(texts);
    await Promise.all(commits);
  });
});

describe('an acknowledged callback', () => {
  it('is there after kill -9 of Redis under load', async () => {
    const seed = Math.floor(Math.random() * 1_000_000);
    const targets = fc.sample(fc.integer({ min: 1, max: 400 }), { seed, numRuns: 8 });
    const acknowledged = new Set<string>();
    const sent = new Set<string>();
    for (const [round, target] of targets.entries()) {
      let killed: Promise<void> | undefined;
      let ofRound = 0;
      const client = async (number: number): Promise<void> => {
        for (let i = 0; killed === undefined; i++) {
          const text = `${round}/${number}/${i}`;
          sent.add(text);
          try {
            await commit(text, i % 2 ? 'messages' : 'statuses');
          } catch (error) {
            expect(error).toBeInstanceOf(QueueUnavailableError);
            return;
          }
          acknowledged.add(text);
          if (++ofRound === target) killed = redis.kill('SIGKILL');
        }
      };
      await Promise.all(Array.from({ length: 32 }, (_, number) => client(number)));
      await killed;
      await redis.restart();
      await waitUntil(() => store.redis.status === 'ready');
    }
    const kept = new Set([...(await readTexts('messages')), ...(await readTexts('statuses'))]);
    const lost = [...acknowledged].filter((text) => !kept.has(text));
    console.log(
      `seed ${seed}: sent ${sent.size}, acknowledged ${acknowledged.size}, kept ${kept.size}, lost ${lost.length}`,
    );
    expect(lost).toEqual([]);
    expect([...kept].filter((text) => !sent.has(text))).toEqual([]);
  });
});

describe('while Redis does not answer', () => {
  it.each([1_500, 300])(
    'a commit is refused within its deadline of %i ms, and taken within a second after',
    async (deadlineMs) => {
      const impatient = createCommitter(store, { deadlineMs });
      await takenAfter(() => commit('before', 'messages', impatient));
      process.kill(redis.pid, 'SIGSTOP');
      try {
        const wave = () =>
          Promise.all(
            Array.from({ length: 100 }, (_, index) =>
              refusedAfter(commit(`while stopped ${index}`, index % 2 ? 'statuses' : 'messages', impatient)),
            ),
          );
        // The second comes while the write of the first has been given up but is not over.
        for (const waited of [...(await wave()), ...(await wave())]) expect(waited).toBeLessThan(deadlineMs + AT_ONCE);
      } finally {
        process.kill(redis.pid, 'SIGCONT');
      }
      expect(await takenAfter(() => commit('after', 'messages', impatient))).toBeLessThan(SOON);
      expect(await readTexts()).toContain('after');
      await impatient.close();
    },
  );

  it('for seconds, the connection is given up: refused at once, and taken within a second after', async () => {
    const own = createCommitter(store);
    await commit('before');
    process.kill(redis.pid, 'SIGSTOP');
    try {
      await refusedAfter(commit('first', 'messages', own));
      await waitUntil(() => store.redis.status !== 'ready');
      expect(await refusedAfter(commit('second', 'messages', own))).toBeLessThan(AT_ONCE);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
    expect(await takenAfter(() => commit('after', 'messages', own))).toBeLessThan(SOON);
    await own.close();
  });

  it('only so many callbacks wait; the next is refused at once', async () => {
    const impatient = createCommitter(store, { deadlineMs: 500 });
    process.kill(redis.pid, 'SIGSTOP');
    try {
      const waiting = Array.from({ length: 10_000 }, () => refusedAfter(commit('x', 'messages', impatient)));
      const overflow = commit('y', 'messages', impatient);
      await expect(overflow).rejects.toThrow('10000 callbacks wait for Redis already; nothing was stored');
      const status = commit('the other lane has its own room', 'statuses', impatient);
      await expect(status).rejects.toThrow('Redis did not answer in time');
      await Promise.all(waiting);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
    await impatient.close();
  });
});

describe('while Redis is down', () => {
  it('a commit is refused at once, also when Redis never was up, and works when Redis comes', async () => {
    const port = await freePort();
    const early = await openStore({ redisUrl: `redis://127.0.0.1:${port}`, role: 'producer' });
    const eager = createCommitter(early);
    expect(await refusedAfter(commit('early', 'messages', eager))).toBeLessThan(AT_ONCE);
    await waitUntil(() => early.redis.status === 'reconnecting');
    expect(await refusedAfter(commit('early', 'messages', eager))).toBeLessThan(AT_ONCE);

    const late = await startRedis({ port });
    expect(await takenAfter(() => commit('late', 'messages', eager))).toBeLessThan(SOON);

    await late.kill('SIGKILL');
    await waitUntil(() => early.redis.status !== 'ready');
    expect(await refusedAfter(commit('down', 'messages', eager))).toBeLessThan(AT_ONCE);
    await late.restart();
    expect(await takenAfter(() => commit('again', 'messages', eager))).toBeLessThan(SOON);
    expect(await readTexts('messages', early)).toEqual(['late', 'again']);
    await eager.close();
    await early.close();
    await late.stop();
  });

  it('a commit that was under way is refused, not kept waiting', async () => {
    await commit('before');
    process.kill(redis.pid, 'SIGSTOP');
    const refused = refusedAfter(commit('under way'));
    await redis.kill('SIGKILL');
    expect(await refused).toBeLessThan(AT_ONCE);
    await redis.restart();
    await waitUntil(() => store.redis.status === 'ready');
    await commit('after');
  });
});

describe('a Redis that is full', () => {
  it('refuses with 503 what it does not take, keeps what it has, and goes on when there is room', async () => {
    await commit('before');
    await store.redis.config('SET', 'maxmemory', '1');
    expect(await refusedAfter(commit('too much'))).toBeLessThan(AT_ONCE);
    await store.redis.config('SET', 'maxmemory', '0');
    await commit('after');
    expect(await readTexts()).toEqual(['before', 'after']);
  });
});

describe('a commit whose answer is lost by a network that died silently', () => {
  it('is refused, and sent again soon is taken and makes no second event', async () => {
    const proxy = await startFaultProxy(redis.port);
    const unlucky = await openStore({ redisUrl: proxy.url, role: 'producer' });
    await unlucky.ready();
    const throughThief = createCommitter(unlucky, { deadlineMs: 2_000 });
    const callback = parseCallback(Buffer.from(JSON.stringify(samples.status)));
    // The scripts are known to the server: what is lost is the answer to the write itself.
    await throughThief.commit({ text: '{"event":{}}', lane: 'statuses' }, RECEIVED_AT);

    proxy.withholdReplies();
    expect(await refusedAfter(throughThief.commit(callback, RECEIVED_AT))).toBeLessThan(2_000 + AT_ONCE);
    await waitUntil(async () => (await readTexts('statuses')).length === 2);
    expect(await readTexts('statuses')).toEqual(['{"event":{}}', callback.text]);
    expect(await takenAfter(() => throughThief.commit(callback, '2026-03-01T12:00:05.000Z'))).toBeLessThan(10_000);

    const log = createEventLog(store, { dedupeTtlMs: 60_000 });
    for (const [index, group] of (await readGroups('statuses')).entries()) {
      for (const { text, receivedAt } of group)
        await log.append(`s${index}`, splitCallback(text, receivedAt), Date.now());
    }
    const { items } = await listEvents(store, { limit: 10 });
    expect(items).toEqual(splitCallback(callback.text, RECEIVED_AT));
    await throughThief.close();
    await unlucky.close();
    await proxy.close();
  });
});
