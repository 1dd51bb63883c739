import { setTimeout as sleep } from 'node:timers/promises';
import { fairNow, waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import { type CallbackAnswer, isAccepted, newCallback } from '../ledger.ts';
import { type Rig, startRig } from '../rig.ts';
import type { Row, Run } from '../run.ts';

// Redis itself fails, under the load of 16 connections.

/*
 * The promised limits, for a machine with time to spare. The short round runs beside other tests, on machines without:
 * its limits are still below what it takes when nothing watches the time.
 */

/** The limit from a request to its answer, whatever happens to Redis. */
export const answeredWithinMs = ({ isLong }: Run): number => (isLong ? 2_500 : 10_000);
/** The limit from the recovery of Redis to the next 2xx. */
const backWithinMs = ({ isLong }: Run): number => (isLong ? 1_000 : 15_000);

/** Applies load, causes some outages in turn, and takes the account. */
const underLoad = async (
  run: Run,
  rig: Rig,
  { hasSpool, outage }: { hasSpool: boolean; outage: () => Promise<{ downAt: number; upAt: number }> },
): Promise<void> => {
  const stop = new AbortController();
  const load = rig.clickatell.load({ signal: stop.signal });
  await sleep(run.random.whole(500, 1_000));
  let slowestBackMs = 0;
  for (let number = 1; number <= (run.isLong ? 4 : 1); number++) {
    const { downAt, upAt } = await outage();
    await sleep(run.random.whole(1_500, 2_500));
    const { answers } = rig.ledger;
    const isBack = (answer: CallbackAnswer): boolean => isAccepted(answer) && answer.at > upAt;
    await waitUntil(() => answers.some(isBack), { timeoutMs: backWithinMs(run) }).catch(() => {});
    const firstBack = answers.find(isBack);
    const backMs = firstBack === undefined ? Number.POSITIVE_INFINITY : firstBack.at - upAt;
    run.step(`Redis away for ${(upAt - downAt).toFixed(0)} ms, 2xx again after ${backMs.toFixed(0)} ms`);
    run.check(backMs <= backWithinMs(run), `2xx came back ${backMs.toFixed(0)} ms after Redis`);
    slowestBackMs = Math.max(slowestBackMs, backMs);
    const refused = answers.filter(({ status, at }) => status !== 200 && at >= downAt && at <= upAt);
    if (hasSpool) {
      // The receiver also refuses when the disk stalls for longer than a spool waits; the disk of tests is very busy.
      const most = run.isLong ? 0 : answers.length / 5;
      run.check(refused.length <= most, `${refused.length} were refused in spite of the spool: ${refused[0]?.body}`);
      const taken = answers.some((answer) => isAccepted(answer) && answer.at >= downAt && answer.at <= upAt);
      run.check(taken, 'nothing was answered while Redis was away');
    } else {
      run.check(refused.length > 0, 'nothing was refused while Redis was away: the fault did not happen');
      const odd = refused.find(({ status }) => status !== 503);
      run.check(odd === undefined, `a refusal was ${odd?.status} instead of 503 (${odd?.body})`);
    }
  }
  stop.abort();
  await load;
  run.remark(`2xx again ${slowestBackMs.toFixed(0)} ms after Redis at the latest`);
  const slowest = rig.ledger.slowestMs();
  run.check(slowest <= answeredWithinMs(run), `an answer took ${slowest.toFixed(0)} ms`);
  await account(run, rig);
};

const killRedis = (hasSpool: boolean): Row => ({
  id: hasSpool ? 'G1-S' : 'G1',
  fault: `kill -9 of Redis under load${hasSpool ? ', with a spool' : ''}`,
  ...(hasSpool && { shortIn: 'apps/receiver/test/spool.test.ts' }),
  run: async (run) => {
    const rig = await startRig(run, { spool: hasSpool });
    await underLoad(run, rig, {
      hasSpool,
      outage: async () => {
        await rig.redis.kill();
        const downAt = fairNow();
        await sleep(run.random.whole(200, 2_000));
        await rig.redis.restart();
        return { downAt, upAt: fairNow() };
      },
    });
  },
});

const freezeRedis = (hasSpool: boolean): Row => ({
  id: hasSpool ? 'G4-S' : 'G4',
  fault: `SIGSTOP of Redis under load${hasSpool ? ', with a spool' : ''}`,
  ...(!hasSpool && { shortIn: 'apps/receiver/test/main.test.ts' }),
  run: async (run) => {
    const rig = await startRig(run, { spool: hasSpool });
    await underLoad(run, rig, {
      hasSpool,
      outage: async () => {
        await rig.redis.kill('SIGSTOP');
        const downAt = fairNow();
        // Longer than the deadline of a commit, and sometimes longer than a producer waits on a silent connection.
        await sleep(run.random.whole(run.isLong ? 2_000 : 4_500, 5_000));
        await rig.redis.kill('SIGCONT');
        return { downAt, upAt: fairNow() };
      },
    });
  },
});

const startWithoutRedis: Row = {
  id: 'G5',
  fault: 'Redis is down when everything starts',
  shortIn: 'apps/receiver/test/main.test.ts',
  run: async (run) => {
    const rig = await startRig(run, { start: [] });
    await rig.redis.kill();
    await rig.receiver.start(false);
    await rig.worker.start(false);
    const callback = newCallback(run.random);
    // The port takes a moment to open; from then on it answers, whatever Redis does.
    let answer = await rig.clickatell.post(callback);
    for (let tries = 0; answer.status === 0 && tries < 100; tries++) {
      await sleep(100);
      answer = await rig.clickatell.post(callback);
    }
    const health = await fetch(`${rig.receiver.url}/healthz`);
    run.check(health.status === 200, `/healthz answered ${health.status}`);
    const ready = await rig.readyz();
    run.check(ready.status === 503, `/readyz answered ${ready.status}`);
    run.check(answer.status === 503, `a callback was answered ${answer.status}`);
    run.check(answer.ms <= answeredWithinMs(run), `the refusal took ${answer.ms.toFixed(0)} ms`);
    await sleep(run.random.whole(500, 3_000));
    await rig.redis.restart();
    const startedAt = fairNow();
    await rig.whenReady();
    run.step(`ready ${(fairNow() - startedAt).toFixed(0)} ms after Redis came up`);
    await rig.clickatell.postUntilAccepted(callback);
    await rig.clickatell.postUntilAccepted(newCallback(run.random));
    await account(run, rig);
  },
};

const startWithSpool: Row = {
  id: 'G5-S',
  fault: 'Redis is down when everything starts, with a spool',
  shortIn: 'apps/receiver/test/spool.test.ts',
  run: async (run) => {
    const rig = await startRig(run, { start: [], spool: true });
    await rig.redis.kill();
    await rig.receiver.start(false);
    await rig.worker.start(false);
    await waitUntil(async () => (await rig.readyz()).status === 200, { timeoutMs: 60_000, what: 'a spool that takes' });
    for (let n = 0; n < 20; n++) {
      const answer = await rig.clickatell.post(newCallback(run.random));
      run.check(answer.status === 200, `a callback was answered ${answer.status} (${answer.body})`);
    }
    run.check((await rig.spooled()) === 20, `${await rig.spooled()} of 20 callbacks are in the spool`);
    await rig.redis.restart();
    await rig.clickatell.postUntilAccepted(newCallback(run.random));
    await account(run, rig);
  },
};

export const redisAway: readonly Row[] = [
  killRedis(false),
  killRedis(true),
  freezeRedis(false),
  freezeRedis(true),
  startWithoutRedis,
  startWithSpool,
];
