import { deliveryId } from '@clickrelay/core';
import { waitUntil } from '@clickrelay/testkit';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newEvents } from '../../test/sample-events.ts';
import { useLeases } from '../../test/use-leases.ts';
import { enqueueDeliveries } from '../deliveries/enqueue-deliveries.ts';
import { readDelivery } from '../deliveries/read-deliveries.ts';
import { replayDelivery } from '../deliveries/replay-delivery.ts';
import {
  changeDestination,
  pauseDestination,
  putDestination,
  readDestination,
  removeDestination,
  resumeDestination,
} from '../destinations/destinations.ts';
import { lockKey } from '../jobs/keys.ts';
import { readLedger } from '../ledger/ledger.ts';
import { createEventLog } from '../log/append.ts';
import { destinationQueue } from '../redis/names.ts';
import type { Leases } from './leases.ts';
import type { Lease } from './waiter.ts';

/* Any two of all that can be asked of a destination and of a lease, at the same moment: each answer is true afterwards. */

const test = useLeases();
const { openLeases, store, take, takeOne } = test;

const ID = 'bot';
const OPERATIONS = ['ack', 'nack', 'give up', 'extend', 'end', 'replay', 'pause', 'resume', 'put', 'rotate'] as const;
type Operation = (typeof OPERATIONS)[number] | 'remove';

const REFUSALS = ['lease_lost', 'delivery_not_found', 'destination_not_found'];

const PLAIN = { id: ID, type: 'pull', events: ['*'], paused: null, config: { url: 0, secret: 's0' } };

const addEvent = async (): Promise<void> => {
  const [logged] = newEvents(1);
  if (logged === undefined) throw new Error('no event');
  const log = createEventLog(store, { dedupeTtlMs: 60_000 });
  await log.append(`m-${logged.event.id}`, [{ ...logged, routes: [ID] }], Date.now());
  await enqueueDeliveries(store, ID, [{ eventId: logged.event.id }]);
};

interface Round {
  readonly first: Operation;
  readonly second: Operation;
  /** What became of the lease before. */
  readonly before: 'leased' | 'acked' | 'nacked' | 'given up';
}

const rounds = fc.array(
  fc.record<Round>({
    first: fc.constantFrom(...OPERATIONS, 'ack', 'nack'),
    second: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(...OPERATIONS) },
      { weight: 1, arbitrary: fc.constant('remove') },
    ),
    before: fc.constantFrom('leased', 'leased', 'leased', 'acked', 'nacked', 'given up'),
  }),
  { minLength: 150, maxLength: 150 },
);

const FAILURE = { error: 'broke', retry: true };
const GIVEN_UP = { ...FAILURE, retry: false };

/** What an operation does in a round. */
const ask = (operation: Operation, leases: Leases, lease: Lease, number: number): Promise<unknown> => {
  const changed = (fields: Record<string, unknown>): Promise<unknown> =>
    changeDestination(store, ID, (present = PLAIN) => ({ ...present, config: { ...present.config, ...fields } }));
  const acts: Readonly<Record<Operation, () => Promise<unknown>>> = {
    ack: async () => (await leases.ack(ID, lease)).state,
    nack: async () => (await leases.nack(ID, lease, FAILURE)).state,
    'give up': async () => (await leases.nack(ID, lease, GIVEN_UP)).state,
    extend: () => leases.extend(ID, lease, 60_000),
    end: () => store.redis.pexpire(lockKey(destinationQueue(ID), lease.event.event.id), 1),
    replay: () => replayDelivery(store, lease.deliveryId),
    pause: () => pauseDestination(store, ID, `paused ${number}`),
    resume: () => resumeDestination(store, ID),
    remove: () => removeDestination(store, ID),
    put: () => changed({ url: number + 1 }),
    rotate: () => changed({ secret: `s${number + 1}` }),
  };
  return acts[operation]().catch((error: { code?: string }) => {
    if (error.code !== undefined && REFUSALS.includes(error.code)) return error.code;
    throw error;
  });
};

interface Played {
  readonly number: number;
  readonly pair: readonly Operation[];
  readonly answers: readonly unknown[];
  readonly eventId: string;
  /** For the message of an assertion that fails. */
  readonly where: string;
}

const expectTrueOfDelivery = async ({ pair, answers, eventId, where }: Played): Promise<void> => {
  const ends = answers.filter((answer) => ['delivered', 'retrying', 'dead_letter'].includes(String(answer)));
  expect(new Set(ends).size, where).toBeLessThan(2);
  const state = (await readDelivery(store, deliveryId(eventId, ID)))?.state;
  const job = await store.queue(destinationQueue(ID)).getJobState(eventId);
  const isSentAgain = answers[pair.indexOf('replay')] === 'replayed';
  if (isSentAgain || ends[0] === 'retrying') expect(state, where).toBe('pending');
  else if (ends[0] !== undefined) expect(state, where).toBe(ends[0]);
  if (state === 'pending' && !pair.includes('remove')) expect(job, where).not.toBe('unknown');
};

const expectTrueOfDestination = async ({ number, pair, where }: Played): Promise<void> => {
  if (pair.includes('remove')) return;
  const now = await readDestination(store, ID);
  if (pair.includes('pause') && !pair.includes('resume')) expect(now?.paused, where).toBe(`paused ${number}`);
  if (pair.includes('put')) expect(now?.config['url'], where).toBe(number + 1);
  if (pair.includes('rotate')) expect(now?.config['secret'], where).toBe(`s${number + 1}`);
};

it('leaves every answer true, and nothing unaccounted for', async () => {
  const seed = Number(process.env['RACES_SEED'] ?? 1);
  console.info(`RACES_SEED=${seed}`);
  const [played] = fc.sample(rounds, { seed, numRuns: 1 });
  const [one, two] = [await openLeases({ schedule: [0, 600_000] }), await openLeases({ schedule: [0, 600_000] })];
  await putDestination(store, PLAIN);

  for (const [number, round] of (played ?? []).entries()) {
    await addEvent();
    const lease = await takeOne(ID);
    if (round.before === 'acked') await one.ack(ID, lease);
    if (round.before === 'nacked') await one.nack(ID, lease, FAILURE);
    if (round.before === 'given up') await one.nack(ID, lease, GIVEN_UP);

    const pair = [round.first, round.second];
    const answers = await Promise.all([ask(round.first, one, lease, number), ask(round.second, two, lease, number)]);
    const where = `${JSON.stringify(round)} in round ${number} answered ${JSON.stringify(answers)}`;
    const result: Played = { number, pair, answers, eventId: lease.event.event.id, where };
    await expectTrueOfDelivery(result);
    await expectTrueOfDestination(result);

    const now = await readDestination(store, ID);
    if (now === undefined) await putDestination(store, PLAIN);
    else if (now.paused !== null) await resumeDestination(store, ID);
  }

  // Leases that are still out end, and all that waits is worked off.
  const queue = store.queue(destinationQueue(ID));
  for (const job of await queue.getActive()) await store.redis.pexpire(lockKey(destinationQueue(ID), job.id ?? ''), 1);
  await waitUntil(
    async () => {
      for (const lease of await take(ID, { max: 100 })) await one.ack(ID, lease);
      const { active, waiting } = await queue.getJobCounts('active', 'waiting');
      return active === 0 && waiting === 0;
    },
    { timeoutMs: 20_000 },
  );
  const ledger = await readLedger(store, { destinationId: ID });
  expect(ledger.balanced, JSON.stringify(ledger)).toBe(true);
  expect(ledger.destinations[0], JSON.stringify(ledger)).toMatchObject({ unaccounted: 0 });
});
