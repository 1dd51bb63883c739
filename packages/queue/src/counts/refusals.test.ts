import { HOUR_MS } from '@clickrelay/core';
import { waitUntil } from '@clickrelay/testkit';
import { expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { createRefusalCounter, readFirstWrong, readRefusals, sumRefusals } from './refusals.ts';

const { store } = useStore({ role: 'producer' });

/** Of the present hour and its neighbours, in case one ends while a test runs. */
const read = async (step: 'minute' | 'hour') => {
  const now = Date.now();
  return sumRefusals((await readRefusals(store, { fromMs: now - HOUR_MS, toMs: now + HOUR_MS, step })).values());
};
const none = {
  noCredential: 0,
  wrongCredential: 0,
  forbidden: 0,
  tooLarge: 0,
  unprocessable: 0,
  rateLimited: 0,
  unavailable: 0,
};

const refusal = (status: number) => ({ status, code: status === 401 ? 'wrong_credential' : 'some_code' });
const MISSING = { status: 401, code: 'missing_credential' };

it('refusals of all receivers are counted by their reason, by minute and by hour', async () => {
  const [one, other] = [createRefusalCounter(), createRefusalCounter()];
  for (const status of [401, 413, 200, 404]) one.count(refusal(status));
  one.count(MISSING);
  for (const status of [401, 403, 422, 429, 503]) other.count(refusal(status));
  await Promise.all([one.write(store), other.write(store)]);
  const all = {
    noCredential: 1,
    wrongCredential: 2,
    forbidden: 1,
    tooLarge: 1,
    unprocessable: 1,
    rateLimited: 1,
    unavailable: 1,
  };
  expect(await read('minute')).toEqual(all);
  expect(await read('hour')).toEqual(all);
  one.count(MISSING);
  await one.write(store);
  await one.write(store);
  expect(await read('minute')).toEqual({ ...all, noCredential: 2 });
});

it('a flood of them costs one command, and quiet costs none', async () => {
  const counter = createRefusalCounter();
  for (let i = 0; i < 100_000; i++) counter.count(refusal(401));
  const before = Number(/total_commands_processed:(\d+)/.exec(await store.redis.info('stats'))?.[1]);
  await counter.write(store);
  await counter.write(store);
  const after = Number(/total_commands_processed:(\d+)/.exec(await store.redis.info('stats'))?.[1]);
  // What scripts and transactions do counts as well: an increase and a look at its end, for each minute and hour; and
  // when the first wrong credential came.
  expect(after - before).toBeLessThan(60);
  expect(await read('hour')).toEqual({ ...none, wrongCredential: 100_000 });
});

it('those that Redis did not take are written with the next, and all expire', async () => {
  const counter = createRefusalCounter();
  counter.count(refusal(503));
  store.redis.disconnect();
  await expect(counter.write(store)).rejects.toThrow();
  counter.count(refusal(503));
  await waitUntil(() => store.redis.status === 'end');
  await store.redis.connect();
  await counter.write(store);
  expect(await read('minute')).toEqual({ ...none, unavailable: 2 });
  for (const key of await store.redis.keys('*:refused:*')) expect(await store.redis.ttl(key)).toBeGreaterThan(0);
});

it('only those of the time asked for are returned', async () => {
  const at = Date.parse('2026-03-01T12:34:00.000Z');
  await store.redis.hset(`cr:{registry}:refused:h${Math.floor(at / HOUR_MS)}`, '34', '2', '35', '4');
  const found = await readRefusals(store, { fromMs: at + 10_000, toMs: at + 60_000, step: 'minute' });
  expect([...found]).toEqual([[at, { ...none, noCredential: 2 }]]);
});

it('the first wrong credential of the last hour is known to the moment, whichever receiver it came to', async () => {
  expect(await readFirstWrong(store, Date.now())).toBeNull();
  const [one, other] = [createRefusalCounter(), createRefusalCounter()];
  one.count(MISSING);
  await one.write(store);
  expect(await readFirstWrong(store, Date.now())).toBeNull();
  const before = Date.now();
  one.count(refusal(401));
  const after = Date.now();
  await waitUntil(() => Date.now() > after);
  for (const counter of [other, one, createRefusalCounter()]) {
    counter.count(refusal(401));
    await counter.write(store);
  }
  const first = (await readFirstWrong(store, Date.now())) ?? 0;
  expect(first).toBeGreaterThanOrEqual(before);
  expect(first).toBeLessThanOrEqual(after);
  expect(await readFirstWrong(store, first + HOUR_MS + 1)).not.toBe(first);
});
