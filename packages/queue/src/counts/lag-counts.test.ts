import { HOUR_MS, MINUTE_MS, toIso } from '@clickrelay/core';
import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { newEvent } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { readLag, readLagFacts } from '../facts/lag-facts.ts';
import { createLagCounts, LAG_BOUNDS_S, readLagHours, sumLag } from './lag-counts.ts';
import { createRefusalCounter } from './refusals.ts';

const { openStore, store } = useStore();

const open = (from = store) =>
  createLagCounts(from, {
    onError: (error) => {
      throw error;
    },
  });

/** Counts a message for each of these lags, in ms. */
const countLags = async (...lagsMs: number[]): Promise<void> => {
  const counts = open();
  for (const lagMs of lagsMs) counts.add('messages', lateBy(lagMs));
  await counts.stop();
};

const RECEIVED_MS = Date.parse('2026-03-01T12:00:00.000Z');
const lateBy = (lagMs: number, type = 'moText', more: object = {}) => ({
  ...newEvent(type).event,
  channel: 'WhatsApp',
  receivedAt: toIso(RECEIVED_MS),
  occurredAt: toIso(RECEIVED_MS - lagMs),
  ...more,
});

/** Of this hour and the one before, in case one ends while a test runs. */
const rows = async () => sumLag(await readLagHours(store, 2, Date.now()));
const facts = () => readLagFacts(store, Date.now());

describe("Clickatell's own lag", () => {
  it('is counted by lane, channel and class of status, whichever worker saw it', async () => {
    const other = await openStore();
    const [ours, theirs] = [open(), open(other)];
    ours.add('messages', lateBy(400));
    theirs.add('messages', lateBy(4_000));
    theirs.add('messages', lateBy(4_000, 'moText', { channel: 'sms' }));
    theirs.add('messages', lateBy(4_000, 'moText', { channel: 'viber' }));
    for (const name of ['delivered', 'failed', 'delivered'])
      ours.add('statuses', lateBy(90_000, 'messageStatusUpdate', { data: { class: name } }));
    await Promise.all([ours.stop(), theirs.stop()]);
    await other.close();
    const found = (await rows()).map(({ lane, channel, class: name, events }) => [lane, channel, name, events]);
    expect(found).toEqual([
      ['messages', 'other', null, 1],
      ['messages', 'sms', null, 1],
      ['messages', 'whatsapp', null, 2],
      ['statuses', 'whatsapp', 'delivered', 2],
      ['statuses', 'whatsapp', 'failed', 1],
    ]);
  });

  it.each(LAG_BOUNDS_S.map((bound, at) => [bound, at] as const))(
    'of exactly %i s is in class %i, and of more in the next one',
    async (bound, at) => {
      await countLags(bound * 1_000, bound * 1_000 + 1);
      const [row] = await rows();
      expect(row?.counts).toEqual(
        LAG_BOUNDS_S.map(() => 0)
          .concat(0)
          .map((_, index) => (index === at || index === at + 1 ? 1 : 0)),
      );
    },
  );

  it('does not count READ: that is when a person looked', async () => {
    const counts = open();
    counts.add('statuses', lateBy(HOUR_MS, 'messageStatusUpdate', { data: { class: 'read' } }));
    await counts.stop();
    expect(await rows()).toEqual([]);
  });

  it('is no lag where the clock here is behind, and says how many there were', async () => {
    await countLags(-1_000, -1_001, -4 * MINUTE_MS, -4 * MINUTE_MS);
    expect(await rows()).toMatchObject([{ events: 4, early: 3, unusable: 0, medianMs: 0 }]);
  });

  it.each([
    ['missing', null],
    ['0', toIso(0)],
    ['in seconds', toIso(RECEIVED_MS / 1_000)],
    ['in the future', toIso(RECEIVED_MS + 6 * MINUTE_MS)],
  ])('knows nothing from a time that is %s, and counts it apart', async (_, occurredAt) => {
    const counts = open();
    counts.add('messages', lateBy(0, 'moText', { occurredAt }));
    await counts.stop();
    expect(await rows()).toMatchObject([{ events: 0, unusable: 1, medianMs: null, p95Ms: null }]);
    expect(await facts()).toEqual({ events: 0, medianMs: null, isOurs: false });
  });

  it('is judged by the messages of the last ten minutes', async () => {
    await countLags(...new Array(30).fill(240_000));
    const statuses = open();
    for (let n = 0; n < 100; n++)
      statuses.add('statuses', lateBy(1, 'messageStatusUpdate', { data: { class: 'delivered' } }));
    await statuses.stop();
    const found = await facts();
    expect(found).toMatchObject({ events: 30, isOurs: false });
    expect(found.medianMs).toBeGreaterThan(60_000);
    expect(found.medianMs).toBeLessThanOrEqual(300_000);
    expect(await readLagFacts(store, Date.now() + 12 * MINUTE_MS)).toMatchObject({ events: 0, medianMs: null });
  });

  it('is ours after a refusal of ours, but not after a stranger without a credential', async () => {
    await countLags(240_000);
    const refusals = createRefusalCounter();
    refusals.count({ status: 401, code: 'missing_credential' });
    await refusals.write(store);
    expect((await facts()).isOurs).toBe(false);
    const before = await readLag(store, 2, Date.now());
    expect(before.rows).toHaveLength(1);
    refusals.count({ status: 503, code: 'queue_unavailable' });
    await refusals.write(store);
    expect((await facts()).isOurs).toBe(true);
    const after = await readLag(store, 2, Date.now());
    expect(after.hours.at(-1)).toMatchObject({ isOurs: true, rows: [{ events: 1 }] });
    expect(after.rows).toEqual([]);
    // What is sent again may come in the hour that follows.
    expect((await readLag(store, 1, Date.now() + HOUR_MS)).hours[0]?.isOurs).toBe(true);
    expect((await readLag(store, 1, Date.now() + 2 * HOUR_MS)).hours[0]?.isOurs).toBe(false);
  });

  it('costs Redis a command a second, and an event less than a few µs', async () => {
    const counts = open();
    const event = lateBy(2_500);
    const since = performance.now();
    for (let n = 0; n < 50_000; n++) counts.add('messages', event);
    // A tenth of it on a machine that does nothing else.
    expect((performance.now() - since) / 50_000).toBeLessThan(0.02);
    await waitUntil(async () => (await rows())[0]?.events === 50_000);
    await counts.stop();
    for (const key of await store.redis.keys('*:lag:*')) expect(await store.redis.ttl(key)).toBeGreaterThan(0);
  });
});
