import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { newConversations } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { createAttemptLog } from '../deliveries/attempt-log.ts';
import { putDestination } from '../destinations/destinations.ts';
import { createEventLog } from '../log/append.ts';
import { createReplay, readReplay, setReplayState } from './replays.ts';
import { startReplays } from './run-replays.ts';

const { store } = useStore();

const make = () => createReplay(store, { selection: { state: 'dead_letter' }, rate: null, by: 'test' }, Date.now());
const isDone = (id: string) => waitUntil(async () => (await readReplay(store, id))?.state === 'done');
const start = () => {
  const errors: unknown[] = [];
  return { ...startReplays(store, { onError: (error) => errors.push(error) }), errors };
};

/** How often the server was asked for each command. */
const countCommands = async (): Promise<Record<string, number>> => {
  const lines = (await store.redis.info('commandstats')).matchAll(/cmdstat_([^:]+):calls=(\d+)/g);
  return Object.fromEntries([...lines].map(([, name, calls]) => [name, Number(calls)]));
};

describe('a worker', () => {
  it('asks one thing of Redis at each look while no replay runs, however many are kept', async () => {
    await setReplayState(store, (await make()).id, 'paused');
    const runner = start();
    for (const { id } of await Promise.all([make(), make(), make()])) await isDone(id);
    await store.redis.config('RESETSTAT');
    await waitUntil(async () => ((await countCommands())['smembers'] ?? 0) >= 4, { everyMs: 100 });
    expect(Object.keys(await countCommands()).sort()).toEqual(['config|resetstat', 'info', 'smembers']);
    await runner.stop();
    expect(runner.errors).toEqual([]);
  });

  it('takes over the replay of a worker that died, when its lock has run out', async () => {
    const { id } = await make();
    await store.redis.set(`cr:{registry}:replay:${id}:lock`, 'a worker that died', 'PX', 3_000);
    const runner = start();
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect((await readReplay(store, id))?.state).toBe('running');
    await isDone(id);
    await runner.stop();
  });

  it('carries out again what was paused, once it is let go on', async () => {
    const { id } = await make();
    await setReplayState(store, id, 'paused');
    const runner = start();
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect((await readReplay(store, id))?.state).toBe('paused');
    await setReplayState(store, id, 'running');
    await isDone(id);
    expect((await setReplayState(store, id, 'running'))?.state).toBe('done');
    expect(await store.redis.smembers('cr:{registry}:replays:running')).toEqual([]);
    await runner.stop();
  });
});

describe('a replay with a rate', () => {
  /** To the pull destination `bot`, whose consumer has had them all. */
  const deliver = async (count: number): Promise<void> => {
    await putDestination(store, { id: 'bot', type: 'pull', events: ['*'], paused: null, config: {} });
    const events = newConversations(count);
    await createEventLog(store, { dedupeTtlMs: 60_000 }).append('m1', events, Date.now());
    const attempts = createAttemptLog(store, { lingerMs: 0 });
    for (const { event } of events) {
      await attempts.record({
        eventId: event.id,
        destinationId: 'bot',
        startedAtMs: 1,
        durationMs: 1,
        outcome: { kind: 'delivered' },
        status: null,
        error: undefined,
        response: '',
      });
    }
  };
  const makeSlow = () =>
    createReplay(store, { selection: { state: 'delivered' }, rate: '1/m', by: 'test' }, Date.now() + 1);
  const replayed = async (id: string) => (await readReplay(store, id))?.replayed;
  const lockOf = (id: string) => `cr:{registry}:replay:${id}:lock`;
  /** A worker that pauses keeps its lock: the time that is left of it grows again. */
  const isRenewed = async (id: string) => {
    let least = Number.POSITIVE_INFINITY;
    await waitUntil(
      async () => {
        const left = await store.redis.pttl(lockOf(id));
        const hasGrown = left > least;
        least = Math.min(least, left > 0 ? left : least);
        return hasGrown;
      },
      { timeoutMs: 20_000 },
    );
  };

  it('is left at once by a worker that stops in a pause, and goes on in another at the same rate', async () => {
    await deliver(3);
    const { id } = await makeSlow();
    const first = start();
    await waitUntil(async () => (await replayed(id)) === 1);
    // Before, it was stopped after the pause: a minute later.
    await first.stop();
    expect(await store.redis.exists(lockOf(id))).toBe(0);

    const second = start();
    await waitUntil(async () => (await store.redis.exists(lockOf(id))) === 1);
    await isRenewed(id);
    expect(await replayed(id)).toBe(1);
    await second.stop();
    expect([...first.errors, ...second.errors]).toEqual([]);
  }, 60_000);

  it('belongs to one worker also while it pauses for longer than the lock', async () => {
    await deliver(2);
    const { id } = await makeSlow();
    const workers = [start(), start()];
    await waitUntil(async () => (await replayed(id)) === 1);
    const holder = await store.redis.get(lockOf(id));
    await isRenewed(id);
    expect(await store.redis.get(lockOf(id))).toBe(holder);
    await Promise.all(workers.map(({ stop }) => stop()));
    expect(await replayed(id)).toBe(1);
    expect(workers.flatMap(({ errors }) => errors)).toEqual([]);
  }, 60_000);
});
