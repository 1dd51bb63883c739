import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@clickrelay/service/machine';
import { startRedis } from '@clickrelay/testkit';
import { expect, it } from 'vitest';
import { openStore } from '../redis/store.ts';
import { createDispatcher } from './dispatcher.ts';

it('a dispatcher that is not connected yet, in a process that buffers nothing, reports no error for it', async () => {
  const port = await freePort();
  const store = await openStore({ redisUrl: `redis://127.0.0.1:${port}`, role: 'producer', onError: () => {} });
  const errors: unknown[] = [];
  const dispatcher = createDispatcher(store, { onError: (error) => errors.push(error) });
  // Nothing may happen, for longer than its first look waits.
  await sleep(1_000);
  expect(errors).toEqual([]);
  const redis = await startRedis({ port });
  await store.ready();
  await dispatcher.close(1_000);
  expect(errors).toEqual([]);
  await store.close();
  await redis.stop();
});
