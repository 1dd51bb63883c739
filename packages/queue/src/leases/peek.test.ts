import { deliveryId, type LoggedEvent, splitCallback } from '@clickrelay/core';
import { describe, expect, it } from 'vitest';
import { newEvents } from '../../test/sample-events.ts';
import { useLeases } from '../../test/use-leases.ts';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { createEventLog } from '../log/append.ts';
import { type Peeked, peekRecent, peekWaiting } from './peek.ts';

const test = useLeases();
const { addDestination, addEvents, store, take, takeOne, takeSome } = test;

const peek = async (id: string, limit: number): Promise<Peeked[]> =>
  peekWaiting(store, await test.leases.destination(id), limit);

describe('a peek', () => {
  it('shows what waits, the oldest first, and takes nothing', async () => {
    const id = await addDestination();
    const events = await addEvents(id, 3);
    const shown = await peek(id, 2);
    expect(shown.map(({ event }) => event)).toEqual(events.slice(0, 2));
    expect(shown[0]).toMatchObject({ attempt: 1, deliveryId: deliveryId(events[0]?.event.id ?? '', id) });
    expect(await takeSome(id, 3)).toHaveLength(3);
    expect(await peek(id, 2)).toEqual([]);
  });

  it('shows messages before the statuses that came earlier, as they are leased', async () => {
    const id = await addDestination();
    const [status] = newEvents(1, 'messageStatusUpdate') as [LoggedEvent];
    await createEventLog(store, { dedupeTtlMs: 60_000 }).append('status', [status], Date.now());
    await enqueueDeliveries(store, id, [{ eventId: status.event.id, isSecond: true }]);
    const [message] = (await addEvents(id, 1)) as [LoggedEvent];
    const shown = (await peek(id, 5)).map(({ event }) => event.event.id);
    expect(shown).toEqual([message.event.id, status.event.id]);
    const first = await takeOne(id);
    expect(first.event).toEqual(message);
    await test.leases.giveBack(id, [await takeOne(id)]);
    expect((await takeOne(id)).event).toEqual(status);
  });

  it('finds the newest in the log that the destination would want', async () => {
    const id = await addDestination();
    const [one, two] = await addEvents(id, 2);
    const destination = { ...(await test.leases.destination(id)), events: ['moText'] };
    const [newest] = await peekRecent(store, destination, 1);
    expect([one?.event.id, two?.event.id]).toContain(newest?.event.event.id);
    expect(await peekRecent(store, { ...destination, events: ['moMedia'] }, 1)).toEqual([]);
  });
});

describe('large events', () => {
  it('are handed out and shown as many at a time as an answer may hold, and all in the end', async () => {
    const id = await addDestination();
    const content = 'A'.repeat(6 * 1024 * 1024);
    const events = [1, 2, 3, 4].map((n) => {
      const callback = { event: { moMedia: [{ messageId: `${id}-${n}`, content }] } };
      return splitCallback(JSON.stringify(callback), '2026-03-01T12:00:00.000Z')[0] as LoggedEvent;
    });
    await createEventLog(store, { dedupeTtlMs: 60_000 }).append(id, events, Date.now());
    await enqueueDeliveries(
      store,
      id,
      events.map(({ event }) => ({ eventId: event.id })),
    );
    expect(await peek(id, 10)).toHaveLength(3);
    const taken: string[] = [];
    while (taken.length < events.length) {
      const some = await take(id, { max: 10, waitMs: 10_000 });
      expect(some.length).toBeLessThan(3);
      taken.push(...some.map(({ event }) => event.event.id));
      for (const { attempt } of some) expect(attempt).toBe(1);
    }
    expect(taken.sort()).toEqual(events.map(({ event }) => event.id).sort());
  });
});
