import type { Lane } from '@clickrelay/core';
import type { Registry } from 'prom-client';
import { type AttemptMetrics, createAttemptMetrics } from './attempts.ts';
import { PlainCounter, PlainHistogram } from './plain.ts';

export interface WorkerMetrics extends AttemptMetrics {
  /** Events were split off callbacks: so many are new, so many were seen before. */
  logged(lane: Lane, fresh: number, repeated: number): void;
  /** @param receivedAt when its callback came, ISO 8601 */
  delivered(lane: Lane, receivedAt: string): void;
}

/** From a healthy destination's to those of the default retries. In seconds. */
const DELIVERY_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120, 600, 3_600, 18_000, 86_400];

/** What a worker counts. */
export const createWorkerMetrics = (registry: Registry): WorkerMetrics => {
  const registers = [registry];
  const events = new PlainCounter({
    name: 'clickrelay_events_total',
    help: 'Events of callbacks: new, or repeated because Clickatell sent them before',
    labelNames: ['lane', 'result'],
    registers,
  });
  const latency = new PlainHistogram({
    name: 'clickrelay_delivery_seconds',
    help: 'From the arrival of a callback to the delivery of an event of it to one destination; without replays',
    labelNames: ['lane'],
    buckets: DELIVERY_BUCKETS,
    registers,
  });
  const open = (lane: Lane) => ({
    fresh: events.cell({ lane, result: 'new' }),
    repeated: events.cell({ lane, result: 'repeated' }),
    latency: latency.series({ lane }),
  });
  const lanes = { messages: open('messages'), statuses: open('statuses') };

  return {
    ...createAttemptMetrics(registry),
    logged: (lane, fresh, repeated) => {
      lanes[lane].fresh.value += fresh;
      lanes[lane].repeated.value += repeated;
    },
    delivered: (lane, receivedAt) => {
      lanes[lane].latency.observe(Math.max(Date.now() - Date.parse(receivedAt), 0) / 1_000);
    },
  };
};
