import type { LoggedEvent } from '@clickrelay/core';
import type { WorkerMetrics } from '@clickrelay/metrics';
import { type EventLog, type EventToLog, type LagCounts, type Reservation, readEnded } from '@clickrelay/queue';
import type { Outlet } from './outlet.ts';
import type { SplitContext } from './split-group.ts';
import type { SplitEvent } from './tally.ts';

export interface LogContext extends SplitContext {
  readonly eventLog: EventLog;
  readonly metrics: WorkerMetrics;
  readonly lag: Pick<LagCounts, 'add'>;
}

/** The ingest group that logs events. */
export interface Claim {
  readonly claim: string;
  /** Set when the group has one event, which the commit found to be new and reserved for it. */
  readonly reservation: Reservation | undefined;
  /** A worker took the group before and did not finish it. */
  readonly cameBack: boolean;
}

/** An event of ours: no other group has logged it. */
interface EventToRoute {
  readonly event: LoggedEvent;
  /** Events of other callbacks go first. */
  readonly isLate: boolean;
  /** The outlets that want it. */
  readonly outlets: readonly Outlet[];
  /** This group has handled it before, and did not finish. */
  readonly cameBack: boolean;
  /** Ids of destinations where its delivery has ended all the same. */
  readonly ended: ReadonlySet<string>;
}

export interface Routed {
  readonly events: readonly EventToRoute[];
  /** Resolves when they are in the log. */
  readonly inLog: Promise<unknown>;
  /** The same, but starts the write at once if it is still to come. */
  logNow(): Promise<unknown>;
  /** Why some events could not be logged: their part of a Redis Cluster cannot be used for now. They come again. */
  readonly keptBack?: unknown;
}

/** Routes events of a group, logs them with their routes, and returns those that no other group has logged. */
export const routeAndLog = (
  context: LogContext,
  claim: Claim,
  events: readonly SplitEvent[],
  nowMs: number,
): Promise<Routed> => {
  const { reservation } = claim;
  // When the group was taken before, the reservation no longer says that its event is new.
  if (reservation === undefined || claim.cameBack) return logFirst(context, claim, events, nowMs);
  return logLater(context, { claim: claim.claim, version: reservation.version }, events, nowMs);
};

/** The log decides which events are new. */
const logFirst = async (
  context: LogContext,
  { claim, reservation }: Claim,
  events: readonly SplitEvent[],
  nowMs: number,
): Promise<Routed> => {
  const before = context.outlets();
  const routed = events.map((event) => route(event, before));
  // The claim tells a group that comes back after a crash from an event that Clickatell sent again. The destinations
  // are looked at in the same round trip: after adding a destination, the next event must reach it.
  const [{ logged, error: keptBack }] = await Promise.all([
    context.eventLog.appendWhatCanBe(claim, routed.map(toLog), nowMs),
    context.lookAtDestinations(),
  ]);
  if (keptBack !== undefined && logged.every((one) => one === undefined)) throw keptBack;
  const ours: (RoutedEvent & { cameBack: boolean })[] = [];
  for (const [index, event] of routed.entries()) {
    if (logged[index] === 'new') context.lag.add(context.lane, event.event.event);
    if (logged[index] !== 'seen' && logged[index] !== undefined) {
      // A reserved event may be on its way although the log does not have it.
      ours.push({ ...event, cameBack: reservation !== undefined || logged[index] === 'claimed' });
    }
  }
  context.metrics.logged(
    context.lane,
    logged.filter((result) => result === 'new').length,
    logged.filter((result) => result === 'seen').length,
  );
  // The ledger holds destinations to what the log says: that must be how the events are really routed.
  const now = context.outlets();
  if (now !== before && ours.length > 0) {
    for (const event of ours) event.outlets = route(event, now).outlets;
    await context.eventLog.append(claim, ours.map(toLog), nowMs);
  }
  const toRoute = await Promise.all(
    ours.map(async (event) => ({
      ...event,
      ended: event.cameBack ? await readEnded(context.store, event.event.event.id) : NONE,
    })),
  );
  const inLog = Promise.resolve();
  return { events: toRoute, inLog, logNow: () => inLog, keptBack };
};

/** In ms: CPU and Redis serve the delivery until then. Short, because its receiver may look the event up. */
const LOG_AFTER_MS = 1;

/** A reserved event is delivered before it is logged: until the group is done, a crash repeats both. */
const logLater = async (
  context: LogContext,
  { claim, version }: { claim: string; version: Reservation['version'] },
  events: readonly SplitEvent[],
  nowMs: number,
): Promise<Routed> => {
  await context.lookAtDestinations(version);
  const outlets = context.outlets();
  const routed = events.map((event) => route(event, outlets));
  context.metrics.logged(context.lane, events.length, 0);
  for (const { event } of routed) context.lag.add(context.lane, event.event);
  const { promise: moment, resolve: logIt } = Promise.withResolvers<void>();
  const timer = setTimeout(logIt, LOG_AFTER_MS);
  const inLog = moment.then(() => context.eventLog.append(claim, routed.map(toLog), nowMs));
  return {
    events: routed.map((event) => ({ ...event, cameBack: false, ended: NONE })),
    inLog,
    logNow: () => {
      clearTimeout(timer);
      logIt();
      return inLog;
    },
  };
};

interface RoutedEvent extends SplitEvent {
  outlets: readonly Outlet[];
}

const route = (split: SplitEvent, outlets: readonly Outlet[]): RoutedEvent => ({
  ...split,
  outlets: outlets.filter((outlet) => outlet.wants(split.event.event)),
});

const toLog = ({ event, origin, counted, outlets }: RoutedEvent): EventToLog => ({
  ...event,
  origin,
  counted,
  routes: outlets.map(({ id }) => id),
});

const NONE: ReadonlySet<string> = new Set();
