import { adoptStore, inspectStore } from '@clickrelay/queue';
import { waitUntil } from '@clickrelay/testkit';
import { expect, test } from 'vitest';
import {
  committed,
  drained,
  fresh,
  readyz,
  send,
  start,
  stopReceiver,
  store,
  useSpoolingReceiver,
} from './use-spooling-receiver.ts';

useSpoolingReceiver();

const problems = async (): Promise<string[]> => (await readyz()).body.problems.map(({ setting }) => setting);

test('after FLUSHALL callbacks are spooled, also after a restart, until a person adopts the Redis', async () => {
  await start();
  expect((await send(fresh())).status).toBe(200);
  const gone = (await inspectStore(store)).mark?.id as string;
  await store.redis.flushall();
  const sent = [fresh(), fresh()] as const;
  expect((await send(sent[0])).status).toBe(200);
  const { status, body } = await readyz();
  expect([status, body.durability, body.spool?.records]).toEqual([200, 'spool', 1]);
  expect(body.problems).toEqual([
    {
      setting: 'store',
      value: `gone: this Redis was emptied or exchanged; it held ${gone}`,
      mend: 'bring its data back, or take this Redis for ours: clickrelay doctor --adopt',
    },
  ]);

  await stopReceiver();
  await start();
  expect((await send(sent[1])).status).toBe(200);
  await waitUntil(async () => (await problems()).join() === 'store');
  expect((await inspectStore(store)).mark).toBe(null);

  await adoptStore(store, [gone]);
  await drained();
  // The first is there twice: it was written before the look behind it. Workers know a repeat.
  expect(new Set(await committed())).toEqual(new Set(sent));
  expect((await readyz()).body).toMatchObject({ durability: 'always', problems: [] });
});

test('without a spool callbacks are refused after FLUSHALL, and the answer says why', async () => {
  await start({ withSpool: false });
  expect((await send(fresh())).status).toBe(200);
  await store.redis.flushall();
  const { status, answer } = await send(fresh());
  expect([status, answer]).toEqual([
    503,
    { error: { code: 'store_lost', message: expect.stringMatching(/^the store is gone: this Redis was emptied or/) } },
  ]);
  expect((await readyz()).status).toBe(503);
});
