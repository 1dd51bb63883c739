import { waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import { credential, FIRST_PASSWORD, startRig } from '../rig.ts';
import type { Row } from '../run.ts';

// Nothing fails here: Clickatell's credential is changed while it keeps sending.

/** How many answers to wait for before the next step, so that every connection of the load has had its turn. */
const ANSWERS_IN_BETWEEN = 64;

const rotateCredentials: Row = {
  id: 'G25',
  fault: 'the credential of callbacks is changed under load, the receiver started again each time',
  shortIn: 'apps/receiver/test/live-credentials.test.ts',
  run: async (run) => {
    const rig = await startRig(run);
    const { receiver, clickatell, ledger } = rig;
    const stop = new AbortController();
    const load = clickatell.load({ signal: stop.signal });
    const accepted = () => ledger.answers.filter(({ status }) => status === 200).length;
    const someMore = async (): Promise<void> => {
      const before = accepted();
      await waitUntil(() => accepted() >= before + ANSWERS_IN_BETWEEN, {
        timeoutMs: 30_000,
        what: `${ANSWERS_IN_BETWEEN} more callbacks accepted`,
      }).catch((error: Error) => run.check(false, error.message));
    };
    const take = async (...passwords: readonly string[]): Promise<void> => {
      receiver.env['CALLBACK_AUTH'] = passwords.map((password) => credential(password).setting).join(',');
      const code = await receiver.stop();
      run.check(code === 0, `the receiver ended with ${code}`);
      await receiver.start();
      run.step(`the receiver takes ${passwords.length} credentials`);
      await someMore();
    };

    let present = FIRST_PASSWORD;
    for (let time = 0; time < (run.isLong ? 6 : 2); time++) {
      const next = run.random.hex(12);
      // As an operator does: both, in either order; then the sender changes over; then the new one alone.
      await take(...(run.random.chance(0.5) ? [next, present] : [present, next]));
      const old = clickatell.authorization;
      clickatell.authorization = credential(next).header;
      await someMore();
      await take(next);
      const response = await fetch(`${receiver.url}/client-callback/one-api-reply`, {
        method: 'POST',
        headers: { authorization: old },
        body: '{"event":{}}',
      });
      run.check(response.status === 401, `the credential of before was answered ${response.status}`);
      present = next;
    }
    stop.abort();
    await load;
    const odd = ledger.answers.find(({ status }) => status !== 200 && status !== 0 && status !== 503);
    run.check(odd === undefined, `a callback was answered ${odd?.status} (${odd?.body})`);
    await account(run, rig);
    run.check(run.result.repeated === 0, `${run.result.repeated} deliveries were repeated`);
  },
};

export const rotation: readonly Row[] = [rotateCredentials];
