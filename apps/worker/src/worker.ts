import type { WorkerMetrics } from '@clickrelay/metrics';
import {
  createAttemptLog,
  createDispatcher,
  createEventLog,
  createHourCounts,
  createMessageIndex,
  createOrdering,
  type Destination,
  destinationQueue,
  type Hold,
  holdDestination,
  ingestQueues,
  LANES,
  listHolds,
  releaseDestination,
  type Store,
  shareDedupe,
  startReplays,
  startRetention,
  watchDestinations,
} from '@clickrelay/queue';
import { openRoute, type Route } from '@clickrelay/routing';
import { describeError } from '@clickrelay/service/log';
import type { Logger } from 'pino';
import type { Adapters } from './adapters.ts';
import type { Config } from './config.ts';
import { type DeliverContext, deliverJob } from './deliver.ts';
import { type IngestContext, ingestGroup } from './ingest.ts';
import { Outlet, type Turns } from './outlet.ts';
import { createLargeSplitter } from './split-large.ts';
import type { Traces } from './traces.ts';

/** Groups of one lane that may be open at once. */
const MAX_OPEN_GROUPS = 256;
/** No group is taken while this many events wait for a turn: what waits too long would have to be queued. */
const MAX_WAITING_EVENTS = 128;
/** A group may hold hundreds of events: a few at a time show whether the destinations keep up. */
const MAX_GROUPS_AT_ONCE = 4;
/** With more than this open, attempts get jobs, which closes their groups: slow destinations must not stop the lane. */
const MAX_HELD_GROUPS = 128;

/** What one worker finds out about a destination is known to the others within about this time. */
const HOLD_POLL_MS = 500;

/** How often destinations are looked at that keep events waiting, in ms. */
const OVERDUE_LOOK_MS = 50;

/** Share of its time that a process works which is at its limit. */
const BUSY = 0.8;

export interface WorkerDependencies {
  readonly store: Store;
  readonly adapters: Adapters;
  readonly config: Pick<
    Config,
    'RETRY_SCHEDULE' | 'DEDUPE_TTL' | 'EVENT_RETENTION' | 'EVENT_LOG_MAX_BYTES' | 'DELIVERY_RETENTION'
  >;
  readonly metrics: WorkerMetrics;
  /** Left out: none are kept. */
  readonly traces?: Traces | undefined;
  readonly log: Logger;
}

export interface RunningWorker {
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
  const onError = (error: unknown): void => log.error({ error: describeError(error) }, 'worker.error');
  const abort = new AbortController();
  const hours = createHourCounts(store, { onError });
  const attempts = createAttemptLog(store, { onRecord: hours.add });
  const dispatcher = createDispatcher(store, { onError });
  const outlets = new Map<string, Outlet>();
  let outletList: readonly Outlet[] = [];
  const turns: Turns = { waiting: 0 };
  const deliverContext: DeliverContext = {
    store,
    attempts,
    metrics,
    traces,
    log,
    signal: abort.signal,
  };

  // -- destinations, each with its queue ---------------------------------------------------------------------------

  /** Resolves when the destination's queue has been looked into: once it is known to be empty, events go straight. */
  const open = async (destination: Destination): Promise<void> => {
    const queue = destinationQueue(destination.id);
    let route: Route | undefined;
    let opened: ReturnType<Adapters['open']>;
    try {
      route = openRoute(destination);
      opened = adapters.open(destination.type, destination.config);
    } catch (error) {
      // Its events wait in its queue until someone mends it.
      log.error({ destination: destination.id, error: describeError(error) }, 'destination.invalid');
    }
    const outlet = new Outlet(destination, opened, route, {
      turns,
      schedule: config.RETRY_SCHEDULE,
      createOrdering: () => createOrdering(store, destination.id),
      onRoom: () => dispatcher.poke(queue),
      onHold: (hold) => onHold(destination.id, hold),
    });
    outlets.set(destination.id, outlet);
    if (opened === undefined) return;
    await dispatcher.add({
      queue,
      rate: outlet.rate,
      room: () => outlet.room(),
      onEmpty: () => outlet.onQueueEmpty(),
      run: (job) => deliverJob(deliverContext, outlet, job),
    });
  };

  const close = (outlet: Outlet, isRemoved: boolean): void => {
    outlets.delete(outlet.id);
    dispatcher.remove(destinationQueue(outlet.id));
    (isRemoved ? outlet.remove() : outlet.close()).catch(onError);
  };

  const onDestinations = async (destinations: Destination[]): Promise<void> => {
    const opening: Promise<void>[] = [];
    const present = new Set(destinations.map(({ id }) => id));
    for (const outlet of [...outlets.values()]) {
      if (present.has(outlet.id)) continue;
      close(outlet, true);
      metrics.forget(outlet.id);
    }
    for (const destination of destinations) {
      const outlet = outlets.get(destination.id);
      if (outlet === undefined) opening.push(open(destination));
      else if (JSON.stringify(outlet.destination) !== JSON.stringify(destination)) {
        const isSameAdapter =
          outlet.destination.type === destination.type &&
          outlet.destination.filter === destination.filter &&
          JSON.stringify(outlet.destination.config) === JSON.stringify(destination.config);
        if (isSameAdapter) outlet.update(destination);
        else {
          close(outlet, false);
          opening.push(open(destination));
        }
      }
    }
    outletList = [...outlets.values()];
    await Promise.all(opening);
  };
  const destinationWatch = await watchDestinations(store, { onChange: onDestinations, onError });

  const onHold = (id: string, hold: Hold | undefined): void => {
    if (hold === undefined) log.info({ destination: id }, 'destination.released');
    else {
      const seconds = Math.round((hold.until - Date.now()) / 1_000);
      log.warn({ destination: id, reason: hold.reason, seconds }, 'destination.held');
    }
    (hold === undefined ? releaseDestination(store, id) : holdDestination(store, id, hold)).catch(onError);
  };
  const obeyHolds = async (): Promise<void> => {
    for (const [id, hold] of await listHolds(store, Date.now())) outlets.get(id)?.obey(hold);
  };
  await obeyHolds();
  const holdWatch = setInterval(() => obeyHolds().catch(onError), HOLD_POLL_MS);

  // -- ingest lanes ------------------------------------------------------------------------------------------------

  const eventLog = createEventLog(store, { dedupeTtlMs: config.DEDUPE_TTL });
  await shareDedupe(store, config.DEDUPE_TTL);
  const messageIndex = createMessageIndex(store);
  const largeSplitter = createLargeSplitter();
  const allIngestQueues = LANES.flatMap((lane) => ingestQueues(store, lane));
  for (const lane of LANES) {
    let openGroups = 0;
    const context: IngestContext = {
      ...deliverContext,
      lane,
      eventLog,
      turns,
      splitLarge: largeSplitter.split,
      messageIndex,
      outlets: () => outletList,
      lookAtDestinations: (version) => destinationWatch.look(version),
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

  // -- housekeeping ------------------------------------------------------------------------------------------------

  let utilization = performance.eventLoopUtilization();
  const overdue = setInterval(() => {
    const before = utilization;
    utilization = performance.eventLoopUtilization();
    const isBusy = performance.eventLoopUtilization(utilization, before).utilization > BUSY;
    for (const outlet of outlets.values()) outlet.refuseOverdue(isBusy);
  }, OVERDUE_LOOK_MS);
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
    stop: async (graceMs) => {
      await replays.stop();
      destinationWatch.stop();
      clearInterval(holdWatch);
      retention.stop();
      const cut = setTimeout(() => abort.abort(), graceMs);
      await dispatcher.close(graceMs + 1_000);
      clearTimeout(cut);
      clearInterval(overdue);
      await Promise.all([attempts.drained(), messageIndex.drained(), hours.stop()]);
      await Promise.all([...outlets.values()].map((outlet) => outlet.close()));
      await largeSplitter.close();
    },
  };
};
