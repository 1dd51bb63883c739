import { listenForStop } from '../src/process/index.ts';

/* Says when it is told to stop, but never stops. */
const stop = listenForStop();
setInterval(() => {}, 1_000);
process.stdout.write('listening\n');
await stop.told;
process.stdout.write(`told ${stop.signal.aborted}\n`);
