import { splitCallback } from '@clickrelay/core';
import { describe, expect, it } from 'vitest';
import { createTally } from './tally.ts';

const origin = { index: 0, size: 10, elements: 1, groupSize: 1 };
const eventOf = (messageId: string) => {
  const text = JSON.stringify({ event: { moText: [{ messageId }] } });
  return splitCallback(text, '2026-01-01T00:00:00.000Z')[0] as ReturnType<typeof splitCallback>[number];
};
const countsOf = (events: ReturnType<ReturnType<typeof createTally>['give']>) => events.map(({ counted }) => counted);

describe('the intake counts', () => {
  it('count a callback with its first event, and one without events with the next event', () => {
    const tally = createTally();
    tally.takeUp();
    tally.takeUp();
    tally.add(eventOf('a'), origin);
    tally.add(eventOf('b'), origin);
    expect(countsOf(tally.giveLast())).toEqual([
      { callbacks: 2, repeats: 0, ownRepeats: 0 },
      { callbacks: 0, repeats: 0, ownRepeats: 0 },
    ]);
  });

  it('count a repeat with the event that it repeats, or with the next one', () => {
    const tally = createTally();
    tally.takeUp();
    expect(tally.add(eventOf('a'), origin)).toBe(true);
    expect(tally.add(eventOf('a'), origin)).toBe(false);
    expect(countsOf(tally.give())).toEqual([{ callbacks: 1, repeats: 1, ownRepeats: 1 }]);
    expect(tally.add(eventOf('a'), origin)).toBe(false);
    tally.add(eventOf('b'), origin);
    expect(countsOf(tally.giveLast())).toEqual([{ callbacks: 0, repeats: 1, ownRepeats: 0 }]);
  });

  it('count what follows the last event with that event', () => {
    const tally = createTally();
    tally.takeUp();
    tally.add(eventOf('a'), origin);
    tally.takeUp();
    expect(countsOf(tally.giveLast())).toEqual([{ callbacks: 2, repeats: 0, ownRepeats: 0 }]);
    expect(tally.left).toEqual({ callbacks: 0, repeats: 0 });
  });

  it('are left over when there is no event at all', () => {
    const tally = createTally();
    tally.takeUp();
    tally.takeUp();
    tally.putBack();
    expect(tally.giveLast()).toEqual([]);
    expect(tally.left).toEqual({ callbacks: 1, repeats: 0 });
  });
});
