import { setTimeout as sleep } from 'node:timers/promises';
import { account } from '../account.ts';
import { cannotCutPower, createPowerSwitch } from '../power-cut.ts';
import { startRig } from '../rig.ts';
import type { Row } from '../run.ts';

// The machine loses power: every process ends, and files keep only what was synced.

const cutPower = (fsync: 'always' | 'everysec'): Row => ({
  id: fsync === 'always' ? 'G2' : 'G3',
  fault: `power cut, \`${fsync}\`${fsync === 'everysec' ? ' (may lose; says so)' : ''}`,
  shortIn:
    fsync === 'always' ? 'packages/queue/src/redis/power-cut.test.ts' : 'packages/queue/src/redis/durability.test.ts',
  cannotRun: cannotCutPower,
  run: async (run) => {
    const power = createPowerSwitch(run);
    const rig = await startRig(run, {
      redis: { env: power.env, args: ['--appendfsync', fsync] },
      receiver: { DURABILITY: fsync },
      worker: { DURABILITY: fsync },
    });
    const { body } = await rig.readyz();
    const report = JSON.parse(body) as { durability: string; mayBeLost: string };
    run.check(report.durability === fsync, `/readyz says ${report.durability}`);
    const stop = new AbortController();
    const load = rig.clickatell.load({ signal: stop.signal });
    for (let time = 0; time < (run.isLong ? 5 : 2); time++) {
      await sleep(run.random.whole(800, 2_000));
      await Promise.all([rig.redis.kill(), rig.receiver.kill(), rig.worker.kill()]);
      run.step(`power cut: ${power.cut(rig.redis)} bytes were not synced`);
      await rig.redis.restart();
      await Promise.all([rig.receiver.start(), rig.worker.start()]);
    }
    stop.abort();
    await load;
    await account(run, rig, { mayLose: fsync === 'everysec', patienceMs: fsync === 'everysec' ? 10_000 : 30_000 });
    if (fsync === 'everysec') {
      run.remark(`${run.result.lost} of ${rig.ledger.acknowledged.size} lost, and /readyz said: ${report.mayBeLost}`);
      run.check(/second/.test(report.mayBeLost), `/readyz does not say what may be lost: ${report.mayBeLost}`);
    }
  },
});

export const powerCuts: readonly Row[] = [cutPower('always'), cutPower('everysec')];
