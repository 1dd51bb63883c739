import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import type { Random } from '../random.ts';
import { startRig } from '../rig.ts';
import type { Row } from '../run.ts';
import { cannotMount, smallDisk } from '../small-disk.ts';

// The spool's own files are damaged, and there is no room to keep the damage.

/** How a record of a segment begins. */
const RECORD = Buffer.from([0x01, 0x43, 0x52, 0x00]);

/**
 * Turns over one bit of one record in a folder of segments.
 * @returns the events in that record
 */
const flipOneBit = (dir: string, random: Random): Set<string> => {
  const segments = readdirSync(dir).filter((name) => name.endsWith('.spool'));
  const path = join(dir, random.pick(segments));
  const bytes = readFileSync(path);
  const begins: number[] = [];
  for (let at = bytes.indexOf(RECORD); at !== -1; at = bytes.indexOf(RECORD, at + 1)) begins.push(at);
  // The last of them may be under way to the disk.
  const index = random.whole(0, begins.length - 2);
  const [from, to] = [begins[index] as number, begins[index + 1] as number];
  const text = bytes.toString('utf8', from, to);
  const place = random.whole(from, to - 1);
  bytes[place] = (bytes[place] as number) ^ (1 << random.whole(0, 7));
  writeFileSync(path, bytes);
  return new Set(Array.from(text.matchAll(/"messageId":"([0-9a-f]{32})"/g), ([, id]) => id as string));
};

const damagedSpool: Row = {
  id: 'G28',
  fault: 'one bit of the spool turned over, and its disk full while it is drained',
  shortIn: 'packages/queue/src/spool/histories.test.ts',
  cannotRun: cannotMount,
  run: async (run) => {
    const disk = smallDisk(run, '2m');
    const rig = await startRig(run, { spool: { dir: disk.dir } });
    await rig.redis.kill('SIGSTOP');
    const stop = new AbortController();
    const load = rig.clickatell.load({ signal: stop.signal, connections: 4, most: 200, contentBytes: 500 });
    await waitUntil(() => rig.ledger.acknowledged.size >= 60, { timeoutMs: 60_000, what: 'callbacks in the spool' });
    stop.abort();
    await load;
    const setAside = flipOneBit(disk.dir, run.random);
    run.step(`${rig.ledger.acknowledged.size} acknowledged, ${setAside.size} of them in a damaged record`);
    const filler = join(disk.dir, 'filler');
    try {
      writeFileSync(filler, Buffer.alloc(4_000_000));
    } catch {
      // It is full.
    }
    await rig.redis.kill('SIGCONT');
    await waitUntil(() => rig.receiver.output().includes('spool.stuck'), {
      timeoutMs: 60_000,
      what: 'a drain that finds no room for what is damaged',
    }).catch((error: Error) => run.check(false, error.message));
    if (run.random.chance(0.3)) {
      await rig.receiver.kill();
      await rig.receiver.start(false);
    }
    rmSync(filler);
    await rig.whenReady();
    await waitUntil(async () => (await rig.spooled()) <= 1, { timeoutMs: 60_000, what: 'a drained spool' }).catch(
      (error: Error) => run.check(false, error.message),
    );
    await account(run, rig, { setAside });
    const kept = readdirSync(join(disk.dir, 'set-aside'));
    run.check(kept.length === 1, `${kept.length} files in set-aside, of 1 damaged record`);
  },
};

export const damagedSpools: readonly Row[] = [damagedSpool];
