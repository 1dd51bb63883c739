import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
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
