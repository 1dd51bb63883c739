import { setTimeout as sleep } from 'node:timers/promises';
import { createLeases, type Lease, putDestination } from '@clickrelay/queue';
import { cannotShiftClock, createShiftedClock, fairNow, waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import type { Taker } from '../destination.ts';
import { newCallback } from '../ledger.ts';
import { startRig } from '../rig.ts';
import type { Row } from '../run.ts';

/** Further than anything here may take, and less than the five minutes after which a signature is too old. */
const BACK_MS = 240_000;
const LEASE_MS = 2_000;
/** What comes back within ten seconds otherwise, and a second to notice. */
const WITHIN_MS = 12_000;
/** The longest wait before a retry. */
const RETRY_MS = 4_000;

const clockPutBack: Row = {
  id: 'G34',
  fault: 'the clock is put back, of Redis or of all',
  shortIn: 'packages/queue/src/jobs/clock-put-back.test.ts',
  cannotRun: async () => cannotShiftClock(),
  timeoutMs: 300_000,
  run: async (run) => {
    const [ofRedis, ofParts] = [createShiftedClock(), createShiftedClock()];
    run.defer(() => ofRedis.close());
    run.defer(() => ofParts.close());
    const retries = Array<string>(30).fill(`${RETRY_MS / 1_000}s`);
    const rig = await startRig(run, {
      redis: { env: ofRedis.env },
      receiver: ofParts.env,
      worker: { ...ofParts.env, RETRY_SCHEDULE: ['0s', ...retries].join(',') },
    });
    await putDestination(rig.store, { id: 'bot', type: 'pull', events: ['*'], paused: null, config: {} });
    const leases = createLeases(rig.store, { schedule: [0], onError: () => {} });
    run.defer(() => leases.close());
    const times = new Map<string, number>();
    const bot: Taker = { id: 'bot', wrong: [], accepted: () => times };
    const take = (): Promise<Lease[]> =>
      leases.lease('bot', { max: 50, waitMs: 500, leaseMs: LEASE_MS, signal: AbortSignal.timeout(30_000) });
    const ack = async (lease: Lease): Promise<void> => {
      await leases.ack('bot', lease);
      const sentId = String((lease.event.event.raw as Record<string, unknown>)['messageId']);
      times.set(sentId, (times.get(sentId) ?? 0) + 1);
    };

    for (let round = 0; round < (run.isLong ? 4 : 1); round++) {
      const whose = round % 2 === 0 ? 'all' : 'Redis';
      // A delivery under way, one that waits for its retry, and a lease that nobody will answer.
      let isFirst = true;
      rig.destination.behave(() => {
        const answer = isFirst ? { status: 503 } : { status: 200, delayMs: 5_000 };
        isFirst = false;
        return answer;
      });
      const before = rig.destination.arrivals.length;
      for (let index = 0; index < 2; index++) await rig.clickatell.postUntilAccepted(newCallback(run.random));
      await waitUntil(() => rig.destination.arrivals.length >= before + 2, { what: 'two arrivals' });
      const leased = await take();
      run.check(leased.length > 0, 'nothing could be leased');
      await rig.worker.kill();
      ofRedis.shift(-BACK_MS);
      if (whose === 'all') ofParts.shift(-BACK_MS);
      run.step(`the worker is killed, the clock of ${whose} put back`);
      rig.destination.behave({ status: 200 });
      await rig.worker.start();

      const backAt = fairNow();
      const open = new Set(leased.map(({ deliveryId }) => deliveryId));
      const delivered = rig.destination.accepted;
      const isMissing = (): boolean => [...rig.ledger.acknowledged].some((id) => !delivered().has(id));
      while ((open.size > 0 || isMissing()) && fairNow() - backAt < WITHIN_MS + RETRY_MS) {
        for (const lease of await take()) {
          open.delete(lease.deliveryId);
          await ack(lease);
        }
        await sleep(50);
      }
      run.step(`all was back ${Math.round(fairNow() - backAt)} ms after the start of the worker`);
      run.check(!isMissing(), `a delivery was not back within ${WITHIN_MS} ms of its time`);
      run.check(open.size === 0, `${open.size} leases were not back within ${WITHIN_MS} ms of their end`);
      // The account covers all rounds so far.
      run.result.repeated = 0;
      await account(run, rig, { others: [bot], patienceMs: 20_000 });
      // Forward again: nothing is lost by that either.
      ofRedis.shift(0);
      ofParts.shift(0);
      await sleep(2_000);
    }
  },
};

export const clock: readonly Row[] = [clockPutBack];
