import { deliveryId } from '@clickrelay/core';
import { expect, it } from 'vitest';
import { useLeases } from '../../test/use-leases.ts';
import { readDelivery } from '../deliveries/read-deliveries.ts';
import { destinationQueue } from '../redis/names.ts';
import type { Leases } from './leases.ts';

/* Two answers to one lease at the same moment, from the same process and from two. */

const test = useLeases();
const { addDestination, addEvents, openLeases, store, takeOne } = test;
const ROUNDS = 30;

/** Of the delivery and its job. */
const stateOf = async (id: string, eventId: string) => ({
  state: (await readDelivery(store, deliveryId(eventId, id)))?.state,
  job: await store.queue(destinationQueue(id)).getJobState(eventId),
});

const settled = (answer: PromiseSettledResult<{ state: string }>): string =>
  answer.status === 'fulfilled' ? answer.value.state : answer.reason.code;

const OUTCOMES = {
  delivered: { state: 'delivered', job: 'unknown' },
  retrying: { state: 'pending', job: 'delayed' },
  dead_letter: { state: 'dead_letter', job: 'failed' },
};

it.each([
  ['an ack and a nack', { retry: true }],
  ['an ack and a nack for good', { retry: false }],
])('%s of one lease: one of them wins, and the other gets lease_lost', async (_, { retry }) => {
  const attempts: string[] = [];
  const onAttempt: Parameters<typeof openLeases>[0] = {
    schedule: [0, 600_000_000],
    onAttempt: ({ outcome }) => attempts.push(outcome.kind),
  };
  const [one, two] = [await openLeases(onAttempt), await openLeases(onAttempt)];
  const id = await addDestination();
  const pairs: [Leases, Leases][] = [
    [one, one],
    [one, two],
  ];
  for (let round = 0; round < ROUNDS; round++) {
    const [event] = await addEvents(id, 1);
    const lease = await takeOne(id);
    const [acking, nacking] = pairs[round % 2] as [Leases, Leases];
    const answers: [() => Promise<{ state: string }>, () => Promise<{ state: string }>] = [
      () => acking.ack(id, lease),
      () => nacking.nack(id, lease, { error: 'broke', retry }),
    ];
    if (round % 3 === 0) answers.reverse();
    const told = (await Promise.allSettled(answers.map((answer) => answer()))).map(settled);
    const won = told.filter((state) => state !== 'lease_lost');
    expect(won).toHaveLength(1);
    expect(await stateOf(id, event?.event.id ?? '')).toEqual(OUTCOMES[won[0] as keyof typeof OUTCOMES]);
  }
  expect(attempts).toHaveLength(ROUNDS);
});

it('two nacks of one lease are answered the same, whatever each of them asked for', async () => {
  const leases = await openLeases({ schedule: [0, 600_000_000] });
  const id = await addDestination();
  for (let round = 0; round < ROUNDS; round++) {
    const [event] = await addEvents(id, 1);
    const lease = await takeOne(id);
    const [one, two] = await Promise.all(
      [round % 2 === 0, round % 2 === 1].map((retry) => leases.nack(id, lease, { error: 'broke', retry })),
    );
    expect(two).toEqual(one);
    expect(await stateOf(id, event?.event.id ?? '')).toEqual(OUTCOMES[one?.state as 'retrying' | 'dead_letter']);
  }
});
