import { type LoggedEvent, parseCallback, shardOf } from '@clickrelay/core';
import { sampleCallback } from '@clickrelay/simulator';
import { beginSlotMove, type RedisCluster, type SlotMove, startRedisCluster } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { newConversations, RECEIVED_AT } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { createAttemptLog } from '../deliveries/attempt-log.ts';
import { listDeliveries } from '../deliveries/read-deliveries.ts';
import { createCommitter } from '../intake/commit.ts';
import { waitKey } from '../jobs/keys.ts';
import { createEventLog } from '../log/append.ts';
import { keySlot } from './key-slot.ts';
import { eventKeys, ingestQueue, shardKeys } from './names.ts';
import { readCluster } from './read-cluster.ts';
import { ingestQueues, type Store } from './store.ts';

/** A slot that stays open is the worst moment of a move: it may last for as long as nobody mends it. */
const { redis, store, openStore } = useStore<RedisCluster>({
  freshPerTest: 'nothing',
  start: () => startRedisCluster({ withReplicas: false, nodeTimeoutMs: 15_000 }),
});

const keysOnTwoMasters = async (of: Store): Promise<string[]> => {
  const keys = (await Promise.all(of.servers().map((server) => server.keys('*')))).flat();
  return keys.filter((key, at) => keys.indexOf(key) !== at);
};

const attempt = (eventId: string) => ({
  eventId,
  destinationId: 'crm',
  startedAtMs: 1,
  durationMs: 1,
  outcome: { kind: 'delivered' as const },
  error: undefined,
  status: 200,
  response: '',
});

describe('while the slot of one shard of the log is open', () => {
  it('only its events are kept back, nothing is written twice, and attempts are recorded all the same', async () => {
    const log = createEventLog(store, { dedupeTtlMs: 3_600_000 });
    const early = newConversations(400);
    await log.append('m001', early, Date.now());
    const shard = shardOf(early[0]?.event.id as string);
    const isThere = ({ event }: LoggedEvent): boolean => shardOf(event.id) === shard;
    const move = await beginSlotMove(redis, keySlot(shardKeys(shard).log));
    await move.moveKeys(3);

    const late = newConversations(200);
    const expected = (there: string | undefined) => late.map((event) => (isThere(event) ? there : 'new'));
    const first = await log.appendWhatCanBe('m002', late, Date.now());
    expect(first.logged).toEqual(expected(undefined));
    expect(first.error).toBeInstanceOf(Error);
    const since = performance.now();
    const again = await log.appendWhatCanBe('m002', late, Date.now());
    expect(again.logged.filter((one) => one === undefined)).toHaveLength(late.filter(isThere).length);
    expect(performance.now() - since).toBeLessThan(2_000);

    const attempts = createAttemptLog(store);
    const recorded = early.filter(isThere).map(({ event }) => event.id);
    expect(recorded.length).toBeGreaterThan(1);
    await Promise.all(recorded.map((id) => attempts.record(attempt(id))));
    for (const id of recorded) {
      expect((await listDeliveries(store, id)).map(({ state }) => state)).toEqual(['delivered']);
    }
    expect(await keysOnTwoMasters(store)).toEqual([]);

    await move.end();
    await expect
      .poll(async () => (await log.appendWhatCanBe('m002', late, Date.now())).logged, { timeout: 20_000 })
      .toEqual(late.map(() => 'claimed'));
    expect(await keysOnTwoMasters(store)).toEqual([]);
    for (const id of recorded) expect(await store.redis.exists(eventKeys(id).record)).toBe(1);
  });
});

describe('while the slot of one ingest queue is open', () => {
  it('callbacks go to the other queues, in time', async () => {
    const receiver = await openStore({ role: 'producer' });
    await receiver.ready();
    const committer = createCommitter(receiver, { deadlineMs: 1_000 });
    const commit = () =>
      committer.commit(parseCallback(Buffer.from(JSON.stringify(sampleCallback('moText')))), RECEIVED_AT);
    for (let count = 0; count < 32; count++) await commit();
    const waitingIn = (): Promise<number[]> =>
      Promise.all(ingestQueues(store, 'messages').map((name) => store.redis.llen(waitKey(name))));
    const before = await waitingIn();
    const queue = ingestQueue('messages', 3);
    const move = await beginSlotMove(redis, keySlot(`${queue.prefix}:x`));
    await move.moveKeys(2);
    for (let count = 0; count < 64; count++) await commit();
    const after = await waitingIn();
    expect(after[3]).toBe(before[3]);
    // One that a busy machine answered late is in a second queue as well.
    const added = (counts: number[]): number => counts.reduce((sum, jobs) => sum + jobs);
    expect(added(after) - added(before)).toBeGreaterThanOrEqual(64);
    expect(await keysOnTwoMasters(store)).toEqual([]);
    await committer.close();
    await move.end();
  });
});

describe('the open slots of a Cluster', () => {
  it('are told with their keys, until they are closed', async () => {
    expect(await readCluster(store)).toEqual({ isDown: false, moving: {} });
    const slot = keySlot(shardKeys(63).log);
    const move: SlotMove = await beginSlotMove(redis, slot);
    expect(await readCluster(store)).toEqual({
      isDown: false,
      moving: { [slot]: [expect.any(Number), expect.any(Number)] },
    });
    await move.end();
    expect(await readCluster(store)).toEqual({ isDown: false, moving: {} });
  });
});
