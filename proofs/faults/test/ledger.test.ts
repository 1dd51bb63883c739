import { describe, expect, it } from 'vitest';
import { createLedger, newCallback } from '../src/ledger.ts';
import { createRandom, seedOf } from '../src/random.ts';

const answer = (status: number) => ({ status, ms: 1, at: 0, body: '' });

describe('a ledger', () => {
  it('holds as acknowledged what got a 2xx, and as sent everything that left', () => {
    const ledger = createLedger();
    const [taken, refused, unanswered] = [1, 2, 3].map((seed) => newCallback(createRandom(seed), { events: 2 }));
    for (const callback of [taken, refused, unanswered]) ledger.note(callback as never);
    ledger.answered(taken as never, answer(200));
    ledger.answered(refused as never, answer(503));
    expect([...ledger.acknowledged]).toEqual(taken?.sentEvents.map(({ id }) => id));
    expect(ledger.sent.size).toBe(6);
  });
});

describe('a seed', () => {
  it('gives the same callbacks each time, and others than its neighbour', () => {
    const of = (seed: number) => newCallback(createRandom(seed), { events: 3 });
    expect(of(42).sentEvents.map(({ id, type }) => [id, type])).toEqual(
      of(42).sentEvents.map(({ id, type }) => [id, type]),
    );
    expect(of(42).sentEvents[0]?.id).not.toBe(of(43).sentEvents[0]?.id);
  });

  it('is another one for each row and run', () => {
    const seeds = ['G1', 'G4'].flatMap((row) => [0, 1].map((run) => seedOf(42, row, run)));
    expect(new Set(seeds).size).toBe(4);
    expect(seedOf(42, 'G1', 0)).toBe(seeds[0]);
  });
});
