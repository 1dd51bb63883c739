import { eachEvent, InvalidCallbackError, type Lane, type LoggedEvent, STATUS_TYPE } from '@clickrelay/core';
import {
  type CountedWith,
  claimOf,
  type DeliveryToQueue,
  dropLarge,
  type EventLog,
  type EventToLog,
  enqueueDeliveries,
  type IngestGroup,
  type MessageIndex,
  type Origin,
  type QueueName,
  quarantineCallback,
  readEnded,
  readLargePieces,
  reportTest,
  type Settlement,
  type TakenJob,
  TEST_MESSAGE,
} from '@clickrelay/queue';
import { attemptDelivery, countDelivered, type DeliverContext } from './deliver.ts';
import type { Outlet, Turns } from './outlet.ts';
import { LARGE_CALLBACK_BYTES, type LargeSplitter } from './split-large.ts';
import type { IngestSpan } from './traces.ts';

export interface IngestContext extends DeliverContext {
  readonly lane: Lane;
  readonly eventLog: EventLog;
  readonly messageIndex: MessageIndex;
  readonly turns: Turns;
  readonly splitLarge: LargeSplitter['split'];
  /** Another object after every change: of what was routed before one, nothing holds. */
  outlets(): readonly Outlet[];
  /** Resolves when the outlets are those of every destination that was put before this call. */
  lookAtDestinations(): Promise<void>;
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
  // The group's job goes when this is done: what takes its place must be at least as safe.
  const events = await context.store.durablyBeforeNext(() => routeGroup(context, claimOf(queue, job.id), callbacks));
  const counts = { callbacks: callbacks.length, events };
  context.log.debug({ group: job.id, ...counts, ms: Date.now() - startedAtMs }, 'group.routed');
  return { kind: 'done' };
};

/** @returns How many events were new. */
const routeGroup = async (
  context: IngestContext,
  claim: string,
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
    const pending = { callbacks: 0, repeats: 0 };
    for await (const some of split(context, callbacks, { spans, pending })) {
      const events = await logEvents(context, claim, some, Date.now());
      uncount();
      await deliverOrQueue(context, events);
      total += events.length;
    }
    if (pending.callbacks + pending.repeats > 0) await context.eventLog.countAlone(claim, pending);
  } finally {
    uncount();
    for (const span of spans) span.end();
  }
  for (const { large } of callbacks) if (large !== undefined) await dropLarge(context.store, large);
  return total;
};

/** Resolves when each of them is delivered, or has a job, wherever it is wanted. */
const deliverOrQueue = async (context: IngestContext, events: readonly EventToRoute[]): Promise<void> => {
  const queued = new Map<Outlet, LoggedEvent[]>();
  const work: Promise<void>[] = [];
  for (const { event, outlets, ended, isRepeated } of events) {
    for (const outlet of outlets) {
      if (ended.has(outlet.id)) continue;
      // What may have a job already must not be attempted beside it.
      const turn = !isRepeated && context.mayDeliverStraight() && outlet.enterStraight(isStatus(event));
      if (turn !== false) work.push(deliverStraight(context, outlet, event, turn));
      else if (queued.get(outlet)?.push(event) === undefined) queued.set(outlet, [event]);
    }
  }
  for (const [outlet, waiting] of queued) work.push(enqueue(context, outlet, waiting));
  // Behind the deliveries: nobody waits for it.
  if (events.length > 0) work.push(context.messageIndex.add(events.map(({ event }) => event.event)));
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

/** Logs events of a group and gives back those that nobody else has logged. */
const logEvents = async (
  context: IngestContext,
  claim: string,
  events: readonly SplitEvent[],
  nowMs: number,
): Promise<EventToRoute[]> => {
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
    if (logged[index] !== 'seen') ours.push({ ...event, isRepeated: logged[index] === 'claimed' });
  }
  context.metrics.logged(context.lane, logged.filter((result) => result === 'new').length, events.length - ours.length);
  // The ledger holds destinations to what is logged: it must be how the events are really routed.
  const now = context.outlets();
  if (now !== before && ours.length > 0) {
    for (const event of ours) event.outlets = route(event, now).outlets;
    await context.eventLog.append(claim, ours.map(toLog), nowMs);
  }
  return await Promise.all(
    ours.map(async (event) => ({
      ...event,
      ended: event.isRepeated ? await readEnded(context.store, event.event.event.id) : NONE,
    })),
  );
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

/** An event with what is logged and counted along with it. */
interface SplitEvent {
  readonly event: LoggedEvent;
  readonly origin: Writable<Origin>;
  readonly counted: Writable<CountedWith>;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What was taken up and belongs to no event yet. */
interface Pending {
  callbacks: number;
  repeats: number;
}

/** A callback may hold hundreds of thousands of events: so many are logged and delivered before the next are looked at. */
const MOST_EVENTS_AT_ONCE = 1_000;
/** Others are served after this much work, in ms. */
const LONGEST_STRETCH_MS = 20;

/**
 * The events of a group, each once, some at a time. A callback that the receiver took but that cannot be split goes to
 * quarantine.
 * @param pending What there was no event for that it could be counted with, at the end.
 */
async function* split(
  context: IngestContext,
  callbacks: IngestGroup['callbacks'],
  { spans, pending }: { spans: IngestSpan[]; pending: Pending },
): AsyncGenerator<SplitEvent[], void> {
  /** Those that are not given on yet with what is counted with them: theirs are the repetitions of the same facts. */
  const seen = new Map<string, SplitEvent | undefined>();
  let events: SplitEvent[] = [];
  let since = performance.now();
  let gives = 0;
  const give = (): SplitEvent[] => {
    gives++;
    const given = events;
    for (const { event } of given) seen.set(event.event.id, undefined);
    events = [];
    return given;
  };
  for (const [index, { text, large, receivedAt, trace }] of callbacks.entries()) {
    const span = context.traces?.ingest(trace);
    if (span !== undefined) spans.push(span);
    const pieces = large && (await readLargePieces(context.store, large));
    if (large !== undefined && pieces === undefined) {
      // Its events were delivered or queued before it went: this group is repeated after a crash.
      context.log.warn({ receivedAt }, 'callback.gone');
      continue;
    }
    const size = pieces === undefined ? text.length : sizeOf(pieces);
    const origin = { index, size, elements: 0, groupSize: callbacks.length };
    let elements = 0;
    const givesBefore = gives;
    pending.callbacks++;
    try {
      for await (const some of splitCallback(context, pieces ?? text, receivedAt)) {
        for (const logged of some) {
          elements++;
          const { id } = logged.event;
          if (logged.event.messageId?.startsWith(TEST_MESSAGE) && (await isTest(context, logged))) {
            // It has no other elements.
            pending.callbacks = Math.max(pending.callbacks - 1, 0);
            continue;
          }
          if (seen.has(id)) {
            const first = seen.get(id);
            if (first === undefined) pending.repeats++;
            else {
              first.counted.repeats++;
              first.counted.ownRepeats++;
            }
            continue;
          }
          const event = { event: logged, origin, counted: { ...pending, ownRepeats: 0 } };
          pending.callbacks = 0;
          pending.repeats = 0;
          seen.set(id, event);
          events.push(event);
          span?.note(logged);
          if (events.length === MOST_EVENTS_AT_ONCE) yield give();
          if (performance.now() - since > LONGEST_STRETCH_MS) {
            await nextTurn();
            since = performance.now();
          }
        }
      }
      // Of one whose first events are logged already it stays unknown.
      if (gives === givesBefore) origin.elements = elements;
    } catch (error) {
      if (!(error instanceof InvalidCallbackError)) throw error;
      // It is no callback after all; had some of it been logged, it was counted with that.
      pending.callbacks = Math.max(pending.callbacks - 1, 0);
      const body = pieces === undefined ? Buffer.from(text) : join(pieces);
      const id = await quarantineCallback(context.store, { body, reason: error.message, receivedAt });
      context.log.warn({ quarantined: id, reason: error.message }, 'callback.quarantined');
    }
  }
  const last = events.at(-1);
  if (last === undefined) return;
  last.counted.callbacks += pending.callbacks;
  last.counted.repeats += pending.repeats;
  pending.callbacks = 0;
  pending.repeats = 0;
  yield events;
}

/** Whether a person sent it to see that the way is clear; who is told what would have become of it. */
const isTest = async (context: IngestContext, { event }: LoggedEvent): Promise<boolean> => {
  await context.lookAtDestinations();
  const wanting = context.outlets().filter((outlet) => outlet.wants(event));
  return await reportTest(context.store, event.id, {
    lane: context.lane,
    receivedAt: event.receivedAt,
    splitAt: new Date().toISOString(),
    eventType: event.type,
    valid: event.valid !== false,
    wantedBy: wanting.map(({ id }) => id),
  });
};

/** The events of one callback, some at a time: of a large one, as they come from another thread. */
async function* splitCallback(
  { splitLarge }: IngestContext,
  text: string | readonly SharedArrayBuffer[],
  receivedAt: string,
): AsyncGenerator<Iterable<LoggedEvent>, void> {
  if (typeof text === 'string') yield eachEvent(text, receivedAt);
  else if (sizeOf(text) > LARGE_CALLBACK_BYTES) yield* splitLarge(text, receivedAt);
  else yield eachEvent(join(text).toString(), receivedAt);
}

const sizeOf = (pieces: readonly SharedArrayBuffer[]): number =>
  pieces.reduce((bytes, piece) => bytes + piece.byteLength, 0);

const join = (pieces: readonly SharedArrayBuffer[]): Buffer => Buffer.concat(pieces.map((piece) => Buffer.from(piece)));

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The first attempt, without a job; what does not end well gets one. */
const deliverStraight = async (
  context: IngestContext,
  outlet: Outlet,
  event: LoggedEvent,
  turn: true | Promise<boolean>,
): Promise<void> => {
  if (!(await turn)) return enqueue(context, outlet, [event]);
  const { outcome, reason, because, uncounted } = await attemptDelivery(context, outlet, event, 1);
  if (outcome.kind === 'delivered') countDelivered(context, event);
  if (uncounted) await enqueue(context, outlet, [event]);
  else if (outcome.kind === 'retry') {
    await enqueue(context, outlet, [event], { job: { a: 1 }, delayMs: outcome.delayMs });
  } else if (outcome.kind === 'dead_letter') {
    const job = { a: 1, x: reason, ...(because !== 'refused' && { k: because }) };
    await enqueue(context, outlet, [event], { job });
  }
};

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
const settleAll = async (work: Promise<void>[]): Promise<void> => {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
};
