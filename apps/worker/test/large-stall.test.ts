import { setTimeout as sleep } from 'node:timers/promises';
import { parseCallback } from '@clickrelay/core';
import { createCommitter, openStore, putDestination, queueDepths, type Store } from '@clickrelay/queue';
import { type Envelope, sampleCallback } from '@clickrelay/simulator';
import {
  type Destination,
  PERSON_KEY,
  type Program,
  type RedisServer,
  startDestination,
  startProgram,
  startRedis,
  waitUntil,
} from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SECRET } from './use-worker.ts';

const MIB = 1024 * 1024;

let redis: RedisServer;
let store: Store;
let committer: ReturnType<typeof createCommitter>;
let worker: Program;
let crm: Destination;
let media: Destination;

beforeEach(async () => {
  redis = await startRedis();
  store = await openStore({ redisUrl: redis.url, role: 'consumer' });
  await store.ready();
  committer = createCommitter(store, { deadlineMs: 20_000 });
  crm = await startDestination({ answer: 200 });
  media = await startDestination({ answer: (_, index) => (index % 2 === 0 ? 500 : 200) });
  const put = (id: string, { url }: Destination, events: string[]) =>
    putDestination(store, { id, type: 'webhook', events, paused: null, config: { url: `${url}hook`, secret: SECRET } });
  await put('crm', crm, ['moText']);
  await put('media', media, ['moMedia']);
  worker = await startProgram({
    args: [
      '--import',
      import.meta.resolve('@clickrelay/testkit/stall-probe'),
      new URL('../src/main.ts', import.meta.url).pathname,
    ],
    env: {
      PERSON_KEY,
      REDIS_URL: redis.url,
      EGRESS_ALLOW: '127.0.0.0/8',
      RETRY_SCHEDULE: '0s,100ms,100ms,100ms,100ms',
    },
    readyOutput: /worker.ready/,
  });
});
afterEach(async () => {
  await worker?.stop('SIGKILL');
  await Promise.all([crm.close(), media.close()]);
  await store.close();
  await redis.stop();
});

const commit = (envelope: Envelope): Promise<void> => {
  const body = Buffer.from(JSON.stringify(envelope));
  const { lane } = parseCallback(body);
  return committer.commit({ lane, text: body.length > MIB ? body : body.toString() }, new Date().toISOString());
};
const mediaOf = (bytes: number, mark: number): Envelope => {
  const [element] = sampleCallback('moMedia').event['moMedia'] as [object];
  const event = { moMedia: [{ ...element, messageId: `media-${mark}`, content: 'A'.repeat(bytes) }] };
  return { integrationId: 'i', integrationName: 'i', event } as Envelope;
};

/** The longest stall of the worker since the last call, and how much of it was its own work, in ms. */
const stall = async (): Promise<{ stalled: number; worked: number }> => {
  const before = worker.stderr().length;
  process.kill(worker.pid, 'SIGUSR2');
  return waitUntil(() => {
    const told = worker
      .stderr()
      .slice(before)
      .match(/stalled (\d+) ms, worked (\d+) ms/);
    return told ? { stalled: Number(told[1]), worked: Number(told[2]) } : undefined;
  });
};

/** The times from commit to delivery of small callbacks, in ms, while something else is under way. */
const sendSmall = async (until: Promise<unknown>): Promise<number[]> => {
  let isOver = false;
  const over = until.finally(() => {
    isOver = true;
  });
  const times: number[] = [];
  do {
    const startedAt = performance.now();
    // It may be delivered before this process hears that it is committed.
    const delivered = crm.requests.length + 1;
    await commit(sampleCallback('moText'));
    await crm.waitFor(delivered, 20_000);
    times.push(performance.now() - startedAt);
    await sleep(5);
  } while (!isOver);
  await over;
  return times.sort((a, b) => a - b);
};
const show = (times: readonly number[]): string =>
  [0.5, 0.99, 1].map((share) => times[Math.ceil(share * times.length) - 1]?.toFixed(0)).join(' / ');

/** The processor time of a piece of work done in one go, on this machine now, in ms. */
const costOf = (work: () => unknown): number => {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
};

it('no small callback waits while 16 MB are split, delivered and delivered again', async () => {
  await commit(mediaOf(16 * MIB, 0));
  await media.waitFor(2, 60_000);
  const alone = await sendSmall(sleep(500));
  const rounds: Awaited<ReturnType<typeof stall>>[] = [];
  const sending = async () => {
    for (let mark = 1; mark <= 4; mark++) {
      await stall();
      await commit(mediaOf(16 * MIB, mark));
      await media.waitFor(2 + 2 * mark, 60_000);
      rounds.push(await stall());
    }
  };
  const together = await sendSmall(sending());
  const text = JSON.stringify(mediaOf(16 * MIB, 0));
  const atOnce = costOf(() => Buffer.from(JSON.stringify(JSON.parse(text))));
  console.log(
    `from commit to delivery, ms p50 / p99 / max: ${show(alone)} alone, ${show(together)} beside 4 of 16 MB, each sent twice; ` +
      `the worker's event loop stalled ${rounds.map(({ stalled }) => stalled)} ms at most, ${rounds.map(({ worked }) => worked)} ms ` +
      `of them its own work; to read and write 16 MB takes ${atOnce.toFixed(0)} ms`,
  );
  for (const { body } of media.requests) expect(JSON.parse(body).raw.content).toHaveLength(16 * MIB);
  // The best of the rounds: garbage collection adds to some.
  expect(Math.min(...rounds.map(({ worked }) => worked))).toBeLessThan(4 * atOnce);
}, 240_000);

it('no small callback waits for one of 300,000 elements', async () => {
  const elements = Array.from({ length: 300_000 }, (_, n) => ({ messageId: `m${n}` }));
  const many = { integrationId: 'i', integrationName: 'i', event: { somethingNew: elements } } as unknown as Envelope;
  const alone = await sendSmall(sleep(500));
  await stall();
  const sending = async () => {
    await commit(many);
    await waitUntil(async () => (await store.redis.zcard('cr:{e00}:log')) > 500, { timeoutMs: 120_000 });
  };
  const together = await sendSmall(sending());
  const { stalled, worked } = await stall();
  const logged = await store.redis.zcard('cr:{e00}:log');
  const body = Buffer.from(JSON.stringify(many));
  const atOnce = costOf(() => parseCallback(body));
  console.log(
    `from commit to delivery, ms p50 / p99 / max: ${show(alone)} alone, ${show(together)} beside 300,000 elements ` +
      `(about ${64 * logged} logged by then); stalled ${stalled} ms at most, ${worked} ms of them its own work; ` +
      `to parse them at once takes ${atOnce.toFixed(0)} ms`,
  );
  // It may be split to its end before a busy machine looks; of the small ones, none stays.
  await waitUntil(async () => (await queueDepths(store)).ingest.messages <= 1, {
    what: 'at most the large one to be open',
  });
  expect(worked).toBeLessThan(atOnce);
}, 240_000);
