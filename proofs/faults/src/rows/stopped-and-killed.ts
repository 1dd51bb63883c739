import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import { startApi } from '../api.ts';
import { newCallback } from '../ledger.ts';
import { startRig } from '../rig.ts';
import type { Row } from '../run.ts';

// Processes that are told to stop, and processes that are killed.

const stopWorker: Row = {
  id: 'G16',
  fault: 'SIGTERM of the worker under load',
  timeoutMs: 480_000,
  run: async (run) => {
    const rig = await startRig(run);
    rig.destination.behave(() => ({ status: 200, delayMs: run.noise.whole(0, 300) }));
    const stop = new AbortController();
    const load = rig.clickatell.load({ signal: stop.signal, connections: 8, pauseMs: 25 });
    let slowestMs = 0;
    for (let time = 0; time < (run.isLong ? 20 : 4); time++) {
      await sleep(run.random.whole(200, 1_200));
      const startedAt = performance.now();
      const code = await rig.worker.stop();
      const tookMs = performance.now() - startedAt;
      slowestMs = Math.max(slowestMs, tookMs);
      run.step(`stopped with ${code} in ${tookMs.toFixed(0)} ms`);
      run.check(code === 0, `the worker ended with ${code}`);
      await rig.worker.start();
    }
    stop.abort();
    await load;
    await account(run, rig);
    // Attempts that a slow machine cannot finish in the worker's ten seconds of grace are given up, and tried again.
    const isInTime = slowestMs < 9_000;
    run.check(run.result.repeated === 0 || !isInTime, `${run.result.repeated} deliveries were repeated`);
  },
};

const stopReceiver: Row = {
  id: 'G16-R',
  fault: 'SIGTERM of the receiver under load',
  run: async (run) => {
    const rig = await startRig(run);
    const stop = new AbortController();
    const load = rig.clickatell.load({ signal: stop.signal });
    for (let time = 0; time < (run.isLong ? 20 : 4); time++) {
      await sleep(run.random.whole(100, 600));
      const code = await rig.receiver.stop();
      run.check(code === 0, `the receiver ended with ${code}`);
      await rig.receiver.start();
    }
    stop.abort();
    await load;
    await account(run, rig);
    run.check(run.result.repeated === 0, `${run.result.repeated} deliveries were repeated`);
  },
};

/** The limit from the order to stop to the end, whatever is away. */
const ENDS_WITHIN_MS = 25_000;

const stopWithoutRedis: Row = {
  id: 'G30',
  fault: 'SIGTERM of every part while Redis is dead, frozen or cut off',
  shortIn: 'packages/service/test/process.test.ts',
  timeoutMs: 480_000,
  run: async (run) => {
    const rig = await startRig(run, { proxied: ['receiver', 'worker'], spool: true });
    rig.destination.behave('hang');
    const ways = ['dead', 'frozen', 'cut off'] as const;
    for (const how of run.isLong ? ways : [run.random.pick(ways)]) {
      const api = await startApi(run, rig);
      await rig.clickatell.postUntilAccepted(newCallback(run.random, { events: 3 }));
      await waitUntil(() => rig.destination.arrivals.length > 0, { what: 'a delivery under way' });
      if (how === 'dead') await rig.redis.kill();
      else if (how === 'frozen') await rig.redis.kill('SIGSTOP');
      else rig.proxy.refuse();
      // In the middle of everything it does without Redis.
      await sleep(run.random.whole(0, 3_000));
      const spooled = rig.clickatell.post(newCallback(run.random));
      const parts = { receiver: rig.receiver, worker: rig.worker, api: api.part };
      const stopped = Object.entries(parts).map(async ([name, part]) => {
        const startedAt = performance.now();
        const code = await part.stop(ENDS_WITHIN_MS + 20_000);
        const ms = performance.now() - startedAt;
        run.step(`${name} ended with ${code} after ${ms.toFixed(0)} ms, Redis ${how}`);
        run.check(code !== null && ms < ENDS_WITHIN_MS, `${name} took ${ms.toFixed(0)} ms to end with Redis ${how}`);
      });
      await Promise.all([...stopped, spooled]);
      if (how === 'dead') await rig.redis.restart();
      else if (how === 'frozen') await rig.redis.kill('SIGCONT');
      else rig.proxy.heal();
      await Promise.all([rig.receiver.start(), rig.worker.start()]);
    }
    rig.destination.behave({ status: 200 });
    await account(run, rig);
  },
};

const killReceiver = (hasSpool: boolean): Row => ({
  id: hasSpool ? 'KILL-RS' : 'KILL-R',
  fault: `kill -9 of the receiver under load${hasSpool ? ' while it spools' : ''}`,
  ...(hasSpool && { shortIn: 'packages/queue/src/spool/recover.test.ts' }),
  run: async (run) => {
    const rig = await startRig(run, { spool: hasSpool });
    const stop = new AbortController();
    const load = rig.clickatell.load({ signal: stop.signal });
    for (let time = 0; time < (run.isLong ? 15 : 3); time++) {
      // Redis comes and goes, so that one crash hits while the spool is written, and another while it is drained.
      if (hasSpool && time % 2 === 0) await rig.redis.kill();
      await sleep(run.random.whole(100, 900));
      await rig.receiver.kill();
      if (hasSpool && time % 2 === 1) await rig.redis.restart();
      await rig.receiver.start();
    }
    if (hasSpool) await rig.redis.restart();
    stop.abort();
    await load;
    await account(run, rig);
    run.check(run.result.repeated === 0, `${run.result.repeated} deliveries were repeated; a resend is no new event`);
  },
});

const killEverything = (hasSpool: boolean): Row => ({
  id: hasSpool ? 'KILL-ALLS' : 'KILL-ALL',
  fault: `kill -9 of Redis, receiver and worker at once${hasSpool ? ', with a spool' : ''}`,
  run: async (run) => {
    const rig = await startRig(run, { spool: hasSpool });
    rig.destination.behave(() => ({ status: run.noise.chance(0.9) ? 200 : 503, delayMs: run.noise.whole(0, 50) }));
    const stop = new AbortController();
    // Callbacks spooled meanwhile must be delivered afterwards.
    const load = rig.clickatell.load({ signal: stop.signal, pauseMs: hasSpool && !run.isLong ? 40 : 10 });
    const killAll = () => Promise.all([rig.redis.kill(), rig.receiver.kill(), rig.worker.kill()]);
    for (let time = 0; time < (run.isLong ? 6 : 2); time++) {
      await sleep(run.random.whole(500, 1_500));
      await killAll();
      if (hasSpool) {
        // The receiver starts first and accepts callbacks; all die again while these are in the spool, or on their way.
        await rig.receiver.start();
        await sleep(run.random.whole(100, 400));
        if (time % 2 === 1) {
          await rig.redis.restart();
          await sleep(run.random.whole(0, 200));
        }
        await killAll();
        await rig.receiver.start();
      }
      await rig.redis.restart();
      await Promise.all([!hasSpool && rig.receiver.start(), rig.worker.start()]);
    }
    stop.abort();
    await load;
    await account(run, rig);
  },
});

/** Callbacks of up to a few megabytes, like inline pictures, among small ones. */
const killWithLarge: Row = {
  id: 'LARGE',
  fault: 'kill -9 of Redis, receiver or worker, with large callbacks',
  run: async (run) => {
    const rig = await startRig(run);
    const stop = new AbortController();
    // What a machine that is slow to start the victims again can still work off.
    const most = (inShort: number): number => (run.isLong ? Number.POSITIVE_INFINITY : inShort);
    const { signal } = stop;
    const loads = [
      rig.clickatell.load({ signal, connections: run.isLong ? 6 : 2, pauseMs: 20, most: most(200) }),
      rig.clickatell.load({ signal, connections: 1, pauseMs: 100, contentBytes: 400_000, most: most(30) }),
      rig.clickatell.load({ signal, connections: 1, pauseMs: 300, contentBytes: 3_000_000, most: most(8) }),
    ];
    for (let time = 0; time < (run.isLong ? 8 : 3); time++) {
      await sleep(run.random.whole(500, 1_500));
      const victims = run.random.pick([['redis'], ['receiver'], ['worker'], ['redis', 'receiver', 'worker']]);
      await Promise.all(victims.map((name) => rig[name as 'redis' | 'receiver' | 'worker'].kill()));
      if (victims.includes('redis')) await rig.redis.restart();
      if (victims.includes('receiver')) await rig.receiver.start();
      if (victims.includes('worker')) await rig.worker.start();
      run.step(`kill -9 of ${victims.join(', ')}`);
    }
    stop.abort();
    await Promise.all(loads);
    await account(run, rig);
  },
};

export const stoppedAndKilled: readonly Row[] = [
  stopWorker,
  stopReceiver,
  stopWithoutRedis,
  killReceiver(false),
  killReceiver(true),
  killEverything(false),
  killEverything(true),
  killWithLarge,
];
