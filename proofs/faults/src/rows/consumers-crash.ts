import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { putDestination } from '@clickrelay/queue';
import { account } from '../account.ts';
import { startApi } from '../api.ts';
import type { Taker } from '../destination.ts';
import { startRig } from '../rig.ts';
import type { Row } from '../run.ts';

// Consumers of a pull destination, and the API they lease from, die while deliveries are leased.

const LEASE_MS = 2_000;
const CONSUMERS = 4;

interface Lease {
  readonly deliveryId: string;
  readonly leaseToken: string;
  readonly event: { id: string; raw: Record<string, unknown> };
}

const crashConsumers: Row = {
  id: 'LEASE',
  fault: 'consumers, the API and Redis die while deliveries are leased',
  shortIn: 'packages/queue/src/leases/leases.test.ts',
  timeoutMs: 480_000,
  run: async (run) => {
    const rig = await startRig(run);
    await putDestination(rig.store, { id: 'bot', type: 'pull', events: ['*'], paused: null, config: {} });
    const api = await startApi(run, rig);

    const times = new Map<string, number>();
    const wrong: string[] = [];
    const bot: Taker = { id: 'bot', wrong, accepted: () => times };
    const stop = new AbortController();
    run.defer(() => stop.abort());
    let isCareful = false;

    const call = (verb: string, body: object) => api.call('POST', `/v1/destinations/bot/${verb}`, body);
    /** Treats a delivery as a consumer does: usually its work, then the ack. */
    const handle = async ({ deliveryId, leaseToken, event }: Lease): Promise<void> => {
      const lease = { deliveryId, leaseToken };
      const sentId = String(event.raw['messageId']);
      const sentEvent = rig.ledger.sent.get(sentId);
      if (sentEvent === undefined) wrong.push(`bot got ${event.id}, which was never sent`);
      else if (!isDeepStrictEqual(event.raw, sentEvent.raw))
        wrong.push(`bot got ${event.id} with another raw than was sent`);
      const mood = isCareful ? 1 : run.noise.next();
      // Dies before its work is done.
      if (mood < 0.1) return;
      if (mood < 0.2) {
        await call('nack', { ...lease, error: 'no mood', retry: true });
        return;
      }
      if (mood < 0.3) {
        await call('extend', { ...lease, leaseMs: LEASE_MS });
        await sleep(run.noise.whole(0, 500));
      }
      times.set(sentId, (times.get(sentId) ?? 0) + 1);
      // Dies between its work and the ack, so the delivery comes again.
      if (mood < 0.4) return;
      await call('ack', lease);
    };
    const consume = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const { status, body } = await call('lease', {
          max: run.noise.whole(1, 5),
          waitMs: 1_000,
          leaseMs: LEASE_MS,
        });
        // When the API was killed, a consumer asks again.
        if (status === 200) await Promise.all((body as { deliveries: Lease[] }).deliveries.map(handle));
        else await sleep(100);
      }
    };
    const consuming = Promise.all(Array.from({ length: CONSUMERS }, consume));

    const load = new AbortController();
    const loading = rig.clickatell.load({ signal: load.signal, connections: 4, pauseMs: 40 });
    for (let time = 0; time < (run.isLong ? 8 : 3); time++) {
      await sleep(run.random.whole(500, 1_500));
      const victim = run.random.pick(['api', 'api', 'worker', 'redis'] as const);
      run.step(`kill -9 of ${victim}`);
      if (victim === 'redis') {
        await rig.redis.kill();
        await sleep(run.random.whole(0, 1_000));
        await rig.redis.restart();
      } else {
        const part = victim === 'api' ? api.part : rig.worker;
        await part.kill();
        await part.start();
      }
    }
    load.abort();
    await loading;
    isCareful = true;
    await account(run, rig, { others: [bot] });
    stop.abort();
    await consuming;
  },
};

export const consumersCrash: readonly Row[] = [crashConsumers];
