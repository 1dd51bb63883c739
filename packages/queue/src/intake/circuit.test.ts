import { fairNow, type RedisServer, startRedis, waitUntil } from '@clickrelay/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DurabilityWatch, watchDurability } from '../redis/durability.ts';
import { openStore, type Store } from '../redis/store.ts';
import { type Circuit, watchCircuit } from './circuit.ts';

let redis: RedisServer;
let store: Store;
let durability: DurabilityWatch;
let circuit: Circuit;
let changes: boolean[];

beforeEach(async () => {
  redis = await startRedis();
  store = await openStore({ redisUrl: redis.url, role: 'producer' });
  durability = watchDurability(store, { mode: 'always', intervalMs: 200 });
  changes = [];
  const onChange = (isClosed: boolean): void => void changes.push(isClosed);
  circuit = watchCircuit(store, { isSafe: () => durability.current().ready, onChange });
  await circuit.whenClosed();
});
afterEach(async () => {
  circuit.stop();
  durability.stop();
  await redis.kill('SIGCONT');
  await store.close();
  await redis.stop();
});

const opened = (): Promise<boolean> => waitUntil(() => !circuit.isClosed);

describe('Redis is used', () => {
  it('no more when it freezes, and again as soon as it goes on', async () => {
    await redis.kill('SIGSTOP');
    await opened();
    await redis.kill('SIGCONT');
    const backAt = fairNow();
    await circuit.whenClosed();
    expect(fairNow() - backAt).toBeLessThan(3_000);
    expect(changes.slice(0, 3)).toEqual([true, false, true]);
  });

  it('no more when a write failed, until it takes one', async () => {
    await store.redis.config('SET', 'maxmemory', '1');
    circuit.open();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(circuit.isClosed).toBe(false);
    await store.redis.config('SET', 'maxmemory', '0');
    await circuit.whenClosed();
  });

  it('no more when its settings are found to lose what is acknowledged', async () => {
    await store.redis.config('SET', 'appendfsync', 'no');
    await opened();
    await store.redis.config('SET', 'appendfsync', 'always');
    await circuit.whenClosed();
  });

  it('not before the settings of one that came back were read', async () => {
    const safeAtReady: boolean[] = [];
    store.redis.on('ready', () => safeAtReady.push(durability.current().ready));
    await redis.kill('SIGKILL');
    const forgetful = await startRedis({ port: redis.port, args: ['--appendonly', 'no'] });
    try {
      await waitUntil(() => safeAtReady.length > 0);
      await waitUntil(() => durability.current().problems.some(({ setting }) => setting === 'appendonly'));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect([safeAtReady, circuit.isClosed, changes]).toEqual([[false], false, [true, false]]);
    } finally {
      await forgetful.stop();
    }
  });
});
