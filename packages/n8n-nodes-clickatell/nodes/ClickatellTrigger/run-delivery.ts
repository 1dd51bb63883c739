import { RelayError } from '../shared/call-relay.ts';
import { pause } from '../shared/pause.ts';
import type { Delivery, Relay } from './relay.ts';

/** How a run of the workflow ended. */
export type Ending =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly error: string;
      /** Somebody ended it on purpose: it must not start again by itself. */
      readonly final?: boolean;
    };

export interface RunOptions {
  readonly relay: Relay;
  /**
   * When an event counts as done: `success` when its run has succeeded, `end` when it has ended in any way, `start`
   * before it begins.
   */
  readonly acknowledge: 'success' | 'end' | 'start';
  /** How often an event whose run fails is tried at most, before it becomes a dead letter; 1 is never again. */
  readonly mostTries: number;
  /** Events that happened longer ago start nothing; undefined for no limit. */
  readonly oldestMs?: number | undefined;
  /** How long a run may take before its slot is freed. */
  readonly runLimitMs: number;
  /** Starts a run; resolves or rejects when it has ended, or never. */
  readonly run: (delivery: Delivery) => Promise<Ending>;
  readonly log: Log;
}

export interface Log {
  /** Clickrelay is away; reported once until it is back. */
  away(error: RelayError): void;
  /** It has been away for so long that a person should know. Reported once until it is back. */
  awayForLong(error: RelayError): void;
  /** @param awayMs how long it was away; undefined when that was too short to be reported */
  back(awayMs: number | undefined): void;
  /** Clickrelay refuses, and a person must act. Reported once until it accepts us again. */
  refused(error: RelayError): void;
  /** An event was acknowledged without a run, because it is too old. */
  ignored(deliveryId: string): void;
  /** Something about one delivery that a reader of the log may want to know. */
  note(message: string, deliveryId: string): void;
}

/** Times in milliseconds. Only tests change them. */
export interface Pace {
  /** How long Clickrelay keeps a request for deliveries open. Short, so that a dead connection costs less than 10 s. */
  readonly waitMs: number;
  /** How long a lease lasts, and so what a crash of n8n costs. Extended while the run goes on. */
  readonly leaseMs: number;
  /** First and longest pause between tries while Clickrelay is away. */
  readonly backOffMs: readonly [number, number];
  /** How long Clickrelay may be away before a person is told. */
  readonly longMs: number;
  /** How long closing waits for runs that are about to end. */
  readonly graceMs: number;
}

/** One delivery from its lease until it is settled: one of `concurrency` slots. */
export interface Slot {
  /** Its latest lease. */
  delivery: Delivery;
  /** When that lease ends unless it is extended. */
  leaseEndsAt: number;
}

/** What runs share. */
export interface Runs extends RunOptions {
  readonly pace: Pace;
  /** Deliveries whose run succeeded but whose lease was lost before the ack: acknowledged when they come again. */
  readonly unconfirmed: Set<string>;
}

/** Enough unconfirmed runs to bridge any outage. */
const MAX_UNCONFIRMED = 10_000;

/** Runs the workflow for a delivery and settles it. Every wait in here has an end. */
export const runDelivery = async (runs: Runs, slot: Slot): Promise<void> => {
  const { acknowledge, unconfirmed, log } = runs;
  const { deliveryId } = slot.delivery;
  if (unconfirmed.has(deliveryId)) {
    log.note('its workflow had succeeded before; acknowledged without running it again', deliveryId);
    await settle(runs, slot, { ok: true });
    return;
  }
  if (isTooOld(runs, slot.delivery)) {
    // Acknowledged, not given back: that would make a dead letter of it, which a person would have to look at.
    if (await settle(runs, slot, { ok: true })) log.ignored(deliveryId);
    return;
  }
  if (acknowledge === 'start') {
    // Without a confirmed ack the delivery comes again, so running it now would run it twice.
    if (await settle(runs, slot, { ok: true })) await endOfRun(runs, slot.delivery);
    return;
  }
  const over = new AbortController();
  const extending = extendUntil(over.signal, runs, slot);
  const ending = await endOfRun(runs, slot.delivery);
  over.abort();
  await extending;
  await settle(runs, slot, acknowledge === 'end' ? { ok: true } : ending);
};

const isTooOld = ({ oldestMs }: Runs, { event }: Delivery): boolean =>
  oldestMs !== undefined && Date.now() - Date.parse(event.occurredAt ?? event.receivedAt) > oldestMs;

/** Covers all four ends that a run can have: a result, "nothing was started", an exception, none at all. */
const endOfRun = async ({ run, runLimitMs }: Runs, delivery: Delivery): Promise<Ending> => {
  const over = new AbortController();
  const limit = pause(runLimitMs, over.signal).then((): Ending => {
    const error = `the workflow did not end within ${Math.round(runLimitMs / 1000)} s, the limit set in the trigger`;
    return { ok: false, error };
  });
  try {
    // In an async function, so that a `run` that throws at once is a rejection like any other.
    return await Promise.race([(async () => await run(delivery))(), limit]);
  } catch (error) {
    return { ok: false, error: messageOf(error) };
  } finally {
    over.abort();
  }
};

const extendUntil = async (over: AbortSignal, { relay, pace, log }: Runs, slot: Slot): Promise<void> => {
  // A third of a lease, so that two tries may fail.
  let next = pace.leaseMs / 3;
  for (;;) {
    await pause(next, over);
    if (over.aborted) return;
    const { delivery } = slot;
    const askedAt = Date.now();
    try {
      await relay.extend(delivery, pace.leaseMs);
      slot.leaseEndsAt = askedAt + pace.leaseMs;
      next = pace.leaseMs / 3;
    } catch (error) {
      const failure = asRelayError(error);
      if (failure.isLost && slot.delivery === delivery) {
        log.note('lease lost while its workflow runs; the event may be run again', delivery.deliveryId);
        next = pace.leaseMs / 3;
      } else {
        next = Math.min(pace.leaseMs / 3, pace.backOffMs[1]);
      }
    }
  }
};

/**
 * Reports how a run ended, again and again while the lease may still be ours. Returns whether Clickrelay accepted it.
 */
const settle = async (runs: Runs, slot: Slot, ending: Ending): Promise<boolean> => {
  const { relay, acknowledge, mostTries, unconfirmed, pace, log } = runs;
  const { deliveryId } = slot.delivery;
  for (let failures = 0; ; failures++) {
    const { delivery } = slot;
    try {
      if (ending.ok) await relay.ack(delivery);
      else {
        const retry = ending.final !== true && delivery.attempt < mostTries;
        await relay.nack(delivery, { error: ending.error, retry });
      }
      unconfirmed.delete(deliveryId);
      return true;
    } catch (error) {
      const failure = asRelayError(error);
      // The delivery was leased again meanwhile: settle with the new lease.
      if (failure.isLost && slot.delivery !== delivery) continue;
      if (!failure.isOutage || Date.now() > slot.leaseEndsAt) {
        const succeeded = ending.ok && acknowledge !== 'start';
        if (succeeded && failure.code !== 'delivery_not_found') remember(unconfirmed, deliveryId);
        log.note(`could not be settled, so it comes again: ${failure.message}`, deliveryId);
        return false;
      }
      await pause(backOff(failures, pace.backOffMs));
    }
  }
};

const remember = (unconfirmed: Set<string>, deliveryId: string): void => {
  unconfirmed.add(deliveryId);
  if (unconfirmed.size <= MAX_UNCONFIRMED) return;
  for (const oldest of unconfirmed) {
    unconfirmed.delete(oldest);
    break;
  }
};

/** Doubles from the first pause to the longest, with jitter: consumers that are cut off together return apart. */
export const backOff = (failures: number, [firstMs, longestMs]: readonly [number, number]): number => {
  const pauseMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures, 20));
  return pauseMs * (0.5 + Math.random() / 2);
};

export const asRelayError = (error: unknown): RelayError =>
  error instanceof RelayError ? error : new RelayError(messageOf(error));

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
