import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { idsOf, newConversations } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { readEnded } from '../deliveries/read-deliveries.ts';
import { putDestination } from '../destinations/destinations.ts';
import { createDispatcher } from '../jobs/dispatcher.ts';
import { readLedger } from '../ledger/ledger.ts';
import { createEventLog } from '../log/append.ts';
import { destinationQueue } from '../redis/names.ts';
import { countSelected } from './count-selected.ts';
import { removeDeadLetters } from './remove-dead-letters.ts';

const { store } = useStore();

/** As a worker leaves them. @returns their events */
const bury = async (destinationId: string, count: number): Promise<string[]> => {
  await putDestination(store, { id: destinationId, type: 'webhook', events: ['*'], paused: null, config: {} });
  const events = newConversations(count);
  await createEventLog(store, { dedupeTtlMs: 60_000 }).append('m1', events, Date.now());
  const ids = idsOf(events);
  const job = { x: 'answered 500' };
  await enqueueDeliveries(
    store,
    destinationId,
    ids.map((eventId) => ({ eventId, job })),
  );
  let taken = 0;
  const dispatcher = createDispatcher(store, { onError: () => {} });
  await dispatcher.add({
    queue: destinationQueue(destinationId),
    room: () => 100,
    run: async () => {
      taken++;
      return { kind: 'dead_letter', reason: job.x };
    },
  });
  await waitUntil(() => taken === count);
  await dispatcher.close(5_000);
  return ids;
};

const matched = async (selection: object = {}) =>
  (await countSelected(store, { state: 'dead_letter', ...selection })).matched;

describe('a removal of many dead letters', () => {
  it('that has no time for all of them says how far it came, and goes on when it is asked again', async () => {
    const ids = await bury('crm', 250);
    await bury('other', 3);
    let removed = 0;
    const seen: number[] = [];
    const selection = { destinationId: 'crm' };
    while ((await matched(selection)) !== 0) {
      seen.push(await removeDeadLetters(store, selection, { maxMs: 0, onRemoved: () => removed++ }));
      expect(await matched(selection)).toBe(250 - removed);
    }
    expect([seen, removed, await matched()]).toEqual([[100, 100, 50], 250, 3]);
    for (const id of ids) expect(await readEnded(store, id)).toEqual(new Set(['crm']));
    const [crm, other] = (await readLedger(store)).destinations;
    expect([crm?.removed, crm?.unaccounted, other?.dead]).toEqual([250, 0, 3]);
  });

  it('leaves alone what became a dead letter after it was looked at', async () => {
    const ids = await bury('crm', 2);
    const failed = store.queue(destinationQueue('crm')).toKey('failed');
    await store.redis.zadd(failed, '1000', ids[0] as string, '2000', ids[1] as string);
    const onRemoved = () => {};
    expect(await removeDeadLetters(store, { until: 2_000 }, { maxMs: 1_000, onRemoved })).toBe(1);
    expect(await store.redis.zrange(failed, '0', '-1')).toEqual([ids[1]]);
  });
});
