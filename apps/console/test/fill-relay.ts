import { freshCopy, sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import type { ConsoleUnderTest } from './use-console.ts';

const TYPES = ['moText', 'messageStatusUpdate', 'moMedia', 'messageStatusUpdate', 'moLocation', 'messageStatusUpdate'];

/** A little of everything: delivered, dead, waiting, refused with and without a credential, and quarantined. */
export const fillRelay = async (relay: ConsoleUnderTest, rounds = 1): Promise<void> => {
  for (let round = 0; round < rounds; round++) {
    for (const type of TYPES) await relay.post(freshCopy(sampleCallback(type)));
  }
  const body = JSON.stringify(sampleCallback('moText'));
  const answered = [
    await relay.postRaw('{"event": no JSON'),
    await relay.postRaw(body, { token: null }),
    await relay.postRaw(body, { token: 'an-old-one' }),
  ];
  if (answered.join() !== '200,401,401') throw new Error(`the receiver answered ${answered}`);
  await waitUntil(() => relay.good.requests.length >= TYPES.length * rounds);
  await waitUntil(() => relay.bad.requests.length >= rounds);
};
