import { describe, expect, it } from 'vitest';
import { judgeNamed, type KnownOfNamed } from './choose-named.ts';

const DELIVERED: KnownOfNamed = { state: 'delivered', replayed: undefined, failedAtMs: undefined, receivedAtMs: 1 };
const DEAD: KnownOfNamed = { ...DELIVERED, state: 'dead_letter', failedAtMs: 5 };
const PENDING: KnownOfNamed = { ...DELIVERED, state: 'pending' };

describe('a delivery that is named to be sent again as a dead letter', () => {
  const judge = (known: KnownOfNamed, takesGone = false) =>
    judgeNamed(known, { state: 'dead_letter', until: 6, takesGone });

  it('is chosen while it is one', () => {
    expect(judge(DEAD)).toBe('chosen');
  });

  it('is left out when it failed after it was asked for', () => {
    expect(judge({ ...DEAD, failedAtMs: 6 })).toBe('failed_since');
  });

  it('is left out when its event is gone, unless that does not matter', () => {
    expect(judge({ ...DEAD, receivedAtMs: undefined })).toBe('event_gone');
    expect(judge({ ...DEAD, receivedAtMs: undefined }, true)).toBe('chosen');
  });

  it('is left out when it is none, and the reason says what it is', () => {
    expect(judge(DELIVERED)).toBe('delivered');
    expect(judge(PENDING)).toBe('already_pending');
    expect(judge({ ...PENDING, state: 'given_up' })).toBe('removed');
    expect(judge({ ...PENDING, state: undefined })).toBe('unknown');
    expect(judge({ ...PENDING, state: undefined, receivedAtMs: undefined })).toBe('event_gone');
  });

  it('is left out when it ended this moment and its job is not put away yet', () => {
    expect(judge({ ...DEAD, failedAtMs: undefined })).toBe('already_pending');
  });
});

describe('a delivery that is named to be sent again though it was delivered', () => {
  const judge = (known: KnownOfNamed) => judgeNamed(known, { state: 'delivered' });

  it('is chosen, once by one replay', () => {
    expect(judge(DELIVERED)).toBe('chosen');
    expect(judge({ ...DELIVERED, replayed: 'delivered' })).toBe('sent_already');
  });

  it('is chosen again when the worker of the replay may have died before there was a job', () => {
    expect(judge({ ...PENDING, replayed: 'sent' })).toBe('chosen');
    expect(judge(PENDING)).toBe('already_pending');
  });

  it('is left out when it is a dead letter, or its event is gone', () => {
    expect(judge(DEAD)).toBe('dead_letter');
    expect(judge({ ...DELIVERED, receivedAtMs: undefined })).toBe('event_gone');
  });
});
