import { type LoggedEvent, STATUS_TYPE } from '@clickrelay/core';
import {
  claimOf,
  type DeliveryToQueue,
  dropLarge,
  enqueueDeliveries,
  type IngestGroup,
  type MessageIndex,
  parseIngestGroup,
  type QueueName,
  reservationOf,
  type Settlement,
  type TakenJob,
} from '@clickrelay/queue';
import { attemptDelivery, countDelivered, type DeliverContext } from './deliver.ts';
import type { Outlet, Turns } from './outlet.ts';
import { type Claim, type LogContext, type Routed, routeAndLog } from './route-and-log.ts';
import { splitGroup } from './split-group.ts';
import { createTally } from './tally.ts';
import type { IngestSpan } from './traces.ts';

export interface IngestContext extends DeliverContext, LogContext {
  readonly messageIndex: MessageIndex;
  readonly turns: Turns;
  /** Whether this group may be held open by attempts that are under way. */
  mayDeliverStraight(): boolean;
}

/**
 * One group of callbacks: split, route, log (which drops repeats), deliver or queue. The group is done when each of its
 * events is either delivered or has a durable job wherever it is wanted; until then it comes back after a crash, and
 * everything here may happen twice.
 */
export const ingestGroup = async (context: IngestContext, queue: QueueName, job: TakenJob): Promise<Settlement> => {
  const since = performance.now();
  const { callbacks } = parseIngestGroup(job.data);
  const claim: Claim = {
    claim: claimOf(queue, job.id),
    reservation: reservationOf(job),
    cameBack: job.timesTaken > 0 || job.stalledCount > 0,
  };
  // The group's job goes when this is done: the jobs and records that replace it must be at least as safe.
  const events = await context.store.durablyBeforeNext(() => passOnEvents(context, claim, callbacks));
  const counts = { callbacks: callbacks.length, events };
  context.log.debug({ group: job.id, ...counts, ms: Math.round(performance.now() - since) }, 'group.routed');
  return { kind: 'done' };
};

/** Splits, routes, logs, and delivers or queues. @returns how many events were new */
const passOnEvents = async (
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
  let keptBack: unknown;
  /** One for each callback, when traces are asked for. */
  const spans: IngestSpan[] = [];
  try {
    const tally = createTally();
    for await (const some of splitGroup(context, callbacks, { spans, tally })) {
      const routed = await routeAndLog(context, claim, some, context.store.clock.now());
      uncount();
      await deliverOrQueue(context, routed);
      total += routed.events.length;
      keptBack ??= routed.keptBack;
    }
    // The group comes again: what is done by then is not done twice.
    if (keptBack !== undefined) throw keptBack;
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
  // The taker of a queued delivery looks for its event in the log.
  const queue: Queue = (outlet, some, how) => logNow().then(() => enqueue(context, outlet, some, how));
  const queued = new Map<Outlet, Waiting[]>();
  const work: Promise<unknown>[] = [inLog];
  for (const { event, isLate, outlets, ended, cameBack } of events) {
    const waiting = { event, isLate };
    for (const outlet of outlets) {
      if (ended.has(outlet.id)) continue;
      // A delivery that may have a job already must not be attempted beside it.
      const turn = !cameBack && context.mayDeliverStraight() && outlet.enterStraight(isLate || isStatus(event));
      if (turn !== false) work.push(deliverStraight({ context, outlet, waiting, queue }, turn));
      else if (queued.get(outlet)?.push(waiting) === undefined) queued.set(outlet, [waiting]);
    }
  }
  for (const [outlet, some] of queued) work.push(queue(outlet, some));
  // Behind the deliveries: nobody waits for it.
  if (events.length > 0) {
    const indexed = events.map(({ event }) => event.event);
    work.push(inLog.then(() => context.messageIndex.add(indexed)));
  }
  await waitForAll(work);
};

/** An event that waits for a destination. */
interface Waiting {
  readonly event: LoggedEvent;
  /** Events of other callbacks go first. */
  readonly isLate: boolean;
}

interface Straight {
  readonly context: IngestContext;
  readonly outlet: Outlet;
  readonly waiting: Waiting;
  readonly queue: Queue;
}

/** The first attempt, without a job; a delivery that does not succeed gets one. */
const deliverStraight = async (
  { context, outlet, waiting, queue }: Straight,
  turn: true | Promise<boolean>,
): Promise<void> => {
  if (!(await turn)) return queue(outlet, [waiting]);
  const { event } = waiting;
  const { outcome, reason, because, uncounted } = await attemptDelivery(context, outlet, event, {
    number: 1,
    isFirst: true,
  });
  if (outcome.kind === 'delivered') countDelivered(context, event);
  if (uncounted) await queue(outlet, [waiting]);
  else if (outcome.kind === 'retry') {
    await queue(outlet, [waiting], { job: { a: 1 }, delayMs: outcome.delayMs });
  } else if (outcome.kind === 'dead_letter') {
    const job = { a: 1, x: reason, ...(because !== 'refused' && { k: because }) };
    await queue(outlet, [waiting], { job });
  }
};

type Queue = (
  outlet: Outlet,
  events: readonly Waiting[],
  how?: Pick<DeliveryToQueue, 'job' | 'delayMs'>,
) => Promise<void>;

/** @param how The same for all of them. */
const enqueue = (
  context: IngestContext,
  outlet: Outlet,
  events: readonly Waiting[],
  how: Pick<DeliveryToQueue, 'job' | 'delayMs'> = {},
): Promise<void> =>
  outlet.enqueue(async () => {
    // Its place first: a delivery without one would wait for nobody.
    await outlet.ordering?.join(events.map(({ event }) => event.event));
    await enqueueDeliveries(
      context.store,
      outlet.id,
      events.map(({ event, isLate }) => {
        const trace = context.traces?.of(event);
        const isSecond = isLate || (outlet.isMixed && isStatus(event));
        return { eventId: event.event.id, isSecond, ...how, ...(trace && { job: { ...how.job, t: trace } }) };
      }),
    );
  });

const isStatus = ({ event }: LoggedEvent): boolean => event.type === STATUS_TYPE;

/** Waits for all of them even if one fails: the group must not be settled while attempts are under way. */
const waitForAll = async (work: Promise<unknown>[]): Promise<void> => {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
};
