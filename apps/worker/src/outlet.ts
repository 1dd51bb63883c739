import type { Deliverer } from '@clickrelay/core';
import type { Destination } from '@clickrelay/queue';

/*
 * One destination as this process sees it: its deliverer, how many attempts are under way, and whether it is well.
 *
 * A destination that is well gets events straight from the ingest group, without a job of its own: most events never
 * cost Redis a delivery job. As soon as an attempt goes wrong, or waits too long for its turn, events go through the
 * destination's queue instead, until that has run empty again.
 */

/** Longer than this and the destination counts as slow: what waits is queued. */
const LONGEST_WAIT_MS = 500;

/** How many events wait in memory for a turn at any destination; their ingest groups are held open meanwhile. */
export interface Turns {
  waiting: number;
}

export class Outlet {
  destination: Destination;
  readonly deliverer: Deliverer | undefined;
  readonly #concurrency: number;
  #inFlight = 0;
  #fromQueue = 0;
  /** Not known to be: what the queue holds from before this process goes first. */
  #queueIsEmpty = false;
  #enqueuing = 0;
  #isWell = true;
  #waiting: { resolve: (granted: boolean) => void; since: number }[] = [];
  readonly #turns: Turns;
  readonly #onRoom: () => void;

  /** @param onRoom Called when there is room again and nobody waits in memory. */
  constructor(
    destination: Destination,
    opened: { deliverer: Deliverer; concurrency: number } | undefined,
    turns: Turns,
    onRoom: () => void,
  ) {
    this.destination = destination;
    this.deliverer = opened?.deliverer;
    this.#concurrency = opened?.concurrency ?? 0;
    this.#turns = turns;
    this.#onRoom = onRoom;
  }

  get id(): string {
    return this.destination.id;
  }

  /** How many jobs may be taken from the queue now. */
  room(): number {
    return this.destination.paused === null ? Math.max(this.#concurrency - this.#inFlight, 0) : 0;
  }

  /**
   * A turn for an event that has no job, or false when it should get one.
   * Whoever gets a turn must call `leave` once.
   */
  enterStraight(): boolean | Promise<boolean> {
    if (this.destination.paused !== null || !this.#isWell || this.deliverer === undefined) return false;
    if (!this.#queueIsEmpty || this.#fromQueue > 0) return false;
    if (this.#inFlight < this.#concurrency) {
      this.#inFlight++;
      return true;
    }
    this.#turns.waiting++;
    return new Promise((resolve) => this.#waiting.push({ resolve, since: Date.now() }));
  }

  /** A turn for a job, which `room` has allowed. Must be followed by `leaveQueue` and `leave`. */
  enterFromQueue(): void {
    this.#inFlight++;
    this.#fromQueue++;
  }

  /** The job is settled. */
  leaveQueue(): void {
    this.#fromQueue--;
  }

  /** The attempt has ended, or there was none. */
  leave(isWell: boolean): void {
    this.#inFlight--;
    this.#isWell = isWell;
    if (!isWell) this.#refuseWaiting();
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#onRoom();
    } else {
      this.#turns.waiting--;
      this.#inFlight++;
      next.resolve(true);
    }
  }

  /** Puts something into the queue: what comes from now on goes behind it, until the queue is empty. */
  async enqueue(put: () => Promise<void>): Promise<void> {
    this.#queueIsEmpty = false;
    this.#enqueuing++;
    try {
      await put();
    } finally {
      this.#enqueuing--;
    }
  }

  /** A look into the queue found nothing. */
  onQueueEmpty(): void {
    if (this.#enqueuing === 0) this.#queueIsEmpty = true;
  }

  /** Sends those who have waited too long to the queue. Called now and then. */
  refuseOverdue(): void {
    const [first] = this.#waiting;
    if (first !== undefined && Date.now() - first.since > LONGEST_WAIT_MS) this.#refuseWaiting();
  }

  /** At once, here; the registry tells the other processes. */
  pause(reason: string): void {
    this.destination = { ...this.destination, paused: reason };
    this.#refuseWaiting();
  }

  async close(): Promise<void> {
    this.#refuseWaiting();
    await this.deliverer?.close();
  }

  #refuseWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#turns.waiting -= waiting.length;
    for (const { resolve } of waiting) resolve(false);
  }
}
