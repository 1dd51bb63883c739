import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { listSnapshots, publishSnapshot, type Store } from '@clickrelay/queue';
import type { MetricObjectWithValues, MetricValue } from '@prometheus-io/client';
import type { ProcessMetrics, ProcessRole } from './process.ts';

/*
 * Prometheus scrapes only the API, but every process has metrics: each writes its own to Redis every few seconds, and
 * the API joins them. The counters of a process that is gone are shown a while longer, so that its last counts are
 * scraped; its gauges are not, because they are no longer true.
 */

export type Metrics = MetricObjectWithValues<MetricValue<string>>[];

export interface Published {
  readonly role: ProcessRole;
  readonly process: string;
  /** Whether the process seems to run now. */
  readonly isRunning: boolean;
  readonly metrics: Metrics;
}

interface Body {
  readonly role: ProcessRole;
  readonly hasEnded: boolean;
  readonly metrics: Metrics;
}

const PUBLISH_MS = 5_000;
/** Two snapshots may be lost or late. */
const GONE_MS = 16_000;
/** Longer than the usual scrape interval. */
const TTL_MS = 90_000;

const zip = promisify(gzip);
const unzip = promisify(gunzip);

export interface Publishing {
  /** Publishes for the last time. */
  stop(): Promise<void>;
}

/** While Redis is away nothing is published, silently: `clickrelay_redis_up` tells of it. */
export const publishMetrics = (
  store: Store,
  { role, process, registry }: ProcessMetrics,
  { everyMs = PUBLISH_MS }: { everyMs?: number } = {},
): Publishing => {
  let last: Promise<void> = Promise.resolve();
  const publish = async (hasEnded: boolean): Promise<void> => {
    try {
      const body: Body = { role, hasEnded, metrics: await registry.getMetricsAsJSON() };
      await publishSnapshot(store, process, await zip(JSON.stringify(body)), TTL_MS);
    } catch {
      // The next snapshot holds all of it.
    }
  };
  let isPublishing = false;
  const publishUnlessBusy = (): void => {
    if (isPublishing) return;
    isPublishing = true;
    last = publish(false).finally(() => {
      isPublishing = false;
    });
  };
  publishUnlessBusy();
  store.redis.on('ready', publishUnlessBusy);
  const timer = setInterval(publishUnlessBusy, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      store.redis.off('ready', publishUnlessBusy);
      await last;
      await publish(true);
    },
  };
};

/** Reads the metrics of every process that runs against this Redis, or did until a moment ago. */
export const readPublished = async (store: Store): Promise<Published[]> => {
  const snapshots = await listSnapshots(store, TTL_MS);
  const published = await Promise.all(
    snapshots.map(async ({ process, body, ageMs }): Promise<Published | undefined> => {
      try {
        const { role, hasEnded, metrics }: Body = JSON.parse((await unzip(body)).toString());
        return { role, process, isRunning: !hasEnded && ageMs < GONE_MS, metrics };
      } catch {
        // Another version wrote it, in another form.
        return undefined;
      }
    }),
  );
  return published.filter((one) => one !== undefined);
};
