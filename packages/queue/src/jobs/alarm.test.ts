import { DAY_MS } from '@clickrelay/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Alarm, createAlarm } from './alarm.ts';

let rings: number;
let alarm: Alarm;

beforeEach(() => {
  vi.useFakeTimers();
  rings = 0;
  alarm = createAlarm(() => rings++);
});
afterEach(() => {
  vi.useRealTimers();
});

const ringsAfter = (ms: number): number => {
  vi.advanceTimersByTime(ms);
  return rings;
};

describe('an alarm', () => {
  it('rings once, and not before its time', () => {
    alarm.setIn(100);
    expect([ringsAfter(100), ringsAfter(1), ringsAfter(10_000)]).toEqual([0, 1, 1]);
  });

  it('keeps the earlier of two times, in either order', () => {
    alarm.setIn(100);
    alarm.setIn(5_000);
    expect([ringsAfter(101), ringsAfter(10_000)]).toEqual([1, 1]);
    alarm.setIn(5_000);
    alarm.setIn(100);
    expect([ringsAfter(101), ringsAfter(10_000)]).toEqual([2, 2]);
  });

  it('rings soon for a time that has passed', () => {
    alarm.setIn(-60_000);
    expect(ringsAfter(1)).toBe(1);
  });

  it('may be set again after it rang', () => {
    alarm.setIn(0);
    expect(ringsAfter(1)).toBe(1);
    alarm.setIn(50);
    expect(ringsAfter(51)).toBe(2);
  });

  it('is silent once it is stopped', () => {
    alarm.setIn(100);
    alarm.stop();
    expect(ringsAfter(1_000)).toBe(0);
  });

  it('does not ring at once for a time that a timer cannot hold', () => {
    alarm.setIn(100 * DAY_MS);
    expect(ringsAfter(DAY_MS)).toBe(0);
  });
});
