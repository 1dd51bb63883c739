import { expect, it } from 'vitest';
import { newConversations } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { changeDestination, putDestination } from '../destinations/destinations.ts';
import { createEventLog } from '../log/append.ts';
import { createWantedCounts, type WantedCounts } from './wanted-counts.ts';

const { store } = useStore();

const put = (id: string, more: object = {}) =>
  putDestination(store, { id, type: 'webhook', events: ['mo*'], paused: null, config: {}, ...more });
const log = async (count: number, type: string): Promise<void> => {
  const eventLog = createEventLog(store, { dedupeTtlMs: 3_600_000 });
  await eventLog.append('m1', newConversations(count, type), Date.now());
};

const look = async (counts: WantedCounts) => {
  await counts.read();
  await counts.looked();
  return counts.read();
};

it('a destination that wanted none of the newest thousand events is seen, but not before there are as many', async () => {
  await put('all');
  await put('none', { events: ['*'], filter: 'event.from == "nobody"' });
  await put('statuses', { events: ['messageStatusUpdate'] });
  await log(900, 'moText');
  expect(await look(createWantedCounts(store, { everyMs: 60_000 }))).toEqual(new Map());
  await log(200, 'messageStatusUpdate');
  const counts = createWantedCounts(store, { everyMs: 60_000 });
  const found = await look(counts);
  expect(found.get('none')).toBe(0);
  expect((found.get('all') ?? 0) + (found.get('statuses') ?? 0)).toBe(1_000);
  expect(found.get('statuses')).toBeGreaterThan(0);
  // With another filter the count is about another destination.
  await changeDestination(store, 'none', (present) => present && { ...present, filter: 'event.from != "nobody"' });
  expect((await counts.read()).has('none')).toBe(false);
  expect((await look(createWantedCounts(store, { everyMs: 60_000 }))).get('none')).toBe(1_000);
});
