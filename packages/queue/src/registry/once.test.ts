import { expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { once } from './once.ts';

type Claim = Awaited<ReturnType<typeof once.claim>>[number];
type Outcome = Parameters<typeof once.settle>[2][number]['outcome'];

const { store } = useStore({ role: 'producer', freshPerTest: 'nothing' });

const HOUR_MS = 3_600_000;
let made = 0;
const newKey = (): string => `message ${++made}`;
const claim = async (key: string, { owner = 'n8n', holdMs = 60_000, keepMs = HOUR_MS, takeOver = false } = {}) =>
  (await once.claim(store, owner, [key], { holdMs, keepMs, takeOver }))[0] as Claim;
const mine = async (key: string, how = {}): Promise<string> => {
  const told = await claim(key, how);
  if (told.state !== 'yours') throw new Error(`expected to get it, but it is ${told.state}`);
  return told.token;
};
const settle = async (key: string, token: string, outcome: Outcome, result = '', owner = 'n8n') =>
  (await once.settle(store, owner, [{ key, token, outcome, result }], { keepMs: HOUR_MS }))[0];

it('of 50 that claim the same at once, one gets it, and the others hear that somebody is at it', async () => {
  const key = newKey();
  const told = await Promise.all(Array.from({ length: 50 }, () => claim(key)));
  const states = told.map(({ state }) => state);
  expect(states.filter((state) => state === 'yours')).toHaveLength(1);
  expect(states.filter((state) => state === 'busy')).toHaveLength(49);
  const busy = told.find((one) => one.state === 'busy');
  expect(busy?.retryAfterMs).toBeGreaterThan(50_000);
  expect(busy?.retryAfterMs).toBeLessThanOrEqual(60_000);
});

it('what is done stays done, with its result, and may be said twice', async () => {
  const key = newKey();
  const token = await mine(key);
  expect(await settle(key, token, 'done', 'api 1')).toBe(true);
  expect(await settle(key, token, 'done', 'api 1')).toBe(true);
  expect(await claim(key)).toEqual({ state: 'done', result: 'api 1' });
  expect(await claim(key, { takeOver: true })).toEqual({ state: 'done', result: 'api 1' });
});

it('a result may be empty', async () => {
  const key = newKey();
  await settle(key, await mine(key), 'done');
  expect(await claim(key)).toEqual({ state: 'done', result: '' });
});

it('what was certainly not done can be claimed again, and that may be said twice', async () => {
  const key = newKey();
  const token = await mine(key);
  expect(await settle(key, token, 'not_done')).toBe(true);
  expect(await settle(key, token, 'not_done')).toBe(true);
  await mine(key);
});

it('nobody knows of what was claimed and never settled, until somebody takes it over', async () => {
  const key = newKey();
  const first = await mine(key, { holdMs: 0 });
  expect(await claim(key)).toEqual({ state: 'unknown' });
  const second = await mine(key, { takeOver: true });
  expect(await claim(key, { takeOver: true })).toMatchObject({ state: 'busy' });
  // The first one comes back too late.
  expect(await settle(key, first, 'done', 'api 1')).toBe(false);
  expect(await settle(key, second, 'done', 'api 2')).toBe(true);
  expect(await claim(key)).toEqual({ state: 'done', result: 'api 2' });
});

it('whoever held it for too long may still say that it is done, while nobody took it over', async () => {
  const key = newKey();
  const token = await mine(key, { holdMs: 0 });
  expect(await settle(key, token, 'done', 'late')).toBe(true);
  expect(await claim(key)).toEqual({ state: 'done', result: 'late' });
});

it('whoever does not know says so, and nobody waits for them', async () => {
  const key = newKey();
  const token = await mine(key);
  expect(await settle(key, token, 'unknown')).toBe(true);
  expect(await claim(key)).toEqual({ state: 'unknown' });
});

it('a wrong token changes nothing', async () => {
  const key = newKey();
  await mine(key);
  expect(await settle(key, 'not-the-token', 'not_done')).toBe(false);
  expect(await claim(key)).toMatchObject({ state: 'busy' });
});

it('owners have keys of their own', async () => {
  const key = newKey();
  const token = await mine(key);
  await mine(key, { owner: 'another' });
  expect(await settle(key, token, 'done', '', 'a third')).toBe(false);
});

it('several are claimed each on their own', async () => {
  const [done, fresh] = [newKey(), newKey()];
  await settle(done, await mine(done), 'done', 'api 1');
  const told = await once.claim(store, 'n8n', [done, fresh], { holdMs: 1_000, keepMs: HOUR_MS, takeOver: false });
  expect(told).toEqual([
    { state: 'done', result: 'api 1' },
    { state: 'yours', token: expect.any(String) },
  ]);
});

it('is forgotten after its time, and not before', async () => {
  const key = newKey();
  const token = await mine(key, { keepMs: 20 });
  await expect.poll(() => claim(key).then(({ state }) => state)).toBe('yours');
  expect(await settle(key, token, 'done')).toBe(false);
  const kept = newKey();
  await settle(kept, await mine(kept, { keepMs: 1 + HOUR_MS }), 'done');
  const ttls = await Promise.all((await store.redis.keys('*:once:*')).map((name) => store.redis.pttl(name)));
  expect(ttls.every((ttl) => ttl > HOUR_MS - 60_000 && ttl <= HOUR_MS)).toBe(true);
});

it('a clock that was put back keeps no claim longer than it could last now', async () => {
  const key = newKey();
  await mine(key, { holdMs: HOUR_MS });
  const told = await claim(key, { holdMs: 1_000 });
  expect(told).toMatchObject({ state: 'busy' });
  expect(told.state === 'busy' && told.retryAfterMs).toBeLessThanOrEqual(1_000);
});
