import { setTimeout as sleep } from 'node:timers/promises';
import { listEvents } from '@clickrelay/queue';
import { fairNow, waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import { newCallback, type SentCallback } from '../ledger.ts';
import { countOpen, type Rig, startRig } from '../rig.ts';
import type { Row, Run } from '../run.ts';

// The worker is killed, frozen, or cut off from Redis while deliveries are under way.

/** The limit from the crash of a delivering worker to the next attempt. */
const REDELIVERED_WITHIN_MS = 10_000;
/** The lock of a worker on its jobs, see LOCK_MS in packages/queue/src/redis/store.ts, and a margin. */
const PAST_THE_LOCK_MS = 7_000;

/** Posts a number of events, some of them together, and waits until the destination has at least one. */
const postAndWait = async (run: Run, rig: Rig, events: number): Promise<void> => {
  const before = rig.destination.arrivals.length;
  for (let left = events; left > 0; ) {
    const count = Math.min(run.random.whole(1, 3), left);
    left -= count;
    await rig.clickatell.postUntilAccepted(newCallback(run.random, { events: count }));
  }
  await waitUntil(() => rig.destination.arrivals.length > before, { what: 'a first arrival' });
};

/** Checks that no event arrived more often than this. */
const checkArrivals = (run: Run, rig: Rig, most: number): void => {
  for (const sentId of rig.ledger.sent.keys()) {
    const times = rig.destination.arrivalsOf(sentId).length;
    run.check(times <= most, `${sentId} arrived ${times} times, more than ${most}`);
  }
};

const killWorker: Row = {
  id: 'G13',
  fault: 'kill -9 of the worker every 1 to 3 s, destination of 5 s',
  shortIn: 'packages/queue/src/jobs/dispatcher-crash.test.ts',
  timeoutMs: 480_000,
  run: async (run) => {
    const rig = await startRig(run);
    rig.destination.behave({ status: 200, delayMs: 5_000 });
    /** When there was no worker: the time of the crash, and the span on the clock of `fairNow`. */
    const gaps: { killedAt: number; from: number; to: number }[] = [];
    await postAndWait(run, rig, 12);
    for (let crash = 0; crash < (run.isLong ? 12 : 3); crash++) {
      await sleep(run.random.whole(1_000, 3_000));
      await rig.worker.kill();
      const [killedAt, from] = [Date.now(), fairNow()];
      await rig.worker.start();
      gaps.push({ killedAt, from, to: fairNow() });
      run.step(`crash ${crash + 1}`);
    }
    const lastKill = gaps.at(-1)?.killedAt as number;
    await account(run, rig);

    // Deliveries under way at a crash are tried again in time, however many crashes follow. The start-up time of a new
    // process is the machine's, and not part of the promise.
    let slowest = 0;
    for (const sentId of rig.ledger.sent.keys()) {
      const arrivals = rig.destination.arrivalsOf(sentId);
      for (const { killedAt, from: killedFairAt } of gaps) {
        const before = arrivals.filter(({ at }) => at < killedAt);
        const wasUnderWay = before.length > 0 && before.every(({ acceptedAt = Infinity }) => acceptedAt > killedAt);
        if (!wasUnderWay) continue;
        const next = arrivals.find(({ at }) => at >= killedAt)?.fairAt ?? Number.POSITIVE_INFINITY;
        const absent = gaps
          .filter(({ from }) => from >= killedFairAt && from < next)
          .reduce((sum, { from, to }) => sum + Math.min(to, next) - from, 0);
        slowest = Math.max(slowest, next - killedFairAt - absent);
      }
    }
    run.remark(`tried again ${(slowest / 1_000).toFixed(1)} s after the crash at the latest, ${gaps.length} crashes`);
    run.check(
      slowest <= REDELIVERED_WITHIN_MS * (run.isLong ? 1 : 2),
      `an attempt came ${slowest} ms after the crash, not within ten seconds`,
    );
    run.step(`done ${Date.now() - lastKill} ms after the last crash`);
  },
};

/** At this moment the destination may have an event that is not in the log yet. */
const killAtArrival: Row = {
  id: 'KILL-D',
  fault: 'kill -9 of the worker when a delivery arrives',
  run: async (run) => {
    const rig = await startRig(run);
    for (let round = 0; round < (run.isLong ? 15 : 4); round++) {
      let killed: Promise<void> | undefined;
      rig.destination.behave(() => {
        killed ??= rig.worker.kill();
        return { status: 200, delayMs: run.random.whole(0, 8) };
      });
      // A single message, so that the commit reserves its event.
      const callback = newCallback(run.random, { types: ['moText', 'moMedia', 'moLocation'] });
      const [sentEvent] = callback.sentEvents as [SentCallback['sentEvents'][number]];
      const arrived = (): number => rig.destination.arrivalsOf(sentEvent.id).length;
      await rig.clickatell.postUntilAccepted(callback);
      await waitUntil(() => killed !== undefined, { what: 'a first arrival' });
      await killed;
      rig.destination.behave({ status: 200 });
      const comesAgainFirst = run.random.chance(0.5);
      if (comesAgainFirst) await rig.clickatell.postUntilAccepted(callback);
      await rig.worker.start();
      if (!comesAgainFirst) await rig.clickatell.postUntilAccepted(callback);
      run.step(`killed at arrival ${arrived()}, sent again ${comesAgainFirst ? 'before' : 'after'} it was back`);
      // One crash for each event: the next must not hit this one when it comes again, which would excuse a third arrival.
      await waitUntil(async () => (await countOpen(rig.store)) === 0, { what: 'nothing under way', timeoutMs: 60_000 });
    }
    await account(run, rig);
    checkArrivals(run, rig, 2);
    const { items } = await listEvents(rig.store, { limit: 500 });
    run.check(items.length === rig.ledger.sent.size, `${items.length} events in the log, of ${rig.ledger.sent.size}`);
  },
};

const freezeWorker: Row = {
  id: 'G14',
  fault: 'SIGSTOP of the worker past its lock',
  shortIn: 'packages/queue/src/jobs/dispatcher-crash.test.ts',
  run: async (run) => {
    const rig = await startRig(run);
    const isAlone = run.random.chance(0.3);
    for (let round = 0; round < (run.isLong ? 3 : 1); round++) {
      // Twice the lock, so that its holder has to renew it.
      rig.destination.behave({ status: 200, delayMs: 10_000 });
      await postAndWait(run, rig, 6);
      rig.worker.freeze();
      const other = isAlone ? undefined : rig.newWorker();
      await other?.start();
      const ms = run.random.whole(PAST_THE_LOCK_MS, PAST_THE_LOCK_MS + 4_000);
      await sleep(ms);
      rig.worker.thaw();
      run.step(`frozen for ${ms} ms, ${isAlone ? 'nobody else there' : 'another worker there'}`);
      // The account covers all rounds so far.
      run.result.repeated = 0;
      await account(run, rig);
      checkArrivals(run, rig, 2);
      await other?.stop();
    }
  },
};

const redisAwayDuringDelivery: Row = {
  id: 'G15',
  fault: 'Redis away longer than the lock during a delivery',
  shortIn: 'packages/queue/src/jobs/dispatcher-crash.test.ts',
  run: async (run) => {
    const rig = await startRig(run, { proxied: ['worker'] });
    for (let round = 0; round < (run.isLong ? 3 : 1); round++) {
      // The attempt ends while Redis is away, or goes on after Redis is back and the lock is lost.
      rig.destination.behave({ status: 200, delayMs: run.isLong ? run.random.pick([2_000, 10_000]) : 10_000 });
      await postAndWait(run, rig, 6);
      const how = run.random.pick(['killed', 'stopped', 'cut off', 'silent'] as const);
      const ms = run.random.whole(PAST_THE_LOCK_MS, PAST_THE_LOCK_MS + 2_000);
      if (how === 'killed') await rig.redis.kill();
      else if (how === 'stopped') await rig.redis.kill('SIGSTOP');
      else if (how === 'cut off') rig.proxy.refuse();
      else rig.proxy.freeze();
      await sleep(ms);
      if (how === 'killed') await rig.redis.restart();
      else if (how === 'stopped') await rig.redis.kill('SIGCONT');
      else rig.proxy.heal();
      run.step(`Redis ${how} for ${ms} ms`);
      // The account covers all rounds so far.
      run.result.repeated = 0;
      await account(run, rig);
      checkArrivals(run, rig, 2);
    }
  },
};

export const workerDies: readonly Row[] = [killWorker, killAtArrival, freezeWorker, redisAwayDuringDelivery];
