import { DeliveryError } from '@clickrelay/core';
import { outcomeOf } from '@clickrelay/queue';
import { PERSON_KEY } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';
import { Pace } from './pace.ts';

/*
 * Simulates how deliveries resume after an outage. The pace and the waits are the real ones; the clock, the queue, the
 * destination and the workers are arithmetic.
 */

const { RETRY_SCHEDULE: schedule } = readConfig({ PERSON_KEY });
const HOUR = 3_600_000;
const failure = new DeliveryError('destination_rejected', 'answered 500', { retryable: true, status: 500 });
/** How long another worker takes to hear of a hold. */
const HOLD_POLL_MS = 500;

interface Outage {
  readonly workers: number;
  readonly concurrency: number;
  readonly latencyMs: number;
  readonly downMs: number;
  /** When each delivery is made, ascending. */
  readonly madeAt: readonly number[];
}

/** Numbers that look random but are the same each time. */
const seeded = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
  return seed / 2 ** 32;
};

/** The times of all attempts, and those at which a delivery succeeded. */
const simulate = ({ workers, concurrency, latencyMs, downMs, madeAt }: Outage) => {
  const random = seeded(7);
  const agenda = new Agenda();
  const waiting: number[] = [];
  const attemptsOf = madeAt.map(() => 0);
  const attempts: number[] = [];
  const delivered: number[] = [];
  const all = Array.from({ length: workers }, () => ({
    pace: new Pace({ concurrency, schedule, random }),
    inFlight: 0,
  }));
  const begin = (nowMs: number): void => {
    for (let begun = true; begun && waiting.length > 0; ) {
      begun = false;
      for (const worker of all) {
        if (waiting.length === 0 || worker.inFlight >= worker.pace.limit(nowMs)) continue;
        begun = true;
        const one = waiting.shift() as number;
        worker.inFlight++;
        attempts.push(nowMs);
        agenda.at(nowMs + latencyMs * (0.5 + random()), (endMs) => end(worker, one, nowMs >= downMs, endMs));
      }
    }
  };
  const end = (worker: (typeof all)[number], one: number, succeeds: boolean, nowMs: number): void => {
    worker.inFlight--;
    if (succeeds) {
      worker.pace.onDelivered();
      delivered.push(nowMs);
    } else {
      const hold = worker.pace.onFailed(failure, nowMs);
      if (hold !== undefined) {
        agenda.at(hold.until + 1, begin);
        for (const other of all)
          if (other !== worker) agenda.at(nowMs + HOLD_POLL_MS, (at) => other.pace.obey(hold, at));
      }
      attemptsOf[one] = (attemptsOf[one] ?? 0) + 1;
      const outcome = outcomeOf(failure, attemptsOf[one], schedule, random());
      if (outcome.kind === 'retry') agenda.at(nowMs + outcome.delayMs, (at) => queue(one, at));
    }
    begin(nowMs);
  };
  const queue = (one: number, nowMs: number): void => {
    waiting.push(one);
    begin(nowMs);
  };
  for (const [one, at] of madeAt.entries()) agenda.at(at, (nowMs) => queue(one, nowMs));
  agenda.run();
  return { attempts, delivered };
};

/** What to do at which time, soonest first. */
class Agenda {
  readonly #heap: { at: number; run: (at: number) => void }[] = [];

  at(at: number, run: (at: number) => void): void {
    const heap = this.#heap;
    heap.push({ at, run });
    for (let index = heap.length - 1; index > 0; ) {
      const above = (index - 1) >> 1;
      if (this.#timeOf(above) <= this.#timeOf(index)) break;
      this.#swap(index, above);
      index = above;
    }
  }

  run(): void {
    const heap = this.#heap;
    for (let first = heap[0]; first !== undefined; first = heap[0]) {
      const last = heap.pop() as typeof first;
      if (heap.length > 0) {
        heap[0] = last;
        for (let index = 0; ; ) {
          const [left, right] = [2 * index + 1, 2 * index + 2];
          const next = right < heap.length && this.#timeOf(right) < this.#timeOf(left) ? right : left;
          if (next >= heap.length || this.#timeOf(index) <= this.#timeOf(next)) break;
          this.#swap(index, next);
          index = next;
        }
      }
      first.run(first.at);
    }
  }

  #timeOf(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b] as (typeof heap)[number], heap[a] as (typeof heap)[number]];
  }
}

describe('10,000 deliveries to a destination that is down for an hour', () => {
  it.each([
    ['made at once, one worker', 1, () => 0],
    ['made at once, four workers', 4, () => 0],
    ['made all through the hour, one worker', 1, (index: number) => (index / 10_000) * HOUR],
    ['made all through the hour, four workers', 4, (index: number) => (index / 10_000) * HOUR],
  ])('%s: resume without a spike above twice the mean rate', (_, workers, madeAt) => {
    const { attempts, delivered } = simulate({
      workers,
      concurrency: 32,
      latencyMs: 100,
      downMs: HOUR,
      madeAt: Array.from({ length: 10_000 }, (__, index) => madeAt(index)),
    });
    expect(delivered).toHaveLength(10_000);
    const duringOutage = attempts.filter((at) => at < HOUR).length;
    const after = attempts.filter((at) => at >= HOUR).sort((a, b) => a - b);
    const first = after[0] as number;
    const seconds = ((after.at(-1) as number) - first) / 1000;
    const perSecond = Map.groupBy(after, (at) => Math.floor((at - first) / 1000));
    const peak = Math.max(...[...perSecond.values()].map((group) => group.length));
    // 1.04 to 1.06.
    expect(peak / (after.length / seconds)).toBeLessThan(2);
    // It is tried now and then: 40 to 264 times in the hour, with pauses of at most five minutes.
    expect(duringOutage).toBeLessThan(500);
    expect(first - HOUR).toBeLessThanOrEqual(5 * 60_000);
  });
});
