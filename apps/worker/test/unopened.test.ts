import { putDestination, removeDestination } from '@clickrelay/queue';
import { waitUntil } from '@clickrelay/testkit';
import { expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const test = useWorker();

it('tells which destinations it cannot open, and why: one of no adapter is not taken for one of `pull`', async () => {
  const { store } = test;
  const put = (id: string, type: string): Promise<void> =>
    putDestination(store, { id, type, events: ['*'], paused: null, config: {} });
  await put('chat', 'chat');
  await put('bot', 'pull');
  await put('crm', 'webhook');
  await test.start();
  expect(test.unopened()?.sort((a, b) => (a.destinationId < b.destinationId ? -1 : 1))).toEqual([
    { destinationId: 'chat', code: 'adapter_missing' },
    { destinationId: 'crm', code: 'destination_invalid' },
  ]);
  await put('chat', 'pull');
  await removeDestination(store, 'crm');
  await waitUntil(() => test.unopened()?.length === 0);
});
