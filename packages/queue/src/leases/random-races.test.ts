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

it('leaves every answer true, and nothing unaccounted for', async () => {
  const seed = Number(process.env['RACES_SEED'] ?? Date.now() % 2 ** 31);
  console.info(`RACES_SEED=${seed}`);
  const [played] = fc.sample(rounds, { seed, numRuns: 1 });
  const [one, two] = [await openLeases({ schedule: [0, 600_000] }), await openLeases({ schedule: [0, 600_000] })];
  await putDestination(store, PLAIN);

  for (const [number, round] of (played ?? []).entries()) {
    await addEvent();
    const lease = await takeOne(ID);
    const eventId = lease.event.event.id;
    const failure = { error: 'broke', retry: true };
    if (round.before === 'acked') await one.ack(ID, lease);
    if (round.before === 'nacked') await one.nack(ID, lease, failure);
    if (round.before === 'given up') await one.nack(ID, lease, { ...failure, retry: false });

    const ask = async (operation: Operation, leases: Leases): Promise<unknown> => {
      if (operation === 'ack') return (await leases.ack(ID, lease)).state;
      if (operation === 'nack') return (await leases.nack(ID, lease, failure)).state;
      if (operation === 'give up') return (await leases.nack(ID, lease, { ...failure, retry: false })).state;
      if (operation === 'extend') return leases.extend(ID, lease, 60_000);
      if (operation === 'end') return store.redis.pexpire(lockKey(destinationQueue(ID), eventId), 1);
      if (operation === 'replay') return replayDelivery(store, lease.deliveryId);
      if (operation === 'pause') return pauseDestination(store, ID, `paused ${number}`);
      if (operation === 'resume') return resumeDestination(store, ID);
      if (operation === 'remove') return removeDestination(store, ID);
      const changed = operation === 'put' ? { url: number + 1 } : { secret: `s${number + 1}` };
      return changeDestination(store, ID, (present) => ({
        ...(present ?? PLAIN),
        config: { ...(present ?? PLAIN).config, ...changed },
      }));
    };
    const refused = (error: { code?: string }): unknown => {
      if (error.code !== undefined && REFUSALS.includes(error.code)) return error.code;
      throw error;
    };
    const pair = [round.first, round.second];
    const answers = await Promise.all([ask(round.first, one).catch(refused), ask(round.second, two).catch(refused)]);
    const told = (operation: Operation): unknown => answers[pair.indexOf(operation)];
    const where = `${JSON.stringify(round)} in round ${number} answered ${JSON.stringify(answers)}`;

    const settled = answers.filter((answer) => ['delivered', 'retrying', 'dead_letter'].includes(String(answer)));
    expect(new Set(settled).size, where).toBeLessThan(2);
    const state = (await readDelivery(store, deliveryId(eventId, ID)))?.state;
    const job = await store.queue(destinationQueue(ID)).getJobState(eventId);
    const isSentAgain = told('replay') === 'replayed';
    if (settled[0] === 'delivered' && !isSentAgain) expect(state, where).toBe('delivered');
    if (settled[0] === 'dead_letter' && !isSentAgain) expect(state, where).toBe('dead_letter');
    if (settled[0] === 'retrying') expect(state, where).toBe('pending');
    if (isSentAgain) expect(state, where).toBe('pending');
    if (state === 'pending' && !pair.includes('remove')) expect(job, where).not.toBe('unknown');

    const now = await readDestination(store, ID);
    if (!pair.includes('remove')) {
      if (pair.includes('pause') && !pair.includes('resume')) expect(now?.paused, where).toBe(`paused ${number}`);
      if (pair.includes('put')) expect(now?.config['url'], where).toBe(number + 1);
      if (pair.includes('rotate')) expect(now?.config['secret'], where).toBe(`s${number + 1}`);
    }
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
