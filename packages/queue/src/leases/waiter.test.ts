import { beforeEach, describe, expect, it } from 'vitest';
import { newEvents } from '../../test/sample-events.ts';
import { endAfterLook, endWaiting, fits, type Lease, newWaiter, type Waiter, wantedBy } from './waiter.ts';

const [event] = newEvents(1);
const lease = { event } as Lease;

let answers: (readonly Lease[])[];
let waiter: Waiter;

const wait = (waitMs: number, max = 2): Waiter =>
  newWaiter({ max, waitMs, leaseMs: 1_000 }, { end: (leases) => answers.push(leases), refuse: () => {} });

beforeEach(() => {
  answers = [];
  waiter = wait(5_000);
});

const LATER = Number.POSITIVE_INFINITY;

describe('a consumer that waits', () => {
  it('wants as many as it asked for, less what it has and what is being prepared for it', () => {
    expect(wantedBy(waiter)).toBe(2);
    waiter.preparing++;
    expect(wantedBy(waiter)).toBe(1);
    waiter.leases.push(lease);
    expect(wantedBy(waiter)).toBe(0);
  });

  it('wants nothing more once it ends, and ends when nothing is being prepared', () => {
    waiter.preparing++;
    endWaiting(waiter);
    expect([wantedBy(waiter), answers]).toEqual([0, []]);
    waiter.preparing--;
    endWaiting(waiter);
    expect(answers).toEqual([[]]);
  });

  it('goes on waiting when the queue is empty and it has nothing', () => {
    endAfterLook([waiter], LATER);
    expect([answers, waiter.hasLooked, wantedBy(waiter)]).toEqual([[], true, 2]);
  });

  it('gets what it has when the queue is empty', () => {
    waiter.leases.push(lease);
    endAfterLook([waiter], LATER);
    expect(answers).toEqual([[lease]]);
  });

  it('gets an empty answer at once when it only wanted to look', () => {
    waiter = wait(0);
    endAfterLook([waiter], LATER);
    expect(answers).toEqual([[]]);
  });

  it('learns nothing from a look that began before it came', () => {
    waiter = wait(0);
    endAfterLook([waiter], waiter.since - 1);
    expect([answers, waiter.hasLooked]).toEqual([[], false]);
  });

  it('gets a first lease of any size, and more up to what one answer holds', () => {
    const large = { event: { ...event, source: 'A'.repeat(10 * 1024 * 1024) } } as Lease;
    expect(fits(waiter, large)).toBe(true);
    waiter.leases.push(large);
    expect([fits(waiter, lease), fits(waiter, large)]).toEqual([true, false]);
  });
});
