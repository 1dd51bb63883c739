import { HOUR_MS, type LoggedEvent, MINUTE_MS, shardOf } from '@clickrelay/core';
import { expect, it } from 'vitest';
import { newConversations } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { putDestination } from '../destinations/destinations.ts';
import { readLogFacts } from '../facts/log-facts.ts';
import { createEventLog } from '../log/append.ts';
import { createMessageIndex } from '../log/message-index.ts';
import { shardKeys } from '../redis/names.ts';
import { checkLedger } from './ledger-check.ts';

const { store } = useStore();

const logAgo = async (agoMs: number, events: readonly LoggedEvent[], routes: readonly string[] = []): Promise<void> => {
  const log = createEventLog(store, { dedupeTtlMs: HOUR_MS });
  await log.append(
    'm1',
    events.map((event) => ({ ...event, routes })),
    Date.now(),
  );
  for (const { event } of events)
    await store.redis.zadd(shardKeys(shardOf(event.id)).log, String((Date.now() - agoMs) * 1_000), event.id);
};
const check = () => checkLedger(store, { by: 'test', signal: new AbortController().signal });

it('a check looks up some events by their message, and tells how many are not found', async () => {
  expect(await check()).toMatchObject({ sampled: 0, notIndexed: 0 });
  const events = newConversations(30);
  await logAgo(HOUR_MS, events);
  const lost = await check();
  expect(lost?.sampled).toBeGreaterThan(5);
  expect(lost?.notIndexed).toBe(lost?.sampled);
  expect(await readLogFacts(store, Date.now())).toMatchObject({ sampled: lost?.sampled, notIndexed: lost?.sampled });
  await createMessageIndex(store).add(events.map(({ event }) => event));
  expect(await check()).toMatchObject({ notIndexed: 0 });
  // The index of an event is written behind its delivery.
  await store.redis.flushall();
  await logAgo(MINUTE_MS / 2, newConversations(10));
  expect(await check()).toMatchObject({ sampled: 0, notIndexed: 0 });
});

it('a check keeps what the one before it found', async () => {
  await putDestination(store, { id: 'crm', type: 'webhook', events: ['*'], paused: null, config: {} });
  await createEventLog(store, { dedupeTtlMs: HOUR_MS }).append(
    'm1',
    newConversations(2).map((event) => ({ ...event, routes: ['crm'] })),
    Date.now(),
  );
  expect(await check()).toMatchObject({ unaccounted: { crm: 2 }, unaccountedBefore: {} });
  expect(await check()).toMatchObject({ unaccounted: { crm: 2 }, unaccountedBefore: { crm: 2 } });
});
