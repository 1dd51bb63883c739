import { setTimeout as sleep } from 'node:timers/promises';
import { adoptStore, inspectStore } from '@clickrelay/queue';
import { fairNow, redisCommand, waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import { isAccepted } from '../ledger.ts';
import { startRig } from '../rig.ts';
import type { Row } from '../run.ts';

// Somebody empties Redis, or puts another in its place, while callbacks come.

/** What is acknowledged from this time on is not lost, in ms. */
const NOTICED_WITHIN_MS = 2_000;
/** Nobody is there at once. */
const UNTIL_A_PERSON_COMES_MS = 8_000;

const flushed = (hasSpool: boolean): Row => ({
  id: hasSpool ? 'G39-S' : 'G39',
  fault: `FLUSHALL under load${hasSpool ? ', with a spool' : ''}; then \`doctor --adopt\``,
  shortIn: 'apps/receiver/test/lost-store.test.ts',
  run: async (run) => {
    const rig = await startRig(run, { spool: hasSpool });
    const { mark } = await inspectStore(rig.store);
    if (mark === null) throw new Error('nobody has marked the store');
    const stop = new AbortController();
    const load = rig.clickatell.load({ signal: stop.signal });
    await sleep(run.random.whole(1_000, 2_000));
    await redisCommand(rig.redis.port, 'FLUSHALL');
    const flushedAt = fairNow();
    await sleep(NOTICED_WITHIN_MS);
    const mayBeGone = new Set(rig.ledger.acknowledged);
    run.remark(`${mayBeGone.size} events were acknowledged before the ${NOTICED_WITHIN_MS / 1_000} s were over`);
    await sleep(UNTIL_A_PERSON_COMES_MS);
    const { body } = await rig.readyz();
    run.check(
      body.includes('"setting":"store"'),
      `/readyz does not tell that the store is gone: ${body.slice(0, 200)}`,
    );
    const meanwhile = rig.ledger.answers.filter(({ at }) => at > flushedAt + NOTICED_WITHIN_MS);
    const taken = meanwhile.filter(isAccepted).length;
    if (hasSpool) {
      run.check(
        taken > 0 && taken === meanwhile.length,
        `${meanwhile.length - taken} of ${meanwhile.length} were refused`,
      );
    } else {
      run.check(taken === 0, `${taken} were acknowledged without a store and without a spool`);
      run.check(
        meanwhile.some(({ status }) => status === 503),
        'nothing was refused: the fault did not happen',
      );
    }
    await adoptStore(rig.store, [mark.id]);
    const adoptedAt = fairNow();
    await waitUntil(() => rig.ledger.answers.some((answer) => isAccepted(answer) && answer.at > adoptedAt), {
      timeoutMs: 20_000,
      what: 'callbacks that are taken after the new store was adopted',
    });
    await sleep(2_000);
    stop.abort();
    await load;
    await account(run, rig, { forgiven: mayBeGone });
  },
});

export const lostStore: readonly Row[] = [flushed(false), flushed(true)];
