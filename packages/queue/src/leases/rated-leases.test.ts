import { fairNow, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { newEvent, newEvents } from '../../test/sample-events.ts';
import { useLeases } from '../../test/use-leases.ts';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { createOrdering } from '../deliveries/ordering.ts';
import { putDestination } from '../destinations/destinations.ts';
import { createEventLog } from '../log/append.ts';
import type { Leases } from './leases.ts';

const test = useLeases();
const { addDestination, addEvents, openLeases, store, take, takeAny, takeOne } = test;

describe('a destination with a rate', () => {
  const takeAll = async (id: string, count: number, by: Leases[]): Promise<{ at: number; times: number[] }> => {
    const since = performance.now();
    const times: number[] = [];
    const consume = async (from: Leases): Promise<void> => {
      while (times.length < count) {
        for (const lease of await takeAny(id, { max: 10, waitMs: 300 }, from)) {
          times.push(performance.now() - since);
          await from.ack(id, lease);
        }
      }
    };
    await Promise.all(by.map(consume));
    return { at: performance.now() - since, times };
  };

  it('hands out no more than that, by all processes together, and everything in the end', async () => {
    const id = await addDestination({ rate: '20/s' });
    const events = await addEvents(id, 40);
    const { at, times } = await takeAll(id, 40, [test.leases, await openLeases(), test.leases]);
    expect(times).toHaveLength(events.length);
    // Two in each tenth of a second; the first come at once.
    expect(at).toBeGreaterThan(1_800);
  });

  it('answers whoever only looks at once when its rate is used up', async () => {
    const id = await addDestination({ rate: '1/h' });
    await addEvents(id, 3);
    await takeOne(id);
    const since = fairNow();
    expect(await take(id)).toEqual([]);
    expect(await take(id)).toEqual([]);
    expect(fairNow() - since).toBeLessThan(2_000);
    expect(await take(id, { waitMs: 300 })).toEqual([]);
  });

  it('obeys another rate as soon as it has one', async () => {
    const id = await addDestination({ rate: '1/h' });
    await addEvents(id, 3);
    await takeOne(id);
    const waiting = takeOne(id);
    await putDestination(store, { id, type: 'pull', events: ['*'], paused: null, config: {} });
    expect(await waiting).toMatchObject({ attempt: 1 });
  });

  it('does not count what it did not hand out', async () => {
    const id = await addDestination({ ordering: 'conversation' });
    const events = newEvents(6);
    const other = newEvent('moText', { from: '27832' });
    await createEventLog(store, { dedupeTtlMs: 60_000 }).append(id, [...events, other], Date.now());
    await createOrdering(store, id).join([...events, other].map(({ event }) => event));
    await enqueueDeliveries(
      store,
      id,
      [...events, other].map(({ event }) => ({ eventId: event.id })),
    );
    expect((await takeOne(id)).event).toEqual(events[0]);
    const config = { rate: '1/h', ordering: 'conversation' };
    await putDestination(store, { id, type: 'pull', events: ['*'], paused: null, config });
    await waitUntil(async () => (await test.leases.destination(id)).config['rate'] === '1/h');
    // Five of the same conversation lie before it.
    expect((await takeOne(id)).event).toEqual(other);
    await addEvents(id, 1);
    expect(await take(id)).toEqual([]);
  });
});
