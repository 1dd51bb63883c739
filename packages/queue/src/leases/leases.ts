import {
  DeliveryError,
  deliveryId,
  type LoggedEvent,
  type Pacing,
  pacingSettings,
  parseRate,
  parseRetrySchedule,
  QueueUnavailableError,
  type RetrySchedule,
} from '@clickrelay/core';
import { createHourCounts } from '../counts/hour-figures.ts';
import {
  type AttemptRecord,
  createAttemptLog,
  type DeliveryJob,
  readDelivery,
  readForDelivery,
  replayOf,
} from '../deliveries/deliveries.ts';
import { createOrdering, type Ordering } from '../deliveries/ordering.ts';
import { markReplayed } from '../deliveries/replay-outcomes.ts';
import {
  type Destination,
  type DestinationWatch,
  readDestination,
  watchDestinations,
} from '../destinations/destinations.ts';
import { DestinationNotFoundError } from '../destinations/errors.ts';
import { createDispatcher } from '../jobs/dispatcher.ts';
import { deadLetterKind } from '../jobs/outcome.ts';
import type { Settlement } from '../jobs/settle.ts';
import type { TakenJob } from '../jobs/source.ts';
import { MOST_CHARACTERS_PER_PAGE } from '../log/list-events.ts';
import { destinationQueue, type QueueName } from '../redis/names.ts';
import type { Store } from '../redis/store.ts';
import { NotAPullDestinationError, TooManyLeasesError } from './errors.ts';
import { defineLeaseCommands, holdLease, leaseStartedAtMs, newLeaseToken } from './lease-record.ts';
import {
  type Acked,
  ackLease,
  extendLease,
  type LeaseDesk,
  type LeaseRef,
  type Nacked,
  nackLease,
  returnLease,
} from './settle-lease.ts';

/*
 * Leases of pull destinations. Consumers wait here, in memory, and a dispatcher, the same that the worker has, takes for
 * them: any number of them costs one blocking connection.
 *
 * A lease that ends unanswered comes back by the dispatcher's check for stalled jobs. Every process that hands out leases
 * runs it, over all pull destinations; BullMQ sees to it that they do not all check at once. So one that dies is no
 * matter, and when all are dead nobody could lease what came back anyway.
 */

export interface Lease {
  readonly deliveryId: string;
  readonly token: string;
  /** From 1; how often the delivery was handed out, and nacked or not answered, before this time. */
  readonly attempt: number;
  readonly endsAt: string;
  readonly event: LoggedEvent;
}

export interface LeaseOptions {
  /** How many at most. */
  readonly max: number;
  /** How long to wait for the first, in ms; 0 looks once. */
  readonly waitMs: number;
  /** How long they are held unless they are extended, in ms. */
  readonly leaseMs: number;
  /** Aborted when nobody is there to take them any more: nothing is taken, and what was is given back. */
  readonly signal: AbortSignal;
}

export interface Leases {
  /**
   * Hands out what waits, the oldest first. Empty when the wait passed, and while the destination is paused.
   * @throws {DestinationNotFoundError} also when it is removed meanwhile
   * @throws {NotAPullDestinationError}
   * @throws {TooManyLeasesError} when nothing came, and nothing can, because of what is out
   */
  lease(destinationId: string, options: LeaseOptions): Promise<Lease[]>;
  /** @throws {LeaseLostError} @throws {DeliveryNotFoundError} */
  ack(destinationId: string, lease: LeaseRef): Promise<Acked>;
  /** @throws {LeaseLostError} @throws {DeliveryNotFoundError} */
  nack(destinationId: string, lease: LeaseRef, failure: { error: string; retry: boolean }): Promise<Nacked>;
  /** @returns when the lease ends now. @throws {LeaseLostError} @throws {DeliveryNotFoundError} */
  extend(destinationId: string, lease: LeaseRef, leaseMs: number): Promise<string>;
  /** What never reached its consumer goes back to the front, and counts as no attempt. */
  giveBack(destinationId: string, leases: readonly Lease[]): Promise<void>;
  /** @throws {DestinationNotFoundError} @throws {NotAPullDestinationError} */
  destination(id: string): Promise<Destination>;
  /** Those who wait get what they have; nothing more is handed out. */
  close(): Promise<void>;
}

/** BullMQ looks through what is out for each answer: with more, answers grow slow. */
const MOST_LEASES_OUT = 1_000;
/** An event whose consumers never answered this often is not their fault any more. */
export const MOST_UNANSWERED = 50;

/** A lease comes back at the second check after it began, and not before it ended: at most this, or two of these, late. */
const STALLED_SWEEP_MS = 1_000;
/** What comes within this time after the first is handed out with it. */
const GATHER_MS = 50;
/** A look that got no answer from Redis in this time never will. */
const LOOK_MS = 3_000;
const REOPEN_MS = 500;
/**
 * What waits for the one before it in its conversation is woken when that has ended; this is for when whoever was to wake
 * it died, and grows for those with a long wait before them.
 */
const PUT_OFF_MS = { shortest: 5_000, longest: 60_000 };
/** How often it is looked whether the first connection is there. */
const CONNECT_MS = 20;

export interface LeasesOptions {
  readonly schedule: RetrySchedule;
  readonly onError: (error: unknown) => void;
  /** Told how each lease ended: answered, or unanswered. */
  readonly onAttempt?: (attempt: AttemptRecord) => void;
  /** @default 1000 */
  readonly mostLeasesOut?: number;
}

/** A consumer that waits. */
interface Waiter extends LeaseOptions {
  readonly since: number;
  readonly leases: Lease[];
  /** Taken for it, and not handed out yet. */
  preparing: number;
  /** A look that began after it came has ended. */
  hasLooked: boolean;
  /** Gets no more: it ends when nothing is being prepared. */
  isEnding: boolean;
  /** There is nothing more to take: it ends with what is being prepared, unless nothing comes of that. */
  isLast: boolean;
  end(): void;
  refuse(error: Error): void;
}

/** A pull destination as this process sees it. */
interface Counter {
  destination: Destination;
  /** For a destination that wants the events of a conversation one after the other. */
  ordering: Ordering | undefined;
  readonly queue: QueueName;
  /** Longest waiting first. */
  readonly waiters: Set<Waiter>;
  /** Leases out, by all processes: corrected by each check for stalled ones, counted here in between. */
  out: number;
}

export const createLeases = (store: Store, options: LeasesOptions): Leases => {
  const { schedule, onError, onAttempt, mostLeasesOut = MOST_LEASES_OUT } = options;
  defineLeaseCommands(store);
  const hours = createHourCounts(store, { onError });
  // Somebody waits for each of these records: no company is waited for.
  const attempts = createAttemptLog(store, {
    lingerMs: 0,
    onRecord: (attempt) => {
      hours.add(attempt);
      onAttempt?.(attempt);
    },
  });
  const dispatcher = createDispatcher(store, { onError, stalledSweepMs: STALLED_SWEEP_MS });
  const counters = new Map<string, Counter>();
  let closing = false;

  // -- destinations ------------------------------------------------------------------------------------------------

  const onDestinations = (destinations: Destination[]): void => {
    const present = new Map(destinations.filter(({ type }) => type === 'pull').map((found) => [found.id, found]));
    for (const [id, counter] of counters) {
      if (present.has(id)) continue;
      counters.delete(id);
      dispatcher.remove(counter.queue);
      for (const waiter of counter.waiters) waiter.refuse(noDestination(id));
    }
    for (const [id, destination] of present) {
      const counter = counters.get(id);
      if (counter === undefined) open(destination);
      else {
        const hasOtherRate = pacingOf(counter.destination.config).rate !== pacingOf(destination.config).rate;
        counter.destination = destination;
        counter.ordering = orderingOf(destination);
        if (hasOtherRate) {
          dispatcher.remove(counter.queue);
          takeFor(counter);
        } else dispatcher.poke(counter.queue);
      }
    }
  };

  const orderingOf = ({ id, config }: Destination): Ordering | undefined =>
    pacingOf(config).ordering === 'conversation' ? createOrdering(store, id) : undefined;

  const open = (destination: Destination): void => {
    const queue = destinationQueue(destination.id);
    const counter: Counter = { destination, ordering: orderingOf(destination), queue, waiters: new Set(), out: 0 };
    counters.set(destination.id, counter);
    takeFor(counter);
  };

  const takeFor = (counter: Counter): void => {
    const { queue, destination } = counter;
    const added = dispatcher.add({
      queue,
      rate: parseRate(pacingOf(destination.config).rate ?? ''),
      newToken: newLeaseToken,
      room: () => roomOf(counter),
      onEmpty: (since) => endThoseBefore(counter, since),
      onLimited: (since) => endThoseBefore(counter, since),
      onActive: (count) => {
        counter.out = count;
        dispatcher.poke(queue);
      },
      run: (job) => handOut(counter, job),
    });
    added.catch(onError);
  };

  /** Tried until Redis is there. */
  const openWatch = async (): Promise<DestinationWatch | undefined> => {
    for (let waitMs = CONNECT_MS; !closing; ) {
      try {
        // Before that there is nothing to ask over.
        if (store.redis.status === 'ready') {
          return await watchDestinations(store, { onChange: onDestinations, onError });
        }
      } catch (error) {
        onError(error);
        waitMs = REOPEN_MS;
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    return undefined;
  };
  const watch = openWatch();

  const counterOf = async (id: string): Promise<Counter> => {
    const known = counters.get(id);
    if (known !== undefined) return known;
    // Made a moment ago, perhaps by another process.
    const destination = await readDestination(store, id);
    if (destination === undefined) throw noDestination(id);
    if (destination.type !== 'pull') {
      throw new NotAPullDestinationError(
        `${id} is a ${destination.type} destination: it is delivered to, and only pull destinations are leased from`,
      );
    }
    await (await watch)?.look();
    const counter = counters.get(id);
    if (counter === undefined) throw noDestination(id);
    return counter;
  };

  // -- handing out -------------------------------------------------------------------------------------------------

  const wantedBy = ({ isEnding, max, leases, preparing }: Waiter): number =>
    isEnding ? 0 : max - leases.length - preparing;

  const roomOf = ({ destination, waiters, out }: Counter): number => {
    if (closing || destination.paused !== null || waiters.size === 0) return 0;
    let wanted = 0;
    let preparing = 0;
    for (const waiter of waiters) {
      wanted += wantedBy(waiter);
      preparing += waiter.preparing;
    }
    return Math.min(wanted, mostLeasesOut - out - preparing);
  };

  /** It ends with what it has, as soon as nothing is being prepared for it. */
  const endWaiting = (waiter: Waiter): void => {
    waiter.isEnding = true;
    endIfReady(waiter);
  };

  const endIfReady = (waiter: Waiter): void => {
    const { leases, max, isEnding, isLast, preparing } = waiter;
    if (preparing > 0) return;
    if (isEnding || leases.length >= max || (isLast && leases.length > 0)) waiter.end();
    else waiter.isLast = false;
  };

  /** The queue is empty, or its rate used up for the moment: who has something gets it now, and who only wanted to look has looked. */
  const endThoseBefore = ({ waiters }: Counter, since: number): void => {
    for (const waiter of [...waiters]) {
      if (waiter.since > since) continue;
      waiter.hasLooked = true;
      if (waiter.waitMs === 0) endWaiting(waiter);
      else {
        waiter.isLast = true;
        endIfReady(waiter);
      }
    }
  };

  const handOut = async (counter: Counter, job: TakenJob): Promise<Settlement> => {
    const waiter = [...counter.waiters].find((candidate) => wantedBy(candidate) > 0);
    if (waiter === undefined) return { kind: 'return' };
    waiter.preparing++;
    waiter.hasLooked = true;
    try {
      const prepared = await prepare(counter, job, waiter.leaseMs);
      if (!('lease' in prepared)) return prepared.settlement;
      // It went away meanwhile, or was refused.
      if (!counter.waiters.has(waiter)) return { kind: 'return' };
      if (!fits(waiter, prepared.lease)) {
        waiter.isEnding = true;
        return { kind: 'return' };
      }
      if (waiter.leases.push(prepared.lease) === 1) setTimeout(() => endWaiting(waiter), GATHER_MS);
      counter.out++;
      return { kind: 'leased' };
    } finally {
      waiter.preparing--;
      endIfReady(waiter);
    }
  };

  /** Together they are one answer. The first always fits. */
  const fits = ({ leases }: Waiter, lease: Lease): boolean => {
    const characters = leases.reduce((sum, { event }) => sum + event.source.length, lease.event.source.length);
    return leases.length === 0 || characters <= MOST_CHARACTERS_PER_PAGE;
  };

  /** Makes a lease of a taken job, or says what becomes of it instead. */
  const prepare = async (
    { destination, ordering, queue }: Counter,
    job: TakenJob,
    leaseMs: number,
  ): Promise<{ lease: Lease } | { settlement: Settlement }> => {
    const data = job.data as DeliveryJob;
    const { a: attemptsBefore = 0, x: endedBecause, k: because, r: isReplay } = data;
    const replayId = replayOf(data);
    if (endedBecause !== undefined) return { settlement: { kind: 'dead', reason: endedBecause, because } };
    const reading = readForDelivery(store, job.id, destination.id);
    if (ordering !== undefined) {
      const event = (await reading).logged?.event;
      // Before it is held: a lease that nobody got must not be written down as one that ended in silence.
      if (event !== undefined && !(await ordering.takeTurn(event))) {
        const hasCome = (): Promise<boolean> => ordering.isNext(event);
        return { settlement: { kind: 'await_turn', delayMs: putOffMs(job), hasCome } };
      }
    }
    const startedAtMs = leaseStartedAtMs(job.token) ?? Date.now();
    const endsAtMs = Date.now() + leaseMs;
    const [{ logged, state }, held] = await Promise.all([
      reading,
      holdLease(store, queue, job.id, job.token, { startedAtMs, endsAtMs, expiredBefore: job.stalledCount }),
    ]);
    // It took us so long that another process has it.
    if (held === undefined) return { settlement: { kind: 'leased' } };
    if (logged === undefined) {
      if (replayId !== undefined)
        await markReplayed(store, { eventId: job.id, destinationId: destination.id, replayId }, 'failed');
      return { settlement: { kind: 'dead', reason: 'the event is no longer in the log', because: 'not_built' } };
    }
    // Acked, by a process that died before it could take the job away.
    if (state === 'delivered' && isReplay === undefined) {
      await ordering?.leave(logged.event);
      return { settlement: { kind: 'done' } };
    }
    // Nacked for the last time, likewise: the next of its conversation may be out.
    if (state === 'dead_letter') {
      await ordering?.leave(logged.event);
      const delivery = await readDelivery(store, deliveryId(job.id, destination.id));
      const error = delivery?.attempts.at(-1)?.error ?? undefined;
      return { settlement: { kind: 'dead', reason: error?.message ?? '', because: deadLetterKind(error) } };
    }

    const isPoison = job.stalledCount >= MOST_UNANSWERED;
    const { before } = held;
    if (before !== undefined && before.expiredBefore < job.stalledCount) {
      const error = isPoison
        ? new DeliveryError(
            'crashes_consumer',
            `${MOST_UNANSWERED} leases of it ended without an answer; it seems to crash its consumers`,
            { retryable: false },
          )
        : new DeliveryError('lease_expired', 'the lease ended before the consumer answered', { retryable: true });
      await attempts.record({
        eventId: job.id,
        destinationId: destination.id,
        startedAtMs: before.startedAtMs,
        durationMs: before.endsAtMs - before.startedAtMs,
        outcome: isPoison ? { kind: 'dead_letter' } : { kind: 'retry', delayMs: 0 },
        status: null,
        error,
        response: '',
        replayId,
      });
      if (isPoison) {
        await ordering?.leave(logged.event);
        return { settlement: { kind: 'dead', reason: error.message, because: deadLetterKind(error) } };
      }
    }
    const attempt = attemptsBefore + job.attemptsMade + job.stalledCount + 1;
    const endsAt = new Date(endsAtMs).toISOString();
    return {
      lease: { deliveryId: deliveryId(job.id, destination.id), token: job.token, attempt, endsAt, event: logged },
    };
  };

  const giveBack = async (counter: Counter, leases: readonly Lease[]): Promise<void> => {
    // Each goes to the front: the oldest last.
    for (const { deliveryId: id, token } of [...leases].reverse()) {
      if (await returnLease(store, counter.destination.id, { deliveryId: id, token })) counter.out--;
    }
  };

  const deskOf = ({ destination: { id }, ordering }: Counter): LeaseDesk => ({
    store,
    attempts,
    destinationId: id,
    ordering,
  });

  const settled = <Answer>(counter: Counter, answer: Answer): Answer => {
    counter.out--;
    dispatcher.poke(counter.queue);
    return answer;
  };

  return {
    lease: async (id, request) => {
      const counter = await counterOf(id);
      if (request.signal.aborted || closing) return [];
      return new Promise<Lease[]>((resolve, reject) => {
        const { signal } = request;
        const leave = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', abort);
          counter.waiters.delete(waiter);
        };
        const waiter: Waiter = {
          ...request,
          since: performance.now(),
          leases: [],
          preparing: 0,
          hasLooked: false,
          isEnding: false,
          isLast: false,
          end: () => {
            leave();
            resolve(waiter.leases);
          },
          refuse: (error) => {
            leave();
            reject(error);
            giveBack(counter, waiter.leases).catch(onError);
          },
        };
        const abort = (): void => {
          // What is being prepared sees the signal.
          leave();
          resolve([]);
          giveBack(counter, waiter.leases).catch(onError);
        };
        const timer = setTimeout(() => {
          if (waiter.leases.length + waiter.preparing > 0) endWaiting(waiter);
          else if (counter.destination.paused !== null) waiter.end();
          else if (counter.out >= mostLeasesOut) waiter.refuse(tooMany(id, mostLeasesOut));
          else if (waiter.hasLooked) waiter.end();
          else waiter.refuse(new QueueUnavailableError('Redis does not answer; nothing was taken, ask again later'));
        }, request.waitMs || LOOK_MS);
        signal.addEventListener('abort', abort);
        counter.waiters.add(waiter);
        // Nothing is looked for where there is no room.
        if (roomOf(counter) > 0) dispatcher.look(counter.queue);
        else if (request.waitMs === 0) {
          if (counter.destination.paused !== null) waiter.end();
          else waiter.refuse(tooMany(id, mostLeasesOut));
        }
      });
    },
    ack: async (id, lease) => {
      const counter = await counterOf(id);
      return settled(counter, await ackLease(deskOf(counter), lease));
    },
    nack: async (id, lease, failure) => {
      const counter = await counterOf(id);
      const own = parseRetrySchedule(pacingOf(counter.destination.config).retrySchedule ?? '');
      return settled(counter, await nackLease(deskOf(counter), lease, { ...failure, schedule: own ?? schedule }));
    },
    extend: async (id, lease, leaseMs) => {
      await counterOf(id);
      return extendLease(store, id, lease, leaseMs);
    },
    giveBack: async (id, leases) => giveBack(await counterOf(id), leases),
    destination: async (id) => (await counterOf(id)).destination,
    close: async () => {
      closing = true;
      for (const { waiters } of counters.values()) {
        for (const waiter of [...waiters]) endWaiting(waiter);
      }
      (await watch)?.stop();
      await dispatcher.close(CLOSE_GRACE_MS);
      await attempts.drained();
      await hours.stop();
    },
  };
};

const CLOSE_GRACE_MS = 1_000;

const pacingOf = (config: Destination['config']): Pacing => pacingSettings.safeParse(config).data ?? {};

const putOffMs = ({ timesTaken, attemptsMade }: TakenJob): number =>
  Math.min(PUT_OFF_MS.shortest * 2 ** Math.min(timesTaken - attemptsMade, 10), PUT_OFF_MS.longest);

const noDestination = (id: string): DestinationNotFoundError =>
  new DestinationNotFoundError(`there is no destination ${id.slice(0, 120)}`);

const tooMany = (id: string, most: number): TooManyLeasesError =>
  new TooManyLeasesError(
    `${most} deliveries of ${id} are out, and no more are handed out; ack, nack, or let some leases end`,
  );
