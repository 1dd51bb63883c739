import { endInTime, listenForStop } from '../src/process/index.ts';

/* Needs longer to end than it gets. */
const stop = listenForStop();
endInTime(stop, () => process.stdout.write('late\n'), 300);
setInterval(() => {}, 1_000);
process.stdout.write('listening\n');
await stop.told;
process.stdout.write('told\n');
await new Promise(() => {});
