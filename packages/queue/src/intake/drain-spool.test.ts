import { copyFileSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis, waitUntil } from '@clickrelay/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RECEIVED_AT } from '../../test/sample-events.ts';
import { addJobs } from '../jobs/add-jobs.ts';
import { waitKey } from '../jobs/keys.ts';
import { type LargeText, readLarge } from '../redis/large-text.ts';
import { ingestQueue, QUARANTINE, queueKey } from '../redis/names.ts';
import { openStore, type Store } from '../redis/store.ts';
import { openSpool, type Spool } from '../spool/spool.ts';
import type { SpoolNotice } from '../spool/state.ts';
import { type Circuit, watchCircuit } from './circuit.ts';
import { type Drain, drainSpool } from './drain-spool.ts';
import type { IngestGroup } from './ingest-group.ts';
import { listQuarantine } from './quarantine.ts';

let redis: RedisServer;
let store: Store;
let dir: string;
let spool: Spool;
let circuit: Circuit;
let drain: Drain;
let notices: SpoolNotice[];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  store = await openStore({ redisUrl: redis.url, role: 'producer' });
  await store.ready();
  await store.redis.flushall();
  dir = mkdtempSync(join(tmpdir(), 'clickrelay-spool-'));
  notices = [];
  spool = await openSpool({ dir, deadlineMs: 20_000, onNotice: (notice) => notices.push(notice) });
  circuit = watchCircuit(store, { isSafe: () => true });
  drain = startDrain();
});
afterEach(async () => {
  circuit.stop();
  await drain.stop();
  await spool.close();
  await store.redis.config('SET', 'maxmemory', '0');
  await store.close();
  rmSync(dir, { recursive: true });
});

const startDrain = (): Drain =>
  drainSpool({ spool, circuit, openStore: () => openStore({ redisUrl: redis.url, role: 'consumer' }) });

const idKey = `${queueKey(ingestQueue('messages'))}:id`;

const put = (text: string, lane: 'messages' | 'statuses' = 'messages'): Promise<void> =>
  spool.append({ kind: 'callback', lane, receivedAt: RECEIVED_AT, text });
const putUnreadable = (body: string): Promise<void> =>
  spool.append({
    kind: 'quarantine',
    reason: 'callback must be JSON',
    receivedAt: RECEIVED_AT,
    body: Buffer.from(body),
  });

const readGroups = async (lane: 'messages' | 'statuses' = 'messages'): Promise<IngestGroup['callbacks'][]> => {
  const jobs = await store.queue(ingestQueue(lane)).getJobs(['waiting'], 0, -1, true);
  return jobs.map(({ data }) => (data as IngestGroup).callbacks);
};

const drained = (): Promise<unknown> => waitUntil(() => spool.stats().bytes === 0);

describe('the spool is moved into Redis', () => {
  it('in order, lane by lane, in as few groups as live callbacks are, with the time they came at', async () => {
    const texts = Array.from({ length: 600 }, (_, index) => `callback ${index}`);
    await Promise.all(texts.map((text, index) => put(text, index % 3 === 0 ? 'statuses' : 'messages')));
    drain.begin();
    await drained();
    const messages = await readGroups();
    expect(messages.length).toBeLessThanOrEqual(6);
    expect(messages.flat()).toEqual(
      texts.filter((_, index) => index % 3 !== 0).map((text) => ({ text, receivedAt: RECEIVED_AT })),
    );
    expect((await readGroups('statuses')).flat().map(({ text }) => text)).toEqual(
      texts.filter((_, index) => index % 3 === 0),
    );
  });

  it('when Redis has memory for it again, and not before', async () => {
    await store.redis.config('SET', 'maxmemory', '1');
    circuit.open();
    await put('a callback');
    drain.begin();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect([circuit.isClosed, spool.stats().records]).toEqual([false, 1]);
    await store.redis.config('SET', 'maxmemory', '0');
    await drained();
    expect((await readGroups()).flat().map(({ text }) => text)).toEqual(['a callback']);
    expect(notices).toEqual([]);
  });

  it('and keeps each callback until Redis has it: a crash in between loses none', async () => {
    await Promise.all(Array.from({ length: 300 }, (_, index) => put(`callback ${index}`)));
    // In the middle of the first batch, which BullMQ cannot add for as long as this is there.
    await store.redis.set(idKey, 'x');
    try {
      drain.begin();
      await new Promise((resolve) => setTimeout(resolve, 400));
      // What a crash now would leave.
      const left = mkdtempSync(join(tmpdir(), 'clickrelay-spool-left-'));
      for (const file of readdirSync(dir).filter((name) => name !== 'lock'))
        copyFileSync(join(dir, file), join(left, file));
      const next = await openSpool({ dir: left });
      expect(next.stats().records).toBe(300);
      await next.close();
      rmSync(left, { recursive: true });
    } finally {
      await store.redis.del(idKey);
    }
    await drained();
    const stored = new Set((await readGroups()).flat().map(({ text }) => text));
    expect([...stored].filter((text) => text.startsWith('callback'))).toHaveLength(300);
  });

  it('through any number of crashes of Redis', async () => {
    const texts = Array.from({ length: 20_000 }, (_, index) => `callback ${index}`);
    await Promise.all(texts.map((text) => put(text)));
    drain.begin();
    for (let round = 0; round < 4; round++) {
      await waitUntil(() => circuit.isClosed && spool.stats().records < 20_000 - (round + 1) * 3_000);
      await redis.kill('SIGKILL');
      await redis.restart();
    }
    await waitUntil(() => spool.stats().bytes === 0);
    await waitUntil(() => store.redis.status === 'ready');
    const stored = new Set((await readGroups()).flat().map(({ text }) => text));
    expect(texts.filter((text) => !stored.has(text))).toEqual([]);
    expect(notices).toEqual([]);
  });

  it('and sets nothing aside while Redis takes none of them', async () => {
    // Of another type than BullMQ expects: no callback can be added, and yet Redis takes writes.
    await store.redis.set(idKey, 'x');
    await put('a callback');
    drain.begin();
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect([notices, spool.stats().records]).toEqual([[], 1]);
    await store.redis.del(idKey);
    await drained();
    expect((await readGroups()).flat().map(({ text }) => text)).toEqual(['a callback']);
  });

  it('only as far as workers keep up', async () => {
    const jobs = Array.from({ length: 2_100 }, () => ({ data: { callbacks: [] } }));
    await addJobs(store, ingestQueue('statuses'), jobs);
    await put('a callback');
    drain.begin();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(spool.stats().records).toBe(1);
    await store.redis.del(waitKey(ingestQueue('statuses')));
    await drained();
  });

  it('but not the one that Redis refuses while it takes all others', async () => {
    // A right that only large texts need.
    await store.redis.call('ACL', 'SETUSER', 'default', '-expire');
    try {
      await put('before');
      await put('x'.repeat(1_500_000));
      await put('after');
      drain.begin();
      await waitUntil(() => spool.stats().bytes === 0, { timeoutMs: 60_000 });
    } finally {
      await store.redis.call('ACL', 'SETUSER', 'default', '+expire');
    }
    const texts = (await readGroups()).flat().map(({ text }) => text);
    // One without events showed that it was not Redis.
    expect(new Set(texts)).toEqual(new Set(['before', '{"event":{}}', 'after']));
    expect(notices.map(({ kind }) => kind)).toEqual(['refused']);
    expect(spool.stats().setAside).toBe(1);

    // As the operator is told to have it tried again.
    await drain.stop();
    await spool.close();
    const [file] = readdirSync(join(dir, 'set-aside')) as [string];
    renameSync(join(dir, 'set-aside', file), join(dir, '000000000000001.spool'));
    spool = await openSpool({ dir });
    expect(spool.stats()).toMatchObject({ records: 1, setAside: 0 });
    drain = startDrain();
    drain.begin();
    await drained();
    const { large } = (await readGroups()).flat().find((callback) => callback.large) as { large: LargeText };
    expect((await readLarge(store, large))?.length).toBe(1_500_000);
  });

  it('but not what a full quarantine has no room for', async () => {
    await store.redis.set(`${QUARANTINE}:bytes`, String(256 * 1024 * 1024));
    await put('before');
    await putUnreadable('no callback');
    await put('after');
    drain.begin();
    await drained();
    expect((await readGroups()).flat().map(({ text }) => text)).toEqual(['before', 'after']);
    expect(notices).toEqual([
      {
        kind: 'refused',
        segment: expect.any(String),
        reason: expect.stringContaining('quarantine is full'),
        keptIn: expect.any(String),
      },
    ]);
    expect((await listQuarantine(store, { limit: 10 })).items).toEqual([]);
  });
});
