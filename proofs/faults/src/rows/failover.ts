import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '@clickrelay/queue';
import {
  fairNow,
  type RedisServer,
  startFaultProxy,
  startRedis,
  startRedisSentinels,
  waitUntil,
} from '@clickrelay/testkit';
import { account } from '../account.ts';
import { isAccepted } from '../ledger.ts';
import { startRig } from '../rig.ts';
import type { Row } from '../run.ts';

// The primary is lost, and a replica takes its place.

const REPLICATED = { DURABILITY: 'replicated' };

const whenCaughtUp = async (replica: RedisServer): Promise<void> => {
  const store = await openStore({ redisUrl: replica.url, role: 'consumer' });
  const [server] = store.servers();
  await waitUntil(async () => (await server?.info('replication'))?.includes('master_link_status:up'), {
    timeoutMs: 60_000,
    what: 'a replica that has caught up',
  });
  await store.close();
};

const loseCutOffPrimary: Row = {
  id: 'G11',
  fault: 'primary killed while its replica was cut off, `replicated`',
  shortIn: 'packages/queue/src/redis/confirm-replicated.test.ts',
  run: async (run) => {
    const primary = await startRedis();
    run.defer(() => primary.stop());
    const link = await startFaultProxy(primary.port);
    run.defer(() => link.close());
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(link.port)] });
    run.defer(() => replica.stop());
    await whenCaughtUp(replica);
    const rig = await startRig(run, {
      servers: { url: primary.url, primary },
      receiver: REPLICATED,
      worker: REPLICATED,
    });
    const stop = new AbortController();
    const load = rig.clickatell.load({ signal: stop.signal });
    await sleep(run.random.whole(500, 1_500));
    // From here on, the primary's writes never reach its replica.
    link.freeze();
    await sleep(run.random.whole(200, 1_500));
    await Promise.all([primary.kill(), rig.worker.kill()]);
    run.step(`${rig.ledger.acknowledged.size} acknowledged at the death of the primary`);
    // The replica takes over, under the address of the primary and with a replica of its own.
    await replica.kill('SIGKILL');
    const heir = await startRedis({ dir: replica.dir, port: primary.port });
    run.defer(() => heir.stop());
    const second = await startRedis({ args: ['--replicaof', '127.0.0.1', String(heir.port)] });
    run.defer(() => second.stop());
    await rig.worker.start();
    const acknowledged = rig.ledger.acknowledged.size;
    await waitUntil(() => rig.ledger.acknowledged.size > acknowledged, { timeoutMs: 120_000, what: 'a 2xx after it' });
    await sleep(1_000);
    stop.abort();
    await load;
    await account(run, rig);
  },
};

const BACK_AFTER_FAILOVER_MS = 5_000;

const failOver: Row = {
  id: 'G12',
  fault: 'kill -9 of the primary behind Sentinels, `replicated`',
  run: async (run) => {
    const sentinels = await startRedisSentinels({ replicas: 2 });
    run.defer(() => sentinels.stop());
    const [primary] = sentinels.servers as [RedisServer];
    const rig = await startRig(run, {
      servers: { url: sentinels.url, primary },
      receiver: REPLICATED,
      worker: REPLICATED,
    });
    const stop = new AbortController();
    const load = rig.clickatell.load({ signal: stop.signal });
    await sleep(run.random.whole(1_000, 2_000));
    await primary.kill();
    const killedAt = fairNow();
    const firstBack = () => {
      const { answers } = rig.ledger;
      const refusal = answers.find((answer) => !isAccepted(answer) && answer.at > killedAt);
      return refusal && answers.find((answer) => isAccepted(answer) && answer.at > refusal.at);
    };
    await waitUntil(() => firstBack() !== undefined, { timeoutMs: 120_000, what: 'a 2xx after the failover' });
    await sleep(1_500);
    const backMs = (firstBack()?.at ?? Number.POSITIVE_INFINITY) - killedAt;
    run.remark(`2xx again ${(backMs / 1_000).toFixed(1)} s after the death of the primary`);
    run.check(
      backMs <= BACK_AFTER_FAILOVER_MS * (run.isLong ? 1 : 20),
      `2xx came back ${backMs.toFixed(0)} ms after the death of the primary`,
    );
    stop.abort();
    await load;
    await account(run, rig);
  },
};

export const failover: readonly Row[] = [loseCutOffPrimary, failOver];
