import { startFaultProxy, waitUntil } from '@clickrelay/testkit';
import { expect, it } from 'vitest';
import { CRM, consume, DONE, useDispatcher } from '../../test/use-dispatcher.ts';
import { createDispatcher } from './dispatcher.ts';
import { lockKey } from './keys.ts';

const test = useDispatcher();

it('sends a settlement that Redis refused again, while a lock of minutes holds the job', async () => {
  const proxy = await startFaultProxy(test.redis.port);
  const store = await test.openStore({ redisUrl: proxy.url, role: 'producer' });
  await store.ready();
  const errors: unknown[] = [];
  const dispatcher = createDispatcher(store, { onError: (error) => errors.push(error) });
  const consumer = consume(
    CRM,
    async ({ id, token }) => {
      if (consumer.taken.length > 1) return DONE;
      await store.redis.set(lockKey(CRM, id), token, 'PX', 600_000);
      // The settlement is the next script.
      proxy.cutAt({ command: 1, moment: 'refused', names: ['EVALSHA', 'EVAL'] });
      return { kind: 'return' };
    },
    1,
    { newToken: () => `held-${consumer.taken.length}` },
  );
  await dispatcher.add(consumer);
  await test.add(CRM, 'a');
  await waitUntil(() => consumer.taken.length === 2, { timeoutMs: 20_000 });
  expect(errors).toHaveLength(1);
  await dispatcher.close(1_000);
  await store.close();
  await proxy.close();
});
