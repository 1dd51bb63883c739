import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeDelivery, type KnownOfDelivery, problemOf } from './judge-delivery.ts';

const NOTHING: KnownOfDelivery = { job: 'none', isGroupOpen: false, isParked: false };
const pending = { state: 'pending', isOfEarlier: false } as const;
const judge = (delivery: Partial<Parameters<typeof judgeDelivery>[0]>, known: Partial<KnownOfDelivery> = {}) =>
  judgeDelivery({ ...pending, ...delivery }, { ...NOTHING, ...known });

describe('a delivery', () => {
  it('with a job is pending, and parked while its destination is', () => {
    expect(judge({}, { job: 'queued' })).toBe('pending');
    expect(judge({}, { job: 'queued', isParked: true })).toBe('parked');
    expect(judge({ isOfEarlier: true }, { job: 'queued' })).toBe('pending');
  });

  it('that was never queued is pending while the group of its event is under way', () => {
    expect(judge({ state: undefined }, { isGroupOpen: true })).toBe('pending');
    expect(judge({ state: undefined }, { isGroupOpen: true, isParked: true })).toBe('parked');
    expect(judge({ state: undefined })).toBe('unaccounted');
  });

  it('among the failed jobs is dead, whatever its state says', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('pending', 'delivered', 'dead_letter', undefined),
        fc.boolean(),
        (state, isParked) => {
          expect(judge({ state }, { job: 'dead_letter', isParked })).toBe('dead');
        },
      ),
    );
  });

  it('that has ended without success is dead before its job is put away', () => {
    expect(judge({ state: 'dead_letter' }, { job: 'queued' })).toBe('dead');
  });

  it('that was delivered before, and is sent again, is pending', () => {
    expect(judge({ state: 'delivered' }, { job: 'queued' })).toBe('pending');
  });

  it('without a job is what its state says when that is an end', () => {
    expect(judge({ state: 'delivered' })).toBe('delivered');
    expect(judge({ state: 'given_up' })).toBe('removed');
    expect(judge({ state: 'delivered' }, { isGroupOpen: true })).toBe('delivered');
  });

  it('of an earlier destination of the same name is removed when nobody goes on with it', () => {
    expect(judge({ isOfEarlier: true })).toBe('removed');
  });

  it('that nobody goes on with is unaccounted for, and the problem has a name', () => {
    expect([judge({}), problemOf('pending')]).toEqual(['unaccounted', 'no_job']);
    expect([judge({ state: 'dead_letter' }), problemOf('dead_letter')]).toEqual(['unaccounted', 'no_dead_letter']);
    expect([judge({ state: undefined }), problemOf(undefined)]).toEqual(['unaccounted', 'never_queued']);
  });
});
