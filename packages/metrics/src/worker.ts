import type { Lane } from '@clickrelay/core';
import { LAG_BOUNDS_S } from '@clickrelay/queue';
import { Counter, Histogram, type Registry } from '@prometheus-io/client';
import { type AttemptMetrics, createAttemptMetrics } from './attempts.ts';

export interface WorkerMetrics extends AttemptMetrics {
  /** Counts events that were split off callbacks: new ones, and repeats. */
  logged(lane: Lane, fresh: number, repeated: number): void;
  /** Counts how late Clickatell handed a new event over. */
  lagged(lane: Lane, channel: string, lagMs: number): void;
  /** @param receivedAt when its callback came, ISO 8601 */
  delivered(lane: Lane, receivedAt: string): void;
}

/** In seconds: from those of a healthy destination to those of the default retries. */
const DELIVERY_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120, 600, 3_600, 18_000, 86_400];

const LANES: readonly Lane[] = ['messages', 'statuses'];

/**
 * What a worker counts. The client looks up the labels for every step, even through `labels()`: that takes 0.25 µs,
 * where a number of our own takes 0.01 (Node 24, a busy machine). A delivery has three such steps and costs the worker
 * 190 to 280 µs; a callback has two and costs the receiver 118 µs (docs/performance.md). That is half a percent, so
 * there is no faster way here.
 */
export const createWorkerMetrics = (registry: Registry): WorkerMetrics => {
  const registers = [registry];
  const events = new Counter({
    name: 'clickrelay_events_total',
    help: 'Events of callbacks: new, or repeated because Clickatell sent them before',
    labelNames: ['lane', 'result'],
    registers,
  });
  const latency = new Histogram({
    name: 'clickrelay_delivery_seconds',
    help: 'From the arrival of a callback to the delivery of an event of it to a destination; without replays',
    labelNames: ['lane'],
    buckets: DELIVERY_BUCKETS,
    registers,
  });
  const lag = new Histogram({
    name: 'clickrelay_clickatell_lag_seconds',
    help: "Clickatell's own lag: from its time of a new event to the arrival here; without READ",
    labelNames: ['lane', 'channel'],
    buckets: [...LAG_BOUNDS_S],
    registers,
  });
  // There from the beginning, so that the first ones show as an increase.
  for (const lane of LANES) {
    for (const result of ['new', 'repeated']) events.inc({ lane, result }, 0);
    latency.zero({ lane });
  }

  return {
    ...createAttemptMetrics(registry),
    logged: (lane, fresh, repeated) => {
      events.inc({ lane, result: 'new' }, fresh);
      events.inc({ lane, result: 'repeated' }, repeated);
    },
    lagged: (lane, channel, lagMs) => lag.observe({ lane, channel }, Math.max(lagMs, 0) / 1_000),
    delivered: (lane, receivedAt) => {
      latency.observe({ lane }, Math.max(Date.now() - Date.parse(receivedAt), 0) / 1_000);
    },
  };
};
