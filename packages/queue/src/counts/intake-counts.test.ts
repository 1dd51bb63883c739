import type { LoggedEvent } from '@clickrelay/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { newEvent, newEvents } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { createEventLog, type EventLog } from '../log/append.ts';
import { readRepeats } from '../log/callback-of-event.ts';
import { shardKeys } from '../redis/names.ts';
import { countIntakeAlone, readIntake, sumIntake } from './intake-counts.ts';

const { store, openStore } = useStore();
let log: EventLog;
beforeEach(async () => {
  log = createEventLog(store, { dedupeTtlMs: 3_600_000 });
});

const withCounts = (event: LoggedEvent, callbacks: number, repeats = 0, ownRepeats = 0) => ({
  ...event,
  counted: { callbacks, repeats, ownRepeats },
});
const append = (claim: string, ...events: Parameters<EventLog['append']>[1]) => log.append(claim, events, Date.now());
// Includes the next hour, in case one begins while a test runs.
const sums = async () => sumIntake(await readIntake(store, {}, Date.now() + 60_000));
const none = { callbacks: 0, events: 0, repeats: 0 };

describe('what came in', () => {
  it('is counted with the events it became, by lane', async () => {
    const [a, b, c] = newEvents(3) as [LoggedEvent, LoggedEvent, LoggedEvent];
    await append('m001', withCounts(a, 1), withCounts(b, 0), withCounts(c, 2, 3));
    await append('s001', withCounts(newEvent('messageStatusUpdate'), 1));
    expect(await sums()).toEqual({
      messages: { callbacks: 3, events: 3, repeats: 3 },
      statuses: { callbacks: 1, events: 1, repeats: 0 },
    });
  });

  it('is counted once, however often its group comes back after a crash', async () => {
    const [a, b] = newEvents(2) as [LoggedEvent, LoggedEvent];
    await append('m001', withCounts(a, 1));
    // The group died after its first event; b came with another one before it could.
    await append('m002', withCounts(b, 1));
    for (let run = 0; run < 3; run++) await append('m001', withCounts(a, 1), withCounts(b, 1, 1, 1));
    await append('m003', withCounts(b, 1));
    for (let run = 0; run < 3; run++) await countIntakeAlone(store, 'm004', { callbacks: 2, repeats: 0 });
    expect(await sums()).toEqual({ messages: { callbacks: 6, events: 2, repeats: 3 }, statuses: none });
    expect(await readRepeats(store, [a.event.id, b.event.id])).toEqual([
      { count: 0, lastAt: null },
      { count: 3, lastAt: expect.any(String) },
    ]);
  });

  it('is known by minute for the last day, and by hour for a month', async () => {
    await append('m001', withCounts(newEvent(), 1));
    const minute = 60_000;
    const hour = 60 * minute;
    const now = Date.now();
    const [at] = (await readIntake(store, {}, now + minute)).spans;
    const inMinutes = await readIntake(store, { from: new Date(now - 24 * hour) }, now + minute);
    expect([inMinutes.step, inMinutes.spans]).toEqual([
      'minute',
      [{ at: expect.any(String), messages: { callbacks: 1, events: 1, repeats: 0 }, statuses: none }],
    ]);
    expect(Math.abs(Date.parse(inMinutes.spans[0]?.at ?? '') - now)).toBeLessThan(2 * minute);
    const inHours = await readIntake(store, { from: new Date(now - 24 * hour), step: 'hour' }, now + minute);
    expect([inHours.step, inHours.spans]).toEqual(['hour', [at]]);
    expect(await readIntake(store, { from: new Date(now - 48 * hour) }, now + minute)).toMatchObject({ step: 'hour' });

    const before = new Date(now - 3 * hour);
    expect(await readIntake(store, { from: before, to: new Date(now - 2 * hour - 1) }, now)).toEqual({
      from: new Date(Math.floor(before.getTime() / minute) * minute).toISOString(),
      to: new Date(Math.ceil((now - 2 * hour - 1) / minute) * minute).toISOString(),
      step: 'minute',
      spans: [],
    });
  });

  it('is counted in the hour of the server, whatever hour this process takes it to be', async () => {
    const other = await openStore();
    const behind = { ...other, clock: { ...other.clock, now: () => Date.now() - 26 * 3_600_000 } };
    await createEventLog(behind, { dedupeTtlMs: 3_600_000 }).append('m001', [withCounts(newEvent(), 1)], Date.now());
    await countIntakeAlone(behind, 'm002', { callbacks: 2, repeats: 0 });
    const { spans } = await readIntake(store, { step: 'hour' }, Date.now());
    expect(spans.map(({ messages }) => messages)).toEqual([{ callbacks: 3, events: 1, repeats: 0 }]);
    expect(Date.now() - Date.parse(spans[0]?.at ?? '')).toBeLessThan(2 * 3_600_000);
  });

  it('expires', async () => {
    await append('m001', withCounts(newEvent(), 1));
    const keys = await store.redis.keys(`${shardKeys(0).prefix}:in:[hd]*`);
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(await store.redis.ttl(key)).toBeGreaterThan(24 * 3_600);
  });
});
