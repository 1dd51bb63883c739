import { isDeepStrictEqual } from 'node:util';
import { putDestination, readDestination } from '@clickrelay/queue';
import { waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import { type Api, type ApiAnswer, startApi } from '../api.ts';
import type { CheckingDestination, Taker } from '../destination.ts';
import { newCallback } from '../ledger.ts';
import { RETRY_SCHEDULE, type Rig, startRig } from '../rig.ts';
import type { Row, Run } from '../run.ts';

// Two people, or two programs, change one thing at the same moment, each by an API process of its own.

/** A change of a destination, and whether it is there afterwards. */
interface Change {
  readonly name: string;
  make(api: Api): Promise<ApiAnswer>;
  isThere(now: NonNullable<Awaited<ReturnType<typeof readDestination>>>, answer: ApiAnswer): boolean;
}

/** What a rotation shows. */
const secretsIn = (body: { secrets?: { secret: string }[] } | undefined): string[] =>
  (body?.secrets ?? []).map(({ secret }) => secret);

const changesOf = ({ id, url }: CheckingDestination, round: number): Change[] => {
  const path = `/v1/destinations/${id}`;
  return [
    {
      name: 'settings',
      make: (api) => api.call('PUT', path, { type: 'webhook', url, events: ['*'], concurrency: 2 + round }),
      isThere: ({ config }) => config['concurrency'] === 2 + round,
    },
    {
      name: 'pause',
      make: (api) => api.call('POST', `${path}/pause`, { reason: `round ${round}` }),
      isThere: ({ paused }) => paused === `round ${round}`,
    },
    {
      name: 'rotation',
      make: (api) => api.call('POST', `${path}/rotate-secret`, { keepOldFor: '1h' }),
      isThere: ({ config }, { body }) => {
        const live = [config['secret']].flat();
        return secretsIn(body).every((secret) => live.includes(secret));
      },
    },
  ];
};

const changeTogether: Row = {
  id: 'G26',
  fault: 'two change one destination at the same moment',
  shortIn: 'apps/api/test/destination-races.test.ts',
  run: async (run) => {
    const rig = await startRig(run);
    const { destination } = rig;
    const apis = await Promise.all([startApi(run, rig), startApi(run, rig)]);
    const stop = new AbortController();
    const load = rig.clickatell.load({ signal: stop.signal, connections: 2, pauseMs: 20 });
    const undone = new Map<string, number>();
    const rounds = run.isLong ? 200 : 40;
    for (let round = 0; round < rounds; round++) {
      const changes = changesOf(destination, round);
      changes.splice(run.random.whole(0, 2), 1);
      if (run.random.chance(0.5)) changes.reverse();
      const answers = await Promise.all(changes.map(({ make }, index) => make(apis[index] as Api)));
      const now = await readDestination(rig.store, destination.id);
      for (const [index, { name, isThere }] of changes.entries()) {
        const answer = answers[index] as ApiAnswer;
        run.check(answer.status === 200, `${name} was answered ${answer.status} (${answer.body?.error?.message})`);
        if (name === 'rotation') destination.secrets = [...destination.secrets, ...secretsIn(answer.body)];
        if (now === undefined || !isThere(now, answer)) undone.set(name, (undone.get(name) ?? 0) + 1);
      }
      await apis[0].call('POST', `/v1/destinations/${destination.id}/resume`);
    }
    for (const [name, times] of undone)
      run.check(false, `${name} undone by another change in ${times} of ${rounds} rounds`);
    stop.abort();
    await load;
    await account(run, rig);
  },
};

interface Lease {
  readonly deliveryId: string;
  readonly leaseToken: string;
  readonly event: { readonly raw: Record<string, unknown> };
}

/** A pull destination of the rig. */
const addPull = async (rig: Rig): Promise<{ bot: Taker; times: Map<string, number> }> => {
  await putDestination(rig.store, {
    id: 'bot',
    type: 'pull',
    events: ['*'],
    paused: null,
    config: { retrySchedule: RETRY_SCHEDULE },
  });
  const times = new Map<string, number>();
  return { bot: { id: 'bot', wrong: [], accepted: () => times }, times };
};

const checkAnswers = (run: Run, answers: readonly ApiAnswer[]): void => {
  const won = answers.filter(({ status }) => status === 200);
  const lost = answers.filter(({ status, body }) => status === 409 && body?.error?.code === 'lease_lost');
  run.check(
    won.length === 1 && lost.length === 1,
    `an ack and a nack of one lease were answered ${answers.map(({ status }) => status).join(' and ')}`,
  );
};

const answerTogether: Row = {
  id: 'G27',
  fault: 'an ack and a nack of one lease at the same moment',
  shortIn: 'packages/queue/src/leases/lease-races.test.ts',
  run: async (run) => {
    const rig = await startRig(run);
    const { bot, times } = await addPull(rig);
    const [one, two] = await Promise.all([startApi(run, rig), startApi(run, rig)]);
    const count = run.isLong ? 400 : 80;
    for (let at = 0; at < count; at += 10) {
      await rig.clickatell.postUntilAccepted(newCallback(run.random, { events: 10 }));
    }
    const path = '/v1/destinations/bot';
    const answerTwice = async ({ deliveryId, leaseToken, event }: Lease): Promise<void> => {
      const lease = { deliveryId, leaseToken };
      const [acking, nacking] = run.noise.chance(0.5) ? [one, two] : [two, one];
      const asked = [
        () => acking.call('POST', `${path}/ack`, lease),
        () => nacking.call('POST', `${path}/nack`, { ...lease, error: 'broke', retry: true }),
      ];
      const isAckFirst = run.noise.chance(0.5);
      const answers = await Promise.all((isAckFirst ? asked : asked.toReversed()).map((ask) => ask()));
      checkAnswers(run, answers);
      const ack = answers[isAckFirst ? 0 : 1];
      const sentId = String(event.raw['messageId']);
      run.check(
        isDeepStrictEqual(event.raw, rig.ledger.sent.get(sentId)?.raw),
        'bot got an event with another raw than was sent',
      );
      if (ack?.status === 200) times.set(sentId, (times.get(sentId) ?? 0) + 1);
    };
    // What was nacked comes again, until an ack has won for each.
    await waitUntil(
      async () => {
        const { body } = await one.call('POST', `${path}/lease`, { max: 10, waitMs: 200, leaseMs: 30_000 });
        await Promise.all((body?.deliveries ?? []).map(answerTwice));
        return times.size === rig.ledger.acknowledged.size;
      },
      { timeoutMs: 120_000, what: 'an ack that wins for each event' },
    ).catch((error: Error) => run.check(false, error.message));
    await account(run, rig, { others: [bot] });
    run.check(run.result.repeated === 0, `${run.result.repeated} deliveries came again after the ack that won`);
  },
};

export const twoAtOnce: readonly Row[] = [changeTogether, answerTogether];
