import { type LoggedEvent, STATUS_TYPE } from '@clickrelay/core';
import {
  claimOf,
  type DeliveryToQueue,
  dropLarge,
  type EventLog,
  type EventToLog,
  enqueueDeliveries,
  type IngestGroup,
  type MessageIndex,
  type QueueName,
  type Reservation,
  readEnded,
  type Settlement,
  type TakenJob,
} from '@clickrelay/queue';
import { attemptDelivery, countDelivered, type DeliverContext } from './deliver.ts';
import type { Outlet, Turns } from './outlet.ts';
import { type SplitContext, splitGroup } from './split-group.ts';
import { createTally, type SplitEvent } from './tally.ts';
import type { IngestSpan } from './traces.ts';

export interface IngestContext extends DeliverContext, SplitContext {
  readonly eventLog: EventLog;
  readonly messageIndex: MessageIndex;
  readonly turns: Turns;
  /** Whether this group may be held open by attempts that are under way. */
  mayDeliverStraight(): boolean;
}

/**
 * One group of callbacks: split, drop what was seen, log, route, deliver or queue. The group is done when each of its
 * events is either delivered or has a durable job wherever it is wanted; until then it comes back after a crash, and
 * everything here may happen twice.
 */
export const ingestGroup = async (context: IngestContext, queue: QueueName, job: TakenJob): Promise<Settlement> => {
  const startedAtMs = Date.now();
  const { callbacks } = job.data as IngestGroup;
  const claim: Claim = {
    claim: claimOf(queue, job.id),
    reservation: job.progress === 0 ? undefined : (job.progress as Reservation),
    isRepeated: job.timesTaken > 0 || job.stalledCount > 0,
  };
  // The group's job goes when this is done: what takes its place must be at least as safe.
  const events = await context.store.durablyBeforeNext(() => routeGroup(context, claim, callbacks));
  const counts = { callbacks: callbacks.length, events };
  context.log.debug({ group: job.id, ...counts, ms: Date.now() - startedAtMs }, 'group.routed');
  return { kind: 'done' };
};

interface Claim {
  readonly claim: string;
  /** It has one event, which is new: the step that committed it has reserved it. */
  readonly reservation: Reservation | undefined;
  /** Taken before, by a worker that did not come to its end. */
  readonly isRepeated: boolean;
}

/** @returns How many events were new. */
const routeGroup = async (
  context: IngestContext,
  claim: Claim,
  callbacks: IngestGroup['callbacks'],
): Promise<number> => {
  // They wait for a turn from now on: were they counted later, too many groups would be taken meanwhile.
  let counted = callbacks.length;
  context.turns.waiting += counted;
  const uncount = (): void => {
    context.turns.waiting -= counted;
    counted = 0;
  };
  let total = 0;
  /** Of its callbacks, when traces are asked for. */
  const spans: IngestSpan[] = [];
  try {
    const tally = createTally();
    for await (const some of splitGroup(context, callbacks, { spans, tally })) {
      const logging = claim.reservation && !claim.isRepeated ? logReserved : logEvents;
      const routed = await logging(context, claim, some, Date.now());
      uncount();
      await deliverOrQueue(context, routed);
      total += routed.events.length;
    }
    if (tally.left.callbacks + tally.left.repeats > 0) await context.eventLog.countAlone(claim.claim, tally.left);
  } finally {
    uncount();
    for (const span of spans) span.end();
  }
  for (const { large } of callbacks) if (large !== undefined) await dropLarge(context.store, large);
  return total;
};

/** Resolves when each of them is delivered, or has a job, wherever it is wanted. */
const deliverOrQueue = async (context: IngestContext, { events, inLog, logNow }: Routed): Promise<void> => {
  // Whoever takes a delivery out of a queue looks for its event in the log.
  const queue: Queue = (outlet, some, how) => logNow().then(() => enqueue(context, outlet, some, how));
  const queued = new Map<Outlet, LoggedEvent[]>();
  const work: Promise<unknown>[] = [inLog];
  for (const { event, outlets, ended, isRepeated } of events) {
    for (const outlet of outlets) {
      if (ended.has(outlet.id)) continue;
      // What may have a job already must not be attempted beside it.
      const turn = !isRepeated && context.mayDeliverStraight() && outlet.enterStraight(isStatus(event));
      if (turn !== false) work.push(deliverStraight({ context, outlet, event, queue }, turn));
      else if (queued.get(outlet)?.push(event) === undefined) queued.set(outlet, [event]);
    }
  }
  for (const [outlet, waiting] of queued) work.push(queue(outlet, waiting));
  // Behind the deliveries: nobody waits for it.
  if (events.length > 0) {
    const indexed = events.map(({ event }) => event.event);
    work.push(inLog.then(() => context.messageIndex.add(indexed)));
  }
  await settleAll(work);
};

interface EventToRoute {
  readonly event: LoggedEvent;
  /** Where it is wanted. */
  readonly outlets: readonly Outlet[];
  /** Logged before by this group, which did not come to its end. */
  readonly isRepeated: boolean;
  /** Destinations for which it has ended all the same. */
  readonly ended: ReadonlySet<string>;
}

interface Routed {
  readonly events: readonly EventToRoute[];
  /** Resolves when they are in the log. */
  readonly inLog: Promise<unknown>;
  /** The same, without waiting any longer. */
  logNow(): Promise<unknown>;
}

/** In ms: until then processor and Redis are for what is being delivered. Short, as it may be looked for by who has got it. */
const LOG_AFTER_MS = 1;

/** What was reserved may be delivered before it is logged: until the group is done, a crash repeats both. */
const logReserved = async (
  context: IngestContext,
  { claim, reservation }: Claim,
  events: readonly SplitEvent[],
  nowMs: number,
): Promise<Routed> => {
  await context.lookAtDestinations(reservation?.version);
  const outlets = context.outlets();
  const routed = events.map((event) => route(event, outlets));
  context.metrics.logged(context.lane, events.length, 0);
  const { promise: moment, resolve: logIt } = Promise.withResolvers<void>();
  const timer = setTimeout(logIt, LOG_AFTER_MS);
  const inLog = moment.then(() => context.eventLog.append(claim, routed.map(toLog), nowMs));
  return {
    events: routed.map((event) => ({ ...event, isRepeated: false, ended: NONE })),
    inLog,
    logNow: () => {
      clearTimeout(timer);
      logIt();
      return inLog;
    },
  };
};

/** Logs events of a group and gives back those that nobody else has logged. */
const logEvents = async (
  context: IngestContext,
  { claim, reservation }: Claim,
  events: readonly SplitEvent[],
  nowMs: number,
): Promise<Routed> => {
  const before = context.outlets();
  const routed = events.map((event) => route(event, before));
  // The claim tells a group that is repeated after a crash from a fact that Clickatell sent again. In the same round trip:
  // whoever adds a destination and then sends an event must find it there.
  const [logged] = await Promise.all([
    context.eventLog.append(claim, routed.map(toLog), nowMs),
    context.lookAtDestinations(),
  ]);
  const ours: (RoutedEvent & { isRepeated: boolean })[] = [];
  for (const [index, event] of routed.entries()) {
    if (logged[index] !== 'seen') {
      // One that was reserved may be on its way although the log does not have it.
      ours.push({ ...event, isRepeated: reservation !== undefined || logged[index] === 'claimed' });
    }
  }
  context.metrics.logged(context.lane, logged.filter((result) => result === 'new').length, events.length - ours.length);
  // The ledger holds destinations to what is logged: it must be how the events are really routed.
  const now = context.outlets();
  if (now !== before && ours.length > 0) {
    for (const event of ours) event.outlets = route(event, now).outlets;
    await context.eventLog.append(claim, ours.map(toLog), nowMs);
  }
  const toRoute = await Promise.all(
    ours.map(async (event) => ({
      ...event,
      ended: event.isRepeated ? await readEnded(context.store, event.event.event.id) : NONE,
    })),
  );
  const inLog = Promise.resolve();
  return { events: toRoute, inLog, logNow: () => inLog };
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

interface Straight {
  readonly context: IngestContext;
  readonly outlet: Outlet;
  readonly event: LoggedEvent;
  readonly queue: Queue;
}

/** The first attempt, without a job; what does not end well gets one. */
const deliverStraight = async (
  { context, outlet, event, queue }: Straight,
  turn: true | Promise<boolean>,
): Promise<void> => {
  if (!(await turn)) return queue(outlet, [event]);
  const { outcome, reason, because, uncounted } = await attemptDelivery(context, outlet, event, {
    number: 1,
    isFirst: true,
  });
  if (outcome.kind === 'delivered') countDelivered(context, event);
  if (uncounted) await queue(outlet, [event]);
  else if (outcome.kind === 'retry') {
    await queue(outlet, [event], { job: { a: 1 }, delayMs: outcome.delayMs });
  } else if (outcome.kind === 'dead_letter') {
    const job = { a: 1, x: reason, ...(because !== 'refused' && { k: because }) };
    await queue(outlet, [event], { job });
  }
};

type Queue = (
  outlet: Outlet,
  events: readonly LoggedEvent[],
  how?: Pick<DeliveryToQueue, 'job' | 'delayMs'>,
) => Promise<void>;

/** @param how The same for all of them. */
const enqueue = (
  context: IngestContext,
  outlet: Outlet,
  events: readonly LoggedEvent[],
  how: Pick<DeliveryToQueue, 'job' | 'delayMs'> = {},
): Promise<void> =>
  outlet.enqueue(async () => {
    // Its place first: a delivery without one would wait for nobody.
    await outlet.ordering?.join(events.map(({ event }) => event));
    await enqueueDeliveries(
      context.store,
      outlet.id,
      events.map((event) => {
        const trace = context.traces?.of(event);
        const isSecond = outlet.isMixed && isStatus(event);
        return { eventId: event.event.id, isSecond, ...how, ...(trace && { job: { ...how.job, t: trace } }) };
      }),
    );
  });

const isStatus = ({ event }: LoggedEvent): boolean => event.type === STATUS_TYPE;

/** Waits for all of them, also when one fails: the group must not be settled while attempts are under way. */
const settleAll = async (work: Promise<unknown>[]): Promise<void> => {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
};
