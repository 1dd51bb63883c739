import { Histogram, type Registry } from '@prometheus-io/client';
import { type AttemptMetrics, createAttemptMetrics } from './attempts.ts';

export interface ApiMetrics extends AttemptMetrics {
  /** Counts the first lease of a delivery. @param receivedAt when its callback came, ISO 8601 */
  leased(receivedAt: string): void;
}

/** In seconds. */
const LEASE_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120, 600, 3_600, 18_000, 86_400];

/** What an API counts: leases are handed out and answered there. */
export const createApiMetrics = (registry: Registry): ApiMetrics => {
  const wait = new Histogram({
    name: 'clickrelay_lease_wait_seconds',
    help: 'From the arrival of a callback to the first lease of an event of it',
    buckets: LEASE_BUCKETS,
    registers: [registry],
  });
  return {
    ...createAttemptMetrics(registry),
    leased: (receivedAt) => wait.observe(Math.max(Date.now() - Date.parse(receivedAt), 0) / 1_000),
  };
};
