import { HOUR_MS, MINUTE_MS, toIso } from '@clickrelay/core';
import { waitUntil } from '@clickrelay/testkit';
import { expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { createHourCounts } from '../counts/hour-figures.ts';
import { readDestinationFacts } from '../facts/destination-facts.ts';
import { pauseDestination, putDestination, removeDestination, resumeDestination } from './destinations.ts';
import { holdDestination, releaseDestination } from './holds.ts';
import { createDestinationNotes } from './notes.ts';

/* What health learns of a destination. */

const { openStore, store } = useStore();

const onError = (error: unknown): void => {
  throw error;
};
const put = (config = {}) => putDestination(store, { id: 'crm', type: 'webhook', events: ['*'], paused: null, config });
const facts = async () => {
  const [found] = await readDestinationFacts(store, Date.now());
  if (found === undefined) throw new Error('there is no destination');
  return found;
};
const now = () => store.clock.now();

it('a new destination is at rest, and nothing is made up about it', async () => {
  const before = now();
  await put();
  const { createdAt, ...rest } = await facts();
  expect(Math.abs((createdAt ?? 0) - before)).toBeLessThan(MINUTE_MS);
  expect(rest).toEqual({
    id: 'crm',
    type: 'webhook',
    paused: null,
    failingSince: null,
    lastErrorCode: null,
    throttledSince: null,
    waiting: 0,
    oldestWaitingAt: null,
    deadLetters: 0,
    deadLettersLast10m: 0,
    newestDeadLetterAt: null,
    firstAttempts: { ended: 0, failed: 0 },
    attemptsLastHour: 0,
    p95Ms: null,
    timeoutMs: null,
    attempts: 0,
    everDelivered: false,
    isRefusedByGuard: false,
    lastAskedAt: null,
    certificateEndsAt: null,
    oldSecretEndsAt: null,
  });
});

it('a pause says who and since when: the first one, until it is resumed', async () => {
  await put();
  const before = now();
  await pauseDestination(store, 'crm', 'answered 410', 'gone');
  const first = (await facts()).paused;
  expect(first).toMatchObject({ by: 'gone' });
  expect(first?.at).toBeGreaterThanOrEqual(before - 1_000);
  await waitUntil(() => now() > (first?.at ?? 0));
  await pauseDestination(store, 'crm', 'and by hand too');
  expect((await facts()).paused).toEqual(first);
  await resumeDestination(store, 'crm');
  expect((await facts()).paused).toBeNull();
  await pauseDestination(store, 'crm', 'by hand');
  expect((await facts()).paused).toMatchObject({ by: 'hand' });
  expect(await pauseDestination(store, 'none', 'x')).toBe(false);
});

it('a destination fails since its circuit opened first, however often it is asked meanwhile', async () => {
  await put();
  await holdDestination(store, 'crm', { reason: 'failing', until: now() + 5 });
  const since = (await facts()).failingSince ?? 0;
  expect(since).toBeGreaterThan(0);
  // The hold is over, and an attempt asks: as long as that goes on, the circuit is not closed.
  await waitUntil(() => now() > since + 10);
  expect((await facts()).failingSince).toBe(since);
  await holdDestination(store, 'crm', { reason: 'failing', until: now() + MINUTE_MS });
  expect(await facts()).toMatchObject({ failingSince: since, throttledSince: null });
  await releaseDestination(store, 'crm');
  expect((await facts()).failingSince).toBeNull();
});

it('a destination that asked for a pause long ago is not throttled now', async () => {
  await put();
  await holdDestination(store, 'crm', { reason: 'throttled', until: now() + 50 });
  const since = (await facts()).throttledSince ?? 0;
  expect(since).toBeGreaterThan(0);
  await store.redis.hset('cr:{registry}:troubles', 'crm', `throttled ${since} ${now() - MINUTE_MS - 1}`);
  expect((await facts()).throttledSince).toBeNull();
  await store.redis.hset('cr:{registry}:troubles', 'crm', `throttled 1 ${now() - MINUTE_MS - 1_000}`);
  await holdDestination(store, 'crm', { reason: 'throttled', until: now() + 50 });
  expect((await facts()).throttledSince).toBeGreaterThanOrEqual(since);
});

it('its attempts are summed up since it was made, and a new one of its name begins anew', async () => {
  await put();
  const counts = createHourCounts(store, { onError });
  const attempt = (code: string | undefined, isFirst = true) =>
    counts.add({
      destinationId: 'crm',
      durationMs: 40,
      outcome: { kind: code === undefined ? 'delivered' : 'retry' },
      isFirst,
      error: code === undefined ? undefined : { code },
    });
  attempt('destination_timeout');
  attempt('destination_refused');
  attempt('destination_refused', false);
  await counts.stop();
  expect(await facts()).toMatchObject({
    attempts: 3,
    everDelivered: false,
    lastErrorCode: 'destination_refused',
    isRefusedByGuard: true,
    firstAttempts: { ended: 2, failed: 2 },
    attemptsLastHour: 3,
  });
  const later = createHourCounts(store, { onError });
  later.add({ destinationId: 'crm', durationMs: 40, outcome: { kind: 'delivered' }, isFirst: true });
  await waitUntil(() => Date.now() > 0);
  await later.stop();
  expect(await facts()).toMatchObject({
    attempts: 4,
    everDelivered: true,
    lastErrorCode: 'destination_refused',
    firstAttempts: { ended: 3, failed: 2 },
  });
  expect(await readDestinationFacts(store, Date.now() + 12 * MINUTE_MS)).toMatchObject([
    { firstAttempts: { ended: 0, failed: 0 } },
  ]);
  await removeDestination(store, 'crm');
  await put();
  expect(await facts()).toMatchObject({ attempts: 0, everDelivered: false, lastErrorCode: null });
});

it('the totals wait in memory while Redis is away, and none is lost', async () => {
  await put();
  const own = await openStore({ role: 'producer' });
  await own.ready();
  const errors: unknown[] = [];
  const counts = createHourCounts(own, { onError: (error) => errors.push(error), writeMs: 50 });
  own.redis.disconnect();
  counts.add({ destinationId: 'crm', durationMs: 1, outcome: { kind: 'retry' }, error: { code: 'a' } });
  await waitUntil(() => errors.length > 1, { timeoutMs: 20_000 });
  counts.add({ destinationId: 'crm', durationMs: 1, outcome: { kind: 'retry' }, error: { code: 'b' } });
  await own.redis.connect();
  await counts.stop();
  await own.close();
  expect(await facts()).toMatchObject({ attempts: 2, lastErrorCode: 'b' });
});

it('a consumer is known by when it last asked, and the certificate by its last handshake', async () => {
  await put();
  const notes = createDestinationNotes(store, { onError });
  const before = now();
  notes.asked('crm');
  notes.certificate('crm', 1_800_000_000_000);
  await notes.stop();
  const { lastAskedAt, certificateEndsAt } = await facts();
  // The estimate of Redis' clock may be corrected in between, by a few milliseconds.
  expect(lastAskedAt).toBeGreaterThan(before - 1_000);
  expect(certificateEndsAt).toBe(1_800_000_000_000);
  // One of the same name that is made later was never asked for.
  await removeDestination(store, 'crm');
  await waitUntil(() => now() > (lastAskedAt ?? 0) + 5);
  await put();
  expect((await facts()).lastAskedAt).toBeNull();
});

it('while two secrets are live it says when the older ends', async () => {
  const until = toIso(Date.now() + HOUR_MS);
  await put({ timeoutMs: 8_000, secret: ['whsec_new', { secret: 'whsec_old', until }] });
  expect(await facts()).toMatchObject({ timeoutMs: 8_000, oldSecretEndsAt: Date.parse(until) });
  await put({ secret: ['whsec_new', { secret: 'whsec_old', until: toIso(Date.now() - 1) }] });
  expect(await facts()).toMatchObject({ timeoutMs: null, oldSecretEndsAt: null });
});
