import { listDeadLetters } from '@clickrelay/queue';
import { sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const worker = useWorker();

const deadLetters = async () => (await listDeadLetters(worker.store, { limit: 100 })).items;

it('the result of a transform is sent; a failed one makes a dead letter at once, not held against the destination', async () => {
  const crm = await worker.addDestination('crm', 200, { config: { transform: '{ "said": data.text }' } });
  const odd = await worker.addDestination('odd', 200, {
    config: { transform: "type = 'moText' ? $number(data.text) : { 'kind': type }" },
  });
  await worker.start();
  await worker.commit(...Array.from({ length: 40 }, () => sampleCallback('moText')));
  await crm.waitFor(40);
  for (const { body } of crm.requests) expect(JSON.parse(body)).toEqual({ said: expect.any(String) });

  await waitUntil(async () => (await deadLetters()).length === 40);
  for (const letter of await deadLetters()) {
    expect(letter).toMatchObject({
      destinationId: 'odd',
      kind: 'not_built',
      errorCode: 'delivery_not_built',
      attempts: 1,
      error: expect.stringMatching(/ its transform cannot be evaluated for this event: .* \(D3030, at column 27\)$/),
    });
  }
  expect(odd.requests).toEqual([]);
  // Not held for its 40 failures in a row.
  await worker.commit(sampleCallback('moButtonResponse'));
  expect((await odd.waitFor(1))[0]?.body).toBe('{"kind":"moButtonResponse"}');
});

it('a transform that never ends delays no other delivery, and the worker goes on', async () => {
  const slow = await worker.addDestination('slow', 200, {
    config: { transform: '($f := function($x) { $f($x + 1) }; $f(1))' },
  });
  const [quick, plain] = [
    await worker.addDestination('quick', 200, { config: { transform: 'type' } }),
    await worker.addDestination('plain'),
  ];
  await worker.start();
  await worker.commit(...Array.from({ length: 10 }, () => sampleCallback('moText')));
  await Promise.all([quick.waitFor(10), plain.waitFor(10)]);
  await waitUntil(async () => (await deadLetters()).length === 10, { timeoutMs: 30_000 });
  expect(new Set((await deadLetters()).map(({ kind }) => kind))).toEqual(new Set(['not_built']));
  expect(slow.requests).toEqual([]);
});
