import { InvalidCallbackError, QuarantineFullError, QueueUnavailableError } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator';
import { fairNow, type RedisServer, startFaultProxy, startRedis, waitUntil } from '@clickrelay/testkit';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RECEIVED_AT } from '../../test/sample-events.ts';
import { ingestQueue } from '../redis/names.ts';
import { openStore, type Store } from '../redis/store.ts';
import {
  listQuarantine,
  quarantineCallback,
  readQuarantined,
  removeQuarantined,
  reparseQuarantined,
} from './quarantine.ts';

let redis: RedisServer;
let store: Store;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  store = await openStore({ redisUrl: redis.url, role: 'producer' });
  await store.ready();
  await store.redis.flushall();
});
afterEach(() => store.close());

const put = (body: Uint8Array | string, receivedAt = RECEIVED_AT, reason = 'callback must be JSON') =>
  quarantineCallback(store, { body: typeof body === 'string' ? Buffer.from(body) : body, reason, receivedAt });

const readAllPages = async (limit: number): Promise<string[]> => {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const { items, next } = await listQuarantine(store, { limit, cursor });
    expect(items.length).toBeLessThanOrEqual(limit);
    ids.push(...items.map(({ id }) => id));
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return ids;
};

const readTotalBytes = async () => Number((await store.redis.get('cr:{quarantine}:bytes')) ?? 0);

describe('a body in quarantine', () => {
  it('is kept byte for byte', async () => {
    const every = Uint8Array.from({ length: 512 }, (_, index) => index % 256);
    // A view into a larger buffer, as bodies often are.
    for (const body of [every, every.subarray(3, 7), new Uint8Array(), Buffer.from('\ufeff{"é😀\u0000')]) {
      const id = await put(body);
      expect(id).toMatch(/^qrt_[\w-]{22}$/);
      const entry = await readQuarantined(store, id);
      expect(entry && Buffer.from(entry.body)).toEqual(Buffer.from(body));
      expect(entry).toMatchObject({ id, receivedAt: RECEIVED_AT, reason: 'callback must be JSON', bytes: body.length });
    }
  });

  it('of a megabyte is kept byte for byte', async () => {
    const body = Buffer.alloc(
      1_000_000,
      Uint8Array.from({ length: 251 }, (_, index) => index),
    );
    const entry = await readQuarantined(store, await put(body));
    expect(Buffer.compare(entry?.body as Buffer, body)).toBe(0);
  });

  it.each([
    ['text', Buffer.from('é😀'.repeat(1_000_000))],
    ['no text', Buffer.alloc(6_000_000, 0x80)],
  ])('of many megabytes of %s lies beside its entry in pieces, and goes with it', async (_, body) => {
    const id = await put(body);
    expect(await put(body)).toBe(id);
    const pieces = (await store.redis.keys('*')).filter((key) => key.includes(':p:'));
    expect(pieces).toHaveLength(1);
    expect(await store.redis.ttl(pieces[0] as string)).toBe(-1);
    expect(await store.redis.hstrlen(pieces[0] as string, '0')).toBeLessThanOrEqual(256 * 1024);
    const entry = await readQuarantined(store, id);
    expect(Buffer.compare(entry?.body as Buffer, body)).toBe(0);
    expect(entry).toMatchObject({ id, bytes: 6_000_000 });
    expect((await listQuarantine(store, { limit: 1 })).items).toMatchObject([{ id, bytes: 6_000_000 }]);
    expect(await readTotalBytes()).toBe(6_000_000);

    const full = quarantineCallback(
      store,
      { body: Buffer.alloc(5_000_000), reason: 'r', receivedAt: RECEIVED_AT },
      { maxBytes: 10_000_000 },
    );
    await expect(full).rejects.toThrow('the quarantine is full');
    expect(await quarantineCallback(store, { body, reason: 'r', receivedAt: RECEIVED_AT }, { maxBytes: 1 })).toBe(id);
    expect((await store.redis.keys('*')).filter((key) => key.includes(':p:'))).toEqual(pieces);
    expect(await removeQuarantined(store, id)).toBe(true);
    expect((await store.redis.keys('*')).filter((key) => key.includes(':p:'))).toEqual([]);
    expect(await readTotalBytes()).toBe(0);
  });

  it('of a megabyte is kept when the answer to its last command is lost, and the command goes out once more', async () => {
    const proxy = await startFaultProxy(redis.port);
    const cutOff = await openStore({ redisUrl: proxy.url, role: 'producer' });
    await cutOff.ready();
    await quarantineCallback(cutOff, {
      body: Buffer.alloc(300_000),
      reason: 'to learn the script',
      receivedAt: RECEIVED_AT,
    });
    const body = Buffer.alloc(1_000_000, 'x');
    // The first script begins the large body, the second puts the entry down.
    const cut = proxy.cutAt({ command: 2, moment: 'after', names: ['EVALSHA'] });
    const id = await quarantineCallback(cutOff, { body, reason: 'no JSON', receivedAt: RECEIVED_AT });
    expect(cut.happened).toBe(true);
    expect((await readQuarantined(store, id))?.body).toEqual(body);
    await cutOff.close();
    await proxy.close();
  });

  it('that is sent again is the same entry, as it was the first time', async () => {
    const id = await put('hello');
    expect(await put('hello', '2026-03-02T00:00:00.000Z', 'another reason')).toBe(id);
    expect(await put('hello ')).not.toBe(id);
    expect(await readQuarantined(store, id)).toMatchObject({
      receivedAt: RECEIVED_AT,
      reason: 'callback must be JSON',
    });
    expect(await readAllPages(10)).toHaveLength(2);
    expect(await readTotalBytes()).toBe(11);
  });

  it('that never was is undefined', async () => {
    for (const id of ['', 'rubbish', 'qrt_AAAAAAAAAAAAAAAAAAAAAA', 'log', 'bytes']) {
      expect(await readQuarantined(store, id)).toBeUndefined();
      expect(await removeQuarantined(store, id)).toBe(false);
      expect(await reparseQuarantined(store, id)).toBeUndefined();
    }
    const id = await put('hello');
    for (const other of ['log', 'bytes', '']) {
      expect(await readQuarantined(store, other)).toBeUndefined();
      expect(await removeQuarantined(store, other)).toBe(false);
    }
    expect(await readAllPages(10)).toEqual([id]);
    expect(await readTotalBytes()).toBe(5);
  });
});

describe('the quarantine', () => {
  it('is full at its number of bodies, and says so', async () => {
    const limits = { maxCallbacks: 2, maxBytes: 1_000 };
    const keep = (text: string) =>
      quarantineCallback(store, { body: Buffer.from(text), reason: 'r', receivedAt: RECEIVED_AT }, limits);
    const first = await keep('a');
    await keep('b');
    const refusal = keep('c');
    await expect(refusal).rejects.toThrow(QuarantineFullError);
    await expect(refusal).rejects.toMatchObject({ code: 'quarantine_full', status: 422, expose: true });
    await expect(refusal).rejects.toThrow('the quarantine is full (2 callbacks or 1000 bytes)');
    // What is in it already is not refused.
    expect(await keep('a')).toBe(first);
    await removeQuarantined(store, first);
    await keep('c');
  });

  it('is full at its number of bytes, to the byte', async () => {
    const limits = { maxCallbacks: 100, maxBytes: 10 };
    const keep = (text: string) =>
      quarantineCallback(store, { body: Buffer.from(text), reason: 'r', receivedAt: RECEIVED_AT }, limits);
    const first = await keep('éééé');
    await keep('bb');
    await expect(keep('c')).rejects.toThrow(QuarantineFullError);
    await keep('');
    await removeQuarantined(store, first);
    await expect(keep('123456789')).rejects.toThrow(QuarantineFullError);
    await keep('12345678');
    expect(await readTotalBytes()).toBe(10);
  });

  it('knows what it holds, whatever is put and removed', async () => {
    const limits = { maxCallbacks: 5, maxBytes: 40 };
    const body = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
    const step = fc.oneof(fc.record({ put: body }), fc.record({ remove: fc.nat(8) }));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await store.redis.flushall();
        const held = new Map<string, Buffer>();
        const size = () => [...held.values()].reduce((sum, bytes) => sum + bytes.length, 0);
        for (const one of steps) {
          if ('put' in one) {
            const isHeld = [...held.values()].some((bytes) => bytes.equals(one.put));
            const fits = isHeld || (held.size < 5 && size() + one.put.length <= 40);
            const kept = await quarantineCallback(
              store,
              { body: one.put, reason: 'r', receivedAt: RECEIVED_AT },
              limits,
            ).catch((error: unknown) => {
              expect(error).toBeInstanceOf(QuarantineFullError);
              return undefined;
            });
            expect(kept !== undefined).toBe(fits);
            if (kept !== undefined) held.set(kept, one.put);
          } else {
            const id = [...held.keys()][one.remove] ?? 'qrt_none';
            expect(await removeQuarantined(store, id)).toBe(held.delete(id));
          }
          expect(await readTotalBytes()).toBe(size());
        }
        expect((await readAllPages(2)).sort()).toEqual([...held.keys()].sort());
      }),
      { numRuns: 25 },
    );
  });

  it('is listed newest first, each entry once, also those of one millisecond', async () => {
    const expected: { id: string; at: number }[] = [];
    for (const [index, at] of [1, 5, 5, 5, 2, 5, 9, 5, 5, 9].entries()) {
      expected.push({ id: await put(`body ${index}`, new Date(at).toISOString()), at });
    }
    expected.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
    for (const limit of [1, 2, 3, 9, 10, 11]) expect(await readAllPages(limit)).toEqual(expected.map(({ id }) => id));
    const { items } = await listQuarantine(store, { limit: 1 });
    expect(items).toEqual([
      { id: expected[0]?.id, receivedAt: '1970-01-01T00:00:00.009Z', reason: 'callback must be JSON', bytes: 6 },
    ]);
  });

  it('is listed to its end when each page is removed before the next is read, and when more comes in', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) ids.unshift(await put(`body ${index}`, new Date(index).toISOString()));
    const first = await listQuarantine(store, { limit: 3 });
    for (const { id } of first.items) await removeQuarantined(store, id);
    await put('newer', new Date(100).toISOString());
    const second = await listQuarantine(store, { limit: 3, cursor: first.next as string });
    const third = await listQuarantine(store, { limit: 3, cursor: second.next as string });
    expect([...first.items, ...second.items, ...third.items].map(({ id }) => id)).toEqual(ids);
    expect(third.next).toBeNull();
  });

  it('is listed by the time of arrival', async () => {
    const ids: string[] = [];
    for (let at = 1; at < 5; at++) ids.push(await put(`body ${at}`, new Date(at).toISOString()));
    const span = { since: new Date(2), until: new Date(4), limit: 1 };
    const first = await listQuarantine(store, span);
    const second = await listQuarantine(store, { ...span, cursor: first.next as string });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual([ids[2], ids[1]]);
    expect(second.next).toBeNull();
  });

  it('is listed from its beginning when the cursor is none', async () => {
    const id = await put('hello');
    for (const cursor of [
      '',
      'rubbish',
      '-1',
      '1.',
      '1.qrt_short',
      '99999999999999999999.qrt_AAAAAAAAAAAAAAAAAAAAAA',
    ]) {
      expect((await listQuarantine(store, { limit: 5, cursor })).items.map((item) => item.id)).toEqual([id]);
    }
    expect(await listQuarantine(store, { limit: 1 })).toMatchObject({ next: null });
  });

  it('does not list what is being removed', async () => {
    const [gone, stays] = [await put('a'), await put('b')];
    await store.redis.del(`cr:{quarantine}:${gone}`);
    expect(await readAllPages(1)).toEqual([stays]);
  });
});

describe('a body that is tried again', () => {
  it('and is understood now goes where a callback goes, with its own time, and leaves the quarantine', async () => {
    const text = `\ufeff${JSON.stringify(samples.reply)}`;
    const id = await put(text);
    expect(await reparseQuarantined(store, id)).toEqual({ accepted: 8 });
    const jobs = await store.queue(ingestQueue('messages')).getJobs(['waiting']);
    const callbacks = [{ receivedAt: RECEIVED_AT, text: text.slice(1) }];
    expect(jobs.map(({ data }) => data)).toEqual([{ callbacks }]);
    expect(await readQuarantined(store, id)).toBeUndefined();
    expect(await readTotalBytes()).toBe(0);
    expect(await reparseQuarantined(store, id)).toBeUndefined();
  });

  it('goes into its own lane', async () => {
    expect(await reparseQuarantined(store, await put(JSON.stringify(samples.status)))).toEqual({ accepted: 1 });
    expect(await store.queue(ingestQueue('statuses')).getWaitingCount()).toBe(1);
    expect(await store.queue(ingestQueue('messages')).getWaitingCount()).toBe(0);
  });

  it('and is hopeless stays', async () => {
    const id = await put('hello');
    await expect(reparseQuarantined(store, id)).rejects.toThrow(InvalidCallbackError);
    expect(await readQuarantined(store, id)).toMatchObject({ id, bytes: 5 });
    expect(await store.queue(ingestQueue('messages')).getWaitingCount()).toBe(0);
  });

  it('stays when it cannot be committed', async () => {
    const id = await put(JSON.stringify(samples.status));
    await store.redis.config('SET', 'maxmemory', '1');
    await expect(reparseQuarantined(store, id)).rejects.toThrow('Redis did not take the callback');
    await store.redis.config('SET', 'maxmemory', '0');
    expect(await readQuarantined(store, id)).toMatchObject({ id });
  });
});

describe('while Redis cannot keep it', () => {
  it('a body is refused with 503, in time', async () => {
    await store.redis.config('SET', 'maxmemory', '1');
    await expect(put('full')).rejects.toThrow(QueueUnavailableError);
    await store.redis.config('SET', 'maxmemory', '0');

    process.kill(redis.pid, 'SIGSTOP');
    const startedAt = fairNow();
    await expect(put('stopped')).rejects.toThrow(QueueUnavailableError);
    expect(fairNow() - startedAt).toBeLessThan(4_000);
    process.kill(redis.pid, 'SIGCONT');
    await waitUntil(() => put('again'));

    await redis.kill('SIGKILL');
    await waitUntil(() => store.redis.status !== 'ready');
    await expect(put('down')).rejects.toThrow(QueueUnavailableError);
    await redis.restart();
    await waitUntil(() => put('after'));
  });

  it('is kept through kill -9 once its id was given', async () => {
    const id = await put('hello');
    await redis.kill('SIGKILL');
    await redis.restart();
    await waitUntil(() => store.redis.status === 'ready');
    expect(await readQuarantined(store, id)).toMatchObject({ id, bytes: 5 });
  });
});
