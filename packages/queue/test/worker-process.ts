import { createDispatcher, destinationQueue, openStore } from '@clickrelay/queue';

/*
 * A worker of its own, to be killed, stopped, or left to end: `worker-process.ts <redis url> <destination id> hold|once`.
 * With `hold` it keeps what it took until it gets SIGUSR2; with `once` it closes everything after its first job, and the
 * process has to end by itself.
 */

const [redisUrl = '', name = '', mode = ''] = process.argv.slice(2);
const store = await openStore({ redisUrl, role: 'consumer' });
const dispatcher = createDispatcher(store, { onError: (error) => console.log(`error ${(error as Error).message}`) });
const released = new Promise<void>((resolve) => process.once('SIGUSR2', resolve));

dispatcher.add({
  queue: destinationQueue(name),
  room: () => 10,
  run: async ({ id }) => {
    console.log(`took ${id}`);
    if (mode === 'hold') await released;
    else setImmediate(end);
    return { kind: 'done' };
  },
});

const end = async (): Promise<void> => {
  await dispatcher.close(1_000);
  await store.close();
  process.removeAllListeners('SIGUSR2');
  console.log('closed');
};
console.log('ready');
