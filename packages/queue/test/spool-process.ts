import { openSpool } from '../src/spool/spool.ts';
import { RECEIVED_AT } from './sample-events.ts';

/* Spools numbers as fast as it can, 16 at a time, and prints each one that was acknowledged. Until it is killed. */

const spool = await openSpool({ dir: process.env['DIR'] as string, segmentBytes: 20_000 });
let number = Number(process.env['FROM']);

const client = async (): Promise<void> => {
  for (;;) {
    const mine = number++;
    await spool.append({ kind: 'callback', lane: 'messages', receivedAt: RECEIVED_AT, text: String(mine) });
    process.stdout.write(`${mine}\n`);
  }
};
await Promise.all(Array.from({ length: 16 }, client));
