import { setTimeout as sleep } from 'node:timers/promises';
import { listDeadLetters } from '@clickrelay/queue';
import { waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import { startApi } from '../api.ts';
import { newCallback } from '../ledger.ts';
import { startRig } from '../rig.ts';
import type { Row } from '../run.ts';

// Dead letters are sent again at a rate, while workers come and go.

const replayAtRate: Row = {
  id: 'G35',
  fault: 'a replay at a rate, while its workers are stopped and started',
  timeoutMs: 480_000,
  run: async (run) => {
    const rig = await startRig(run, { destinations: [{ id: 'crm', config: { retrySchedule: '0s' } }] });
    const other = rig.newWorker();
    await other.start();
    const api = await startApi(run, rig);
    rig.destination.behave({ status: 500 });
    const events = run.isLong ? 60 : 12;
    for (let left = events; left > 0; left -= 3) {
      await rig.clickatell.postUntilAccepted(newCallback(run.random, { events: 3 }));
    }
    const dead = async () => (await listDeadLetters(rig.store, { limit: 500 })).items.length;
    await waitUntil(async () => (await dead()) === events, { timeoutMs: 60_000, what: 'every event a dead letter' });

    // The dead letters have opened the breaker. One delivery closes it: what waits behind it would arrive in one go.
    rig.destination.behave({ status: 200 });
    const failed = rig.destination.arrivals.length;
    await rig.clickatell.postUntilAccepted(newCallback(run.random, { events: 1 }));
    await waitUntil(() => rig.destination.arrivals.slice(failed).some(({ acceptedAt }) => acceptedAt !== undefined), {
      timeoutMs: 120_000,
      what: 'a delivery that closes the breaker',
    });
    const before = rig.destination.arrivals.length;
    // A pause that a stop must interrupt, and that two workers must share.
    const pauseMs = 2_000;
    const { status } = await api.call('POST', '/v1/replays', { destination: 'crm', rate: `${60_000 / pauseMs}/m` });
    run.check(status === 202, `a replay was answered ${status}`);
    const sent = () => rig.destination.arrivals.slice(before);
    const takeovers = [rig.worker, other, rig.worker, other];
    for (const worker of takeovers) {
      const already = sent().length;
      await waitUntil(() => sent().length > already, { timeoutMs: 180_000, what: 'a delivery of the replay' });
      await sleep(run.random.whole(0, pauseMs / 4));
      const startedAt = performance.now();
      const code = await worker.stop(60_000);
      const ms = performance.now() - startedAt;
      run.step(`the worker ended with ${code} after ${ms.toFixed(0)} ms`);
      run.check(
        code === 0 && ms < 5_000,
        `a worker took ${ms.toFixed(0)} ms to stop (${code}) in the pause of a replay`,
      );
      await worker.start();
    }
    await waitUntil(() => sent().length >= events, { timeoutMs: 240_000, what: 'all deliveries of the replay' }).catch(
      (error: Error) => run.check(false, error.message),
    );
    const times = sent().map(({ fairAt }) => fairAt);
    const tookMs = (times.at(-1) as number) - (times[0] as number);
    run.remark(`${times.length} sent in ${(tookMs / 1_000).toFixed(1)} s`);
    run.step(`arrivals: ${times.map((at) => ((at - (times[0] as number)) / 1_000).toFixed(1)).join(' ')}`);
    // A worker that takes over has just started, and knows the time of Redis as well as Redis answered it: on a busy
    // machine it may cut a pause short. Two workers that do not share the pace would need half of what is asked for.
    const leastMs = (times.length - 1 - takeovers.length) * pauseMs;
    run.check(tookMs >= leastMs, `${times.length} sent in ${tookMs.toFixed(0)} ms, at least ${leastMs} are asked for`);
    await account(run, rig);
  },
};

export const replayRates: readonly Row[] = [replayAtRate];
