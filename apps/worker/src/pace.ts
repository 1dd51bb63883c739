import { type DeliveryError, HOUR_MS, MINUTE_MS, type RetrySchedule } from '@clickrelay/core';
import type { Hold } from '@clickrelay/queue';

/*
 * When a destination may be called, and by how many attempts at once. Two things slow it down as a whole:
 *
 * - it says so: 429, or 503 with `Retry-After`. Nothing is sent until then.
 * - it shows so: many attempts in a row fail. Nothing is sent for a while, then a single attempt asks; if that fails as
 *   well, the next pause is longer.
 *
 * Deliveries wait meanwhile, in the destination's queue, and none of their attempts is used up. Afterwards the number
 * of attempts at once starts from one and grows with each success, so that what has waited does not overwhelm a
 * destination that has just come back.
 */

/** Failures in a row before the destination is left alone: more than one faulty delivery would explain. */
export const FAILURES_TO_HOLD = 20;
/** The longest time between two attempts that ask whether it is well again. */
const LONGEST_HOLD_MS = 5 * MINUTE_MS;
/** The longest time a destination may ask us to stay away as a whole; one delivery's own wait may be longer. */
const LONGEST_ASKED_MS = HOUR_MS;
/** After a 429 that does not say for how long, doubled by each further one. */
const SHORTEST_THROTTLE_MS = 1_000;
const LONGEST_THROTTLE_MS = 60_000;

export interface PaceOptions {
  /** How many attempts may be under way at once when all is well. */
  readonly concurrency: number;
  /** How the pauses of a failing destination grow: as its deliveries' own waits do. */
  readonly schedule: RetrySchedule;
  readonly random?: () => number;
}

export class Pace {
  hold: Hold | undefined;
  readonly #options: Required<PaceOptions>;
  /** How many attempts may be under way now. */
  #allowed: number;
  #failuresInRow = 0;
  #holdsInRow = 0;
  #throttlesInRow = 0;

  constructor(options: PaceOptions) {
    this.#options = { random: Math.random, ...options };
    this.#allowed = options.concurrency;
  }

  /** How many attempts may be under way. */
  limit(nowMs: number): number {
    return this.hold !== undefined && nowMs < this.hold.until ? 0 : this.#allowed;
  }

  onDelivered(): void {
    this.#failuresInRow = 0;
    this.#holdsInRow = 0;
    this.#throttlesInRow = 0;
    this.#allowed = Math.min(this.#allowed + 1, this.#options.concurrency);
    // An attempt from before the hold succeeded: the destination is well after all. A hold that it asked for stays.
    if (this.hold?.reason === 'failing') this.hold = undefined;
  }

  /** @returns the hold that follows from this failure, if one does. */
  onFailed({ status, retryAfterMs }: Pick<DeliveryError, 'status' | 'retryAfterMs'>, nowMs: number): Hold | undefined {
    const isHeld = nowMs < (this.hold?.until ?? 0);
    if (status === 429 || (status === 503 && retryAfterMs !== undefined)) {
      // Of attempts that were under way together, only the first counts, and the longest wait.
      if (!isHeld) this.#throttlesInRow++;
      const askedMs = retryAfterMs ?? this.#throttleMs();
      return this.#holdUntil('throttled', nowMs + Math.min(askedMs, LONGEST_ASKED_MS));
    }
    this.#failuresInRow++;
    // These attempts began before the hold, and say nothing new.
    if (isHeld || (this.#holdsInRow === 0 && this.#failuresInRow < FAILURES_TO_HOLD)) return undefined;
    this.#holdsInRow++;
    return this.#holdUntil('failing', nowMs + this.#pauseMs());
  }

  /** Another process has found out that nothing should be sent for now. */
  obey(hold: Hold, nowMs: number): void {
    if (hold.until <= nowMs) return;
    if (hold.reason === 'failing') this.#holdsInRow = Math.max(this.#holdsInRow, 1);
    this.#holdUntil(hold.reason, hold.until);
  }

  #holdUntil(reason: Hold['reason'], until: number): Hold | undefined {
    this.#allowed = 1;
    if (until <= (this.hold?.until ?? 0)) return undefined;
    this.hold = { reason, until };
    return this.hold;
  }

  #throttleMs(): number {
    return Math.min(SHORTEST_THROTTLE_MS * 2 ** (this.#throttlesInRow - 1), LONGEST_THROTTLE_MS);
  }

  /** Between half and all of the schedule's wait, so that many processes do not ask at once. */
  #pauseMs(): number {
    const { schedule, random } = this.#options;
    const longest = schedule[Math.min(this.#holdsInRow, schedule.length - 1)] ?? 0;
    return Math.min(longest, LONGEST_HOLD_MS) * (0.5 + random() / 2);
  }
}
