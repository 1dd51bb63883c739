import { parseCallback } from '@clickrelay/core';
import {
  createCommitter,
  type Destination,
  listDeadLetters,
  listDeliveries,
  openStore,
  pauseDestination,
  putDestination,
  queueDepths,
  readDestination,
  replayDelivery,
  resumeDestination,
  type Store,
} from '@clickrelay/queue';
import {
  type Answer,
  type Envelope,
  type Destination as LocalDestination,
  type RedisServer,
  sampleCallback,
  samples,
  startDestination,
  startRedis,
  waitUntil,
} from '@clickrelay/testkit';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAdapters } from '../src/adapters.ts';
import { config, readConfig } from '../src/config.ts';
import { type RunningWorker, startWorker } from '../src/worker.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

let redis: RedisServer;
let store: Store;
let worker: RunningWorker | undefined;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  store = await openStore({ redisUrl: redis.url, role: 'consumer' });
  await store.redis.flushall();
  await store.ready();
});
afterEach(async () => {
  await worker?.stop(1_000);
  worker = undefined;
  for (const close of closing.splice(0)) await close();
  await store.close();
});

const start = async (environment: Record<string, string> = {}): Promise<void> => {
  const settings = readConfig({ RETRY_SCHEDULE: '0s,20ms,20ms', ...environment });
  worker = await startWorker({
    store,
    adapters: createAdapters({ egressAllow: ['127.0.0.0/8'], userAgent: 'Clickrelay/test' }),
    config: settings,
    log: pino({ level: 'silent' }),
  });
};

const addDestination = async (
  id: string,
  answer: Answer = 200,
  more: Partial<Destination> = {},
): Promise<LocalDestination> => {
  const local = await startDestination({ answer });
  closing.push(() => local.close());
  await putDestination(store, {
    id,
    type: 'webhook',
    events: ['*'],
    paused: null,
    config: { url: `${local.url}/hook`, secret: SECRET },
    ...more,
  });
  return local;
};

const commit = async (...envelopes: Envelope[]): Promise<void> => {
  const committer = createCommitter(store);
  await Promise.all(
    envelopes.map((envelope) =>
      committer.commit(parseCallback(Buffer.from(JSON.stringify(envelope))), new Date().toISOString()),
    ),
  );
};

const ingestIsEmpty = () =>
  waitUntil(async () => {
    const { ingest } = await queueDepths(store);
    return ingest.messages + ingest.statuses === 0;
  });

describe('a callback', () => {
  it('reaches its destination as signed events, each once, and sent again adds none', async () => {
    const crm = await addDestination('crm');
    await start();

    await commit(samples.reply, samples.status);
    const requests = await crm.waitFor(9);
    await commit(samples.reply, samples.status);
    await ingestIsEmpty();

    expect(crm.requests).toHaveLength(9);
    expect(new Set(requests.map(({ headers }) => headers['webhook-id'])).size).toBe(9);
    const elements = [samples.reply, samples.status].flatMap(({ event }) => Object.values(event).flat());
    const sent = requests.map(({ body, headers }) =>
      new Webhook(SECRET).verify(body, headers as Record<string, string>),
    );
    for (const element of elements) expect(sent).toContainEqual(expect.objectContaining({ raw: element }));
  });

  it('goes only to the destinations that want it', async () => {
    const messages = await addDestination('messages', 200, { events: ['mo*'] });
    const statuses = await addDestination('statuses', 200, { events: ['messageStatusUpdate'] });
    await start();

    await commit(samples.reply, samples.status);

    await messages.waitFor(8);
    await statuses.waitFor(1);
    await ingestIsEmpty();
    expect([messages.requests.length, statuses.requests.length]).toEqual([8, 1]);
  });

  it('goes to a destination that was added just before it', async () => {
    await start();
    for (let round = 0; round < 10; round++) {
      const added = await addDestination(`crm-${round}`);
      await commit(sampleCallback('moText'));
      await added.waitFor(1, 2_000);
    }
  });

  it('that was committed while no worker ran is delivered when one starts', async () => {
    const crm = await addDestination('crm');
    await commit(samples.status);
    await start();
    await crm.waitFor(1);
  });

  it('is accepted again once DEDUPE_TTL is over', async () => {
    const crm = await addDestination('crm');
    await start({ DEDUPE_TTL: '300ms' });
    await commit(samples.status);
    await crm.waitFor(1);
    await waitUntil(async () => {
      await commit(samples.status);
      await ingestIsEmpty();
      return crm.requests.length === 2;
    });
  });
});

describe('a destination that fails', () => {
  it('gets every attempt of the schedule, then a dead letter that a replay delivers', async () => {
    const crm = await addDestination('crm', 500);
    await start();

    await commit(sampleCallback('moText'));
    const [dead] = await waitUntil(async () => {
      const { items } = await listDeadLetters(store, { limit: 10 });
      return items.length === 1 ? items : undefined;
    });

    expect(crm.requests).toHaveLength(3);
    expect(dead).toMatchObject({ destinationId: 'crm', eventType: 'moText', attempts: 3 });
    expect(dead?.error).toContain('500');
    const [delivery] = await listDeliveries(store, dead?.eventId as string);
    expect(delivery?.attempts.map(({ number, outcome, status }) => [number, outcome, status])).toEqual([
      [1, 'retry', 500],
      [2, 'retry', 500],
      [3, 'dead_letter', 500],
    ]);

    crm.answerWith(200);
    expect(await replayDelivery(store, dead?.deliveryId as string)).toBe('replayed');
    await crm.waitFor(4);
    await waitUntil(async () => (await listDeliveries(store, dead?.eventId as string))[0]?.state === 'delivered');
    expect((await listDeadLetters(store, { limit: 10 })).items).toEqual([]);
    expect(new Set(crm.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('delays no other destination', async () => {
    await addDestination('hanging', 'hang');
    const healthy = await addDestination('healthy');
    await start();
    for (let i = 0; i < 300; i++) await commit(sampleCallback('moText'));
    await healthy.waitFor(300, 10_000);
  });

  it('is paused when it answers 410, and gets what waited once it is resumed', async () => {
    const crm = await addDestination('crm', 410);
    await start();
    await commit(sampleCallback('moText'));
    await waitUntil(async () => (await readDestination(store, 'crm'))?.paused);
    await commit(sampleCallback('moText'));
    await ingestIsEmpty();

    crm.answerWith(200);
    const before = crm.requests.length;
    await resumeDestination(store, 'crm');
    await crm.waitFor(before + 2);
  });

  it('is never asked again before its Retry-After is over', async () => {
    const crm = await addDestination('crm', (_, index) =>
      index === 0 ? { status: 429, headers: { 'retry-after': '1' } } : 200,
    );
    await start();
    await commit(sampleCallback('moText'));
    const [first, second] = await crm.waitFor(2);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });
});

describe('a paused destination', () => {
  it('gets nothing, and everything once it is resumed', async () => {
    const crm = await addDestination('crm');
    await pauseDestination(store, 'crm', 'maintenance');
    await start();
    await commit(samples.reply);
    await ingestIsEmpty();
    expect(crm.requests).toHaveLength(0);
    await resumeDestination(store, 'crm');
    await crm.waitFor(8);
  });
});

describe('a delivered event', () => {
  it('is sent again when someone replays it, with the same id', async () => {
    const crm = await addDestination('crm');
    await start();
    await commit(samples.status);
    const [request] = await crm.waitFor(1);
    const eventId = request?.headers['webhook-id'] as string;
    const [delivery] = await waitUntil(async () => {
      const list = await listDeliveries(store, eventId);
      return list[0]?.state === 'delivered' ? list : undefined;
    });
    expect(await replayDelivery(store, delivery?.id as string)).toBe('replayed');
    const requests = await crm.waitFor(2);
    expect(requests[1]?.headers['webhook-id']).toBe(eventId);
  });
});

describe('a worker that is told to stop', () => {
  it('lets attempts end, and the next one repeats none of them', async () => {
    const crm = await addDestination('crm', () => ({ status: 200, delayMs: 50 }));
    await start();
    await commit(...Array.from({ length: 200 }, () => sampleCallback('moText')));
    await crm.waitFor(20);
    await worker?.stop(5_000);
    await start();
    await crm.waitFor(200);
    await ingestIsEmpty();
    expect(crm.requests).toHaveLength(200);
  });
});

it('every variable of the environment is described', () => {
  for (const [name, schema] of Object.entries(config.shape)) expect(schema.description, name).toBeTruthy();
});
