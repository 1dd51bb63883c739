import {
  type Deliverer,
  DeliveryError,
  type Event,
  matchesEventType,
  parseRate,
  parseRetrySchedule,
  type Rate,
  type RetrySchedule,
  readPacing,
  STATUS_TYPE,
} from '@clickrelay/core';
import type { Destination, Hold, Ordering } from '@clickrelay/queue';
import { type OnGivenUp, openRoute, type Route } from '@clickrelay/routing';
import { Pace } from './pace.ts';

/*
 * A destination that this process delivers to: its deliverer, how many attempts are under way, and whether it is well.
 *
 * A destination that is well gets events straight from the ingest group, without a job of its own: most events never
 * cost Redis a delivery job. As soon as an attempt goes wrong, or waits too long for its turn, events go through the
 * destination's queue instead, until that has run empty again. One with a rate or an order gets everything through its
 * queue, where all workers share them.
 */

/** When an event waits longer than this, the destination counts as slow, and its waiting events are queued. */
const LONGEST_WAIT_MS = 500;
/** When no attempt ends for this long, the destination hangs; with a busy process, the process may be the cause. */
const HANGS_AFTER_MS = { idle: 100, busy: LONGEST_WAIT_MS };
/** A shorter hold is over before another worker would have heard of it. */
const SHORTEST_HOLD_TO_TELL_MS = 500;

/** How many events wait in memory for a turn at any outlet; their ingest groups are held open meanwhile. */
export interface Turns {
  waiting: number;
}

/** How an attempt ended; `untried`: there was none, or we stopped it ourselves. */
export type Ending = 'delivered' | 'untried' | DeliveryError;

export interface OutletOptions {
  readonly turns: Turns;
  /** For destinations without one of their own. */
  readonly schedule: RetrySchedule;
  /** Called for a destination that asks for order. */
  readonly createOrdering: () => Ordering;
  /** Called when there is room again and nobody waits in memory. */
  readonly onRoom: () => void;
  /** Called when nothing is to be sent for a while, and with undefined when that is over early. */
  readonly onHold: (hold: Hold | undefined) => void;
  /** Called when its filter took too long for an event, which it does not get. */
  readonly onGivenUp: OnGivenUp;
}

interface Waiting {
  readonly resolve: (granted: boolean) => void;
  readonly since: number;
}

export class Outlet {
  destination: Destination;
  readonly deliverer: Deliverer | undefined;
  readonly schedule: RetrySchedule;
  readonly rate: Rate | undefined;
  /** For a destination that wants the events of a conversation one after the other. */
  readonly ordering: Ordering | undefined;
  readonly #options: OutletOptions;
  readonly #concurrency: number;
  #pace: Pace;
  /** Undefined when its filter does not compile. */
  #route: Route | undefined;
  #inFlight = 0;
  #fromQueue = 0;
  /** False until a look finds it empty: what the queue holds from before this process goes first. */
  #queueIsEmpty = false;
  #enqueuing = 0;
  #isWell = true;
  /** Those that go first, and those behind them. */
  #waiting: [Waiting[], Waiting[]] = [[], []];
  #holdTimer: NodeJS.Timeout | undefined;
  #lastEndedAt = 0;
  #isRemoved = false;

  constructor(
    destination: Destination,
    opened: { deliverer: Deliverer; concurrency: number } | undefined,
    route: Route | undefined,
    options: OutletOptions,
  ) {
    const { rate, ordering, retrySchedule } = readPacing(destination.config);
    this.destination = destination;
    this.deliverer = opened?.deliverer;
    this.schedule = parseRetrySchedule(retrySchedule ?? '') ?? options.schedule;
    this.rate = parseRate(rate ?? '');
    this.ordering = ordering === 'conversation' ? options.createOrdering() : undefined;
    this.#options = options;
    this.#concurrency = opened?.concurrency ?? 0;
    this.#pace = this.#startPace();
    this.#route = route;
  }

  get id(): string {
    return this.destination.id;
  }

  /**
   * With a filter that does not compile it wants every event: they wait in its queue, and none is lost to a mistake.
   */
  wants(event: Event): boolean {
    return this.#route === undefined || this.#route.wants(event);
  }

  /** Whether messages and statuses share its queue: then messages go first. */
  get isMixed(): boolean {
    const { events } = this.destination;
    return events.some((pattern) => matchesEventType(pattern, STATUS_TYPE)) && events.some((it) => it !== STATUS_TYPE);
  }

  /** How many jobs may be taken from the queue now. */
  room(): number {
    return this.destination.paused === null ? Math.max(this.#pace.limit(performance.now()) - this.#inFlight, 0) : 0;
  }

  /**
   * A turn for an event that has no job, or false when it should get one.
   * @param isSecond others that wait go first
   * The caller must call `leave` once for each turn it gets.
   */
  enterStraight(isSecond: boolean): boolean | Promise<boolean> {
    if (this.destination.paused !== null || !this.#isWell || this.deliverer === undefined) return false;
    if (this.rate !== undefined || this.ordering !== undefined) return false;
    if (!this.#queueIsEmpty || this.#fromQueue > 0) return false;
    if (this.room() > 0) {
      this.#inFlight++;
      return true;
    }
    this.#options.turns.waiting++;
    return new Promise((resolve) => this.#waiting[isSecond ? 1 : 0].push({ resolve, since: performance.now() }));
  }

  /** A turn for a job, which `room` has allowed. Must be followed by `leaveQueue` and `leave`. */
  enterFromQueue(): void {
    this.#inFlight++;
    this.#fromQueue++;
  }

  /** The job's run is over. */
  leaveQueue(): void {
    this.#fromQueue--;
  }

  leave(ending: Ending): void {
    this.#inFlight--;
    this.#lastEndedAt = performance.now();
    if (ending === 'delivered') this.#onDelivered();
    else if (ending instanceof DeliveryError) this.#onFailed(ending);
    if (!this.#isWell) this.#refuseWaiting();
    // One turn was given up; when the destination takes more at once than it did, two may begin.
    while (this.room() > 0) {
      const next = this.#waiting[0].shift() ?? this.#waiting[1].shift();
      if (next === undefined) break;
      this.#options.turns.waiting--;
      this.#inFlight++;
      next.resolve(true);
    }
    if (this.room() > 0) this.#options.onRoom();
  }

  /** Puts something into the queue: what comes from now on goes behind it, until the queue is empty. */
  async enqueue(put: () => Promise<void>): Promise<void> {
    if (this.#isRemoved) return;
    this.#queueIsEmpty = false;
    this.#enqueuing++;
    try {
      await put();
    } finally {
      this.#enqueuing--;
    }
  }

  /** A look into the queue found it empty. */
  onQueueEmpty(): void {
    if (this.#enqueuing === 0) this.#queueIsEmpty = true;
  }

  /**
   * Sends events that have waited too long to the queue. Called now and then.
   * @param isBusy This process has no time to spare: a long wait says nothing about the destination then, unless no
   * attempt has ended at all.
   */
  refuseOverdue(isBusy: boolean): void {
    const since = Math.min(...this.#waiting.map(([first]) => first?.since ?? Number.POSITIVE_INFINITY));
    const now = performance.now();
    const isOverdue = !isBusy && now - since > LONGEST_WAIT_MS;
    const hangs = now - Math.max(since, this.#lastEndedAt) > (isBusy ? HANGS_AFTER_MS.busy : HANGS_AFTER_MS.idle);
    if (isOverdue || hangs) this.#refuseWaiting();
  }

  /** At once, here; the registry tells the other processes. */
  pause(reason: string): void {
    this.destination = { ...this.destination, paused: reason };
    this.#refuseWaiting();
  }

  /** The registry has changed: the destination is paused, resumed, or wants other events. */
  update(destination: Destination): void {
    const isResumed = this.destination.paused !== null && destination.paused === null;
    this.destination = destination;
    this.#route = compileRoute(destination, this.#options.onGivenUp);
    if (isResumed) this.#pace = this.#startPace();
    this.#options.onRoom();
  }

  /** Another worker has found out that nothing should be sent for now. @param hold by the clock of this process */
  obey(hold: Hold): void {
    this.#pace.obey(hold, performance.now());
    this.#wakeAfterHold();
  }

  /**
   * The destination is gone: nothing more is queued, as a new destination of the same name would find it in its queue.
   */
  async remove(): Promise<void> {
    this.#isRemoved = true;
    await this.close();
  }

  async close(): Promise<void> {
    clearTimeout(this.#holdTimer);
    this.#refuseWaiting();
    await this.deliverer?.close();
  }

  #startPace(): Pace {
    return new Pace({ concurrency: this.#concurrency, schedule: this.schedule });
  }

  #onDelivered(): void {
    const wasHeld = this.#pace.hold?.reason === 'failing';
    this.#pace.onDelivered();
    this.#isWell = true;
    if (wasHeld) this.#options.onHold(undefined);
  }

  #onFailed(error: DeliveryError): void {
    this.#isWell = false;
    const now = performance.now();
    const hold = this.#pace.onFailed(error, now);
    if (hold === undefined) return;
    this.#wakeAfterHold();
    if (hold.until - now >= SHORTEST_HOLD_TO_TELL_MS) this.#options.onHold(hold);
  }

  #wakeAfterHold(): void {
    clearTimeout(this.#holdTimer);
    const { until } = this.#pace.hold ?? { until: 0 };
    this.#holdTimer = setTimeout(() => this.#options.onRoom(), Math.max(until - performance.now(), 0) + 1);
  }

  #refuseWaiting(): void {
    const waiting = this.#waiting.flat();
    this.#waiting = [[], []];
    this.#options.turns.waiting -= waiting.length;
    for (const { resolve } of waiting) resolve(false);
  }
}

const compileRoute = (destination: Destination, onGivenUp: OnGivenUp): Route | undefined => {
  try {
    return openRoute(destination, onGivenUp);
  } catch {
    return undefined;
  }
};
