import { setTimeout as sleep } from 'node:timers/promises';
import { endWithParent, listenForStop } from '../src/process/index.ts';

/* Loses its parent at the step that its argument names, and says where it is. */
const [losesParent] = process.argv.slice(2);
const say = (text: string) => process.stdout.write(`${text}\n`);
const hold = setInterval(() => {}, 1_000);

say('loading');
while (losesParent === 'while its modules load' && process.connected) await sleep(10);
const started = endWithParent();
if (losesParent === 'while it starts') {
  say('starting');
  await new Promise(() => {});
}
started();
while (losesParent === 'just before it listens' && process.connected) await sleep(10);
const stop = listenForStop();
say('listening');
await stop.told;
say('told');
clearInterval(hold);
