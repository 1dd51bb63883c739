import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import { isAccepted, newCallback } from '../ledger.ts';
import { type Rig, startRig } from '../rig.ts';
import type { Row, Run } from '../run.ts';
import { cannotMount, smallDisk } from '../small-disk.ts';
import { answeredWithinMs } from './redis-away.ts';

// Redis is there, but full, or configured so that it loses data; or a disk is full.

/** Sends until something is refused, or until the time is up. @returns whether something was refused */
const fillUp = async (
  run: Run,
  rig: Rig,
  { contentBytes, ms }: { contentBytes: number; ms: number },
): Promise<boolean> => {
  const stop = new AbortController();
  const load = rig.clickatell.load({ signal: stop.signal, pauseMs: 1, contentBytes });
  const refused = () => rig.ledger.answers.filter((answer) => !isAccepted(answer)).length;
  await waitUntil(() => refused() > 20, { timeoutMs: ms }).catch(() => {});
  stop.abort();
  await load;
  const odd = rig.ledger.answers.find(({ status }) => status !== 200 && status !== 503);
  run.check(odd === undefined, `a refusal was ${odd?.status} instead of 503 (${odd?.body})`);
  const slowest = rig.ledger.slowestMs();
  run.check(slowest <= answeredWithinMs(run), `an answer took ${slowest.toFixed(0)} ms`);
  return refused() > 0;
};

const outOfMemory: Row = {
  id: 'G8',
  fault: '`maxmemory` of Redis reached',
  shortIn: 'packages/queue/src/intake/commit.test.ts',
  run: async (run) => {
    const rig = await startRig(run);
    rig.destination.behave({ status: 503 });
    for (let n = 0; n < 20; n++) await rig.clickatell.postUntilAccepted(newCallback(run.random, { events: 5 }));
    const used = Number(/used_memory:(\d+)/.exec(await rig.store.redis.info('memory'))?.[1]);
    await rig.store.redis.config('SET', 'maxmemory', String(used + run.random.whole(1, 4) * 1_000_000));
    const wasFull = await fillUp(run, rig, { contentBytes: 3_000, ms: 120_000 });
    run.check(wasFull, 'nothing was refused: Redis was not full');
    run.step(`${rig.ledger.acknowledged.size} acknowledged when it was full`);
    await sleep(run.random.whole(500, 2_000));
    await rig.store.redis.config('SET', 'maxmemory', '0');
    rig.destination.behave({ status: 200 });
    await rig.whenReady();
    await rig.clickatell.postUntilAccepted(newCallback(run.random));
    await account(run, rig);
  },
};

const UNSAFE: readonly { setting: string; value: string; mend: string }[] = [
  { setting: 'maxmemory-policy', value: 'allkeys-lru', mend: 'noeviction' },
  { setting: 'appendfsync', value: 'everysec', mend: 'always' },
  { setting: 'appendfsync', value: 'no', mend: 'always' },
  { setting: 'appendonly', value: 'no', mend: 'yes' },
];

const unsafeSettings: Row = {
  id: 'G9',
  fault: 'a Redis that would lose: evicting, without AOF, wrong fsync, a replica',
  shortIn: 'packages/queue/src/redis/durability.test.ts',
  run: async (run) => {
    const rig = await startRig(run, { start: [], receiver: { LOG_LEVEL: 'silent' } });
    const refuses = async (what: string, names: string): Promise<void> => {
      await rig.receiver.start(false);
      let ready = await rig.readyz();
      // Before its first check it only reports that it has not checked.
      for (let looks = 0; looks < 600 && !ready.body.includes(names); looks++) {
        await sleep(50);
        ready = await rig.readyz();
      }
      const { status, body } = ready;
      run.check(status === 503 && body.includes(names), `/readyz with ${what} was ${status} ${body}`);
      const answer = await rig.clickatell.post(newCallback(run.random));
      run.check(answer.status === 503, `a callback with ${what} was answered ${answer.status}`);
      await rig.receiver.stop();
    };
    for (const { setting, value, mend } of UNSAFE) {
      await rig.store.redis.config('SET', setting, value);
      await refuses(`${setting} ${value}`, setting);
      await rig.store.redis.config('SET', setting, mend);
    }
    await rig.receiver.start();
    await rig.worker.start();
    await rig.clickatell.postUntilAccepted(newCallback(run.random));
    await account(run, rig);
    await rig.receiver.stop();

    // Last, because it empties this Redis.
    const primary = await startRedis();
    run.defer(() => primary.stop());
    await rig.store.redis.replicaof('127.0.0.1', primary.port);
    await refuses('a replica', 'role');
  },
};

const fullDiskOfRedis: Row = {
  id: 'G10',
  fault: 'disk of Redis full',
  cannotRun: cannotMount,
  run: async (run) => {
    const disk = smallDisk(run, '6m');
    const rig = await startRig(run, { redis: { dir: disk.dir } });
    const wasFull = await fillUp(run, rig, { contentBytes: 2_000, ms: 120_000 });
    run.check(wasFull, 'nothing was refused: the disk was not full');
    run.step(`${rig.ledger.acknowledged.size} acknowledged when it was full`);
    disk.grow();
    // With `appendfsync always` Redis exits rather than serve what it cannot keep.
    await rig.redis.restart();
    await rig.whenReady();
    await rig.clickatell.postUntilAccepted(newCallback(run.random));
    await account(run, rig);
  },
};

const fullDiskOfSpool: Row = {
  id: 'G10-S',
  fault: 'disk of the spool full while Redis is away',
  shortIn: 'apps/receiver/test/spool.test.ts',
  cannotRun: cannotMount,
  run: async (run) => {
    const disk = smallDisk(run, '3m');
    const rig = await startRig(run, { spool: { dir: disk.dir } });
    await rig.redis.kill();
    const wasFull = await fillUp(run, rig, { contentBytes: 4_000, ms: 120_000 });
    run.check(wasFull, 'nothing was refused: the disk was not full');
    run.step(`${rig.ledger.acknowledged.size} acknowledged when it was full`);
    if (run.random.chance(0.5)) {
      await rig.receiver.kill();
      await rig.receiver.start(false);
    }
    await rig.redis.restart();
    await rig.whenReady();
    await rig.clickatell.postUntilAccepted(newCallback(run.random));
    await account(run, rig);
  },
};

export const unsafeRedis: readonly Row[] = [outOfMemory, unsafeSettings, fullDiskOfRedis, fullDiskOfSpool];
