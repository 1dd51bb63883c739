import type { WorkerMetrics } from '@clickrelay/metrics';
import {
  createAttemptLog,
  createDestinationNotes,
  createDispatcher,
  createEventLog,
  createHourCounts,
  createLagCounts,
  createMessageIndex,
  ingestQueues,
  LANES,
  type Store,
  shareDedupe,
  startReplays,
  startRetention,
} from '@clickrelay/queue';
import { createErrorLog } from '@clickrelay/service/log';
import type { Logger } from 'pino';
import type { Adapters } from './adapters.ts';
import type { Config } from './config.ts';
import { type DeliverContext, deliverJob } from './deliver.ts';
import { type IngestContext, ingestGroup } from './ingest.ts';
import type { Turns } from './outlet.ts';
import { type Outlets, openOutlets } from './outlets.ts';
import { createLargeSplitter } from './split-large.ts';
import type { Traces } from './traces.ts';

/** Groups of one lane that may be open at once. */
const MAX_OPEN_GROUPS = 256;
/** No group is taken while this many events wait for a turn: an event that waits too long has to be queued. */
const MAX_WAITING_EVENTS = 128;
/** A group may hold hundreds of events: a few at a time show whether the destinations keep up. */
const MAX_GROUPS_AT_ONCE = 4;
/** With more than this open, attempts get jobs, which closes their groups: slow destinations must not stop the lane. */
const MAX_HELD_GROUPS = 128;

/** How often to look for destinations that keep events waiting, in ms. */
const OVERDUE_LOOK_MS = 50;

/** A process that works for this share of its time is at its limit. */
const BUSY = 0.8;

export interface WorkerDependencies {
  readonly store: Store;
  readonly adapters: Adapters;
  readonly config: Pick<
    Config,
    'RETRY_SCHEDULE' | 'DEDUPE_TTL' | 'EVENT_RETENTION' | 'EVENT_LOG_MAX_BYTES' | 'DELIVERY_RETENTION'
  >;
  readonly metrics: WorkerMetrics;
  /** Left out: there are no traces. */
  readonly traces?: Traces | undefined;
  readonly log: Logger;
}

export interface RunningWorker extends Pick<Outlets, 'unopened'> {
  /** Takes nothing more, lets attempts end within the grace, and gives back what has not. */
  stop(graceMs: number): Promise<void>;
}

/** The walk of events: ingest groups in, deliveries out. */
export const startWorker = async ({
  store,
  adapters,
  config,
  metrics,
  traces,
  log,
}: WorkerDependencies): Promise<RunningWorker> => {
  const onError = createErrorLog((fields) => log.error(fields, 'worker.error'), store.explain);
  const abort = new AbortController();
  const hours = createHourCounts(store, { onError });
  const lag = createLagCounts(store, { onError, onLag: metrics.lagged });
  const notes = createDestinationNotes(store, { onError });
  const attempts = createAttemptLog(store, { onRecord: hours.add });
  const dispatcher = createDispatcher(store, {
    onError,
    onPutBack: (healed) => log.warn(healed, 'clock.put-back'),
  });
  const turns: Turns = { waiting: 0 };
  const deliverContext: DeliverContext = {
    store,
    attempts,
    metrics,
    traces,
    log,
    signal: abort.signal,
  };

  const outlets = await openOutlets({
    store,
    dispatcher,
    adapters,
    notes,
    metrics,
    turns,
    schedule: config.RETRY_SCHEDULE,
    log,
    onError,
    deliver: (outlet, job) => deliverJob(deliverContext, outlet, job),
  });

  const eventLog = createEventLog(store, { dedupeTtlMs: config.DEDUPE_TTL });
  await shareDedupe(store, config.DEDUPE_TTL);
  store.identity.onAdopt(() => shareDedupe(store, config.DEDUPE_TTL));
  const messageIndex = createMessageIndex(store);
  const largeSplitter = createLargeSplitter();
  const allIngestQueues = LANES.flatMap((lane) => ingestQueues(store, lane));
  for (const lane of LANES) {
    let openGroups = 0;
    const context: IngestContext = {
      ...deliverContext,
      lane,
      eventLog,
      lag,
      turns,
      splitLarge: largeSplitter.split,
      messageIndex,
      outlets: outlets.all,
      lookAtDestinations: outlets.look,
      mayDeliverStraight: () => openGroups <= MAX_HELD_GROUPS,
    };
    for (const queue of ingestQueues(store, lane)) {
      dispatcher.add({
        queue,
        // A customer waits for the answer to a message; nobody waits for a status.
        isPrompt: lane === 'messages',
        room: () =>
          turns.waiting < MAX_WAITING_EVENTS ? Math.min(MAX_OPEN_GROUPS - openGroups, MAX_GROUPS_AT_ONCE) : 0,
        run: async (job) => {
          openGroups++;
          try {
            return await ingestGroup(context, queue, job);
          } finally {
            openGroups--;
            // This group's events may have been what another queue waited for.
            for (const other of allIngestQueues) if (other !== queue) dispatcher.poke(other);
          }
        },
      });
    }
  }

  const overdue = refuseOverdue(outlets.all);
  const retention = startRetention(
    store,
    {
      eventsMs: config.EVENT_RETENTION,
      eventBytes: config.EVENT_LOG_MAX_BYTES,
      deliveriesMs: config.DELIVERY_RETENTION,
    },
    { onError },
  );

  const replays = startReplays(store, {
    onError,
    onEnd: ({ id, by, replayed, skipped }) => log.info({ replay: id, by, replayed, skipped }, 'replay.done'),
  });

  return {
    unopened: outlets.unopened,
    stop: async (graceMs) => {
      await replays.stop();
      outlets.stopWatching();
      retention.stop();
      const cut = setTimeout(() => abort.abort(), graceMs);
      await dispatcher.close(graceMs + 1_000);
      clearTimeout(cut);
      clearInterval(overdue);
      await Promise.all([attempts.drained(), messageIndex.drained(), hours.stop(), lag.stop()]);
      await outlets.close();
      await notes.stop();
      await largeSplitter.close();
    },
  };
};

/** Looks for destinations that keep events waiting; what this process itself delays is not their fault. */
const refuseOverdue = (outlets: Outlets['all']): NodeJS.Timeout => {
  let utilization = performance.eventLoopUtilization();
  return setInterval(() => {
    const before = utilization;
    utilization = performance.eventLoopUtilization();
    const isBusy = performance.eventLoopUtilization(utilization, before).utilization > BUSY;
    for (const outlet of outlets()) outlet.refuseOverdue(isBusy);
  }, OVERDUE_LOOK_MS);
};
