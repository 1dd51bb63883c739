import { deferred, pause } from '../shared/pause.ts';
import { type Declaration, type Delivery, type Relay, RelayError } from './relay.ts';

/** How a run of the workflow ended. */
export type Ending = { readonly ok: true } | { readonly ok: false; readonly error: string };

export interface ConsumeOptions {
  readonly relay: Relay;
  readonly declaration: Declaration;
  /** Whether the destination is known to be there already. */
  readonly declared: boolean;
  /** Runs at a time. */
  readonly concurrency: number;
  /**
   * When an event counts as done: `success` when its run succeeded, `end` when it ended in any way, `start` before it
   * begins.
   */
  readonly acknowledge: 'success' | 'end' | 'start';
  /** Whether the event of a failed run is tried again, or becomes a dead letter at once. */
  readonly retryFailures: boolean;
  /** How long a run may take, until its slot is given back. */
  readonly runLimitMs: number;
  /** Starts a run; resolves or rejects when it has ended, or never. */
  readonly run: (delivery: Delivery) => Promise<Ending>;
  readonly log: Log;
  readonly pace?: Partial<Pace>;
}

export interface Log {
  /** Clickrelay is away; said once until it is back. */
  away(error: RelayError): void;
  back(): void;
  /** Clickrelay refuses: someone has to do something. Said once until it takes us again. */
  refused(error: RelayError): void;
  /** What happened to one delivery that a reader of the log may want to know. */
  note(message: string, deliveryId: string): void;
}

/** Times in milliseconds. Only tests change them. */
interface Pace {
  /** How long Clickrelay keeps a request for deliveries open. Short, so that a connection gone dead costs below 10 s. */
  readonly waitMs: number;
  /** How long a delivery stays ours without a sign of life: what a crash of n8n costs. Extended while its run goes on. */
  readonly leaseMs: number;
  /** First and longest pause between tries while Clickrelay is away. */
  readonly backOffMs: readonly [number, number];
  /** How long closing waits for runs that are about to end. */
  readonly graceMs: number;
}

const PACE: Pace = { waitMs: 4_000, leaseMs: 60_000, backOffMs: [250, 4_000], graceMs: 3_000 };

/** Runs that succeeded without our being able to say so: enough to bridge any outage. */
const MAX_UNCONFIRMED = 10_000;

export interface Consumer {
  /** Takes nothing more, and waits a moment for what runs. What runs longer is settled when it ends. */
  close(): Promise<void>;
  /** Resolves when everything has ended that was begun; for tests. */
  readonly idle: () => Promise<void>;
  readonly inFlight: () => number;
}

/** One delivery from its lease to its settlement: one slot. */
interface Slot {
  /** The latest lease of it. */
  delivery: Delivery;
  /** When that lease ends if nothing extends it any more. */
  leaseEndsAt: number;
}

/**
 * Leases deliveries and runs the workflow for each, `concurrency` at a time, until closed. Whatever Clickrelay, n8n or the
 * workflow do, each slot is given back: every wait in here has an end.
 */
export const consume = (options: ConsumeOptions): Consumer => {
  const { relay, declaration, concurrency, acknowledge, retryFailures, runLimitMs, run, log } = options;
  const pace: Pace = { ...PACE, ...options.pace };
  const closing = new AbortController();
  const slots = new Map<string, Slot>();
  /** Deliveries whose run succeeded and whose lease was lost before we could say so: acknowledged when they come again. */
  const unconfirmed = new Set<string>();
  let slotFreed = deferred();
  const closed = new Promise<void>((resolve) => {
    closing.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  let declared = options.declared;

  const leaseForEver = async (): Promise<void> => {
    let failures = 0;
    let trouble: 'none' | 'away' | 'refused' = 'none';
    while (!closing.signal.aborted) {
      if (slots.size >= concurrency) {
        await Promise.race([slotFreed.promise, closed]);
        continue;
      }
      try {
        if (!declared) await relay.declare(declaration);
        declared = true;
        const ask = { max: concurrency - slots.size, waitMs: pace.waitMs, leaseMs: pace.leaseMs };
        const deliveries = await relay.lease(ask, closing.signal);
        if (trouble !== 'none') log.back();
        trouble = 'none';
        failures = 0;
        // Closed meanwhile: their leases end by themselves, and they come again.
        if (!closing.signal.aborted) for (const delivery of deliveries) take(delivery);
      } catch (error) {
        if (closing.signal.aborted) return;
        const failure = asRelayError(error);
        // Removed under our feet, or Clickrelay was set up anew: make it again.
        if (failure.isUnknownDestination && declared) declared = false;
        else if (failure.isOutage && trouble !== 'away') log.away(failure);
        else if (!failure.isOutage && trouble !== 'refused') log.refused(failure);
        if (!failure.isUnknownDestination) trouble = failure.isOutage ? 'away' : 'refused';
        await pause(backOff(failures++, pace.backOffMs), closing.signal);
      }
    }
  };

  const take = (delivery: Delivery): void => {
    const { deliveryId } = delivery;
    const slot = slots.get(deliveryId);
    if (slot !== undefined) {
      // Its lease ran out while Clickrelay was away, but its run goes on here: no second one, only a new lease.
      slot.delivery = delivery;
      slot.leaseEndsAt = Date.now() + pace.leaseMs;
      log.note('leased again while its workflow still runs; not started twice', deliveryId);
      return;
    }
    // More than was asked for: not taken, so its lease ends by itself and it comes again.
    if (slots.size >= concurrency) return;
    const taken: Slot = { delivery, leaseEndsAt: Date.now() + pace.leaseMs };
    slots.set(deliveryId, taken);
    void handle(taken)
      // Nothing in there throws by design; a slot must not depend on that.
      .catch((error: unknown) => log.note(`given up: ${messageOf(error)}`, deliveryId))
      .finally(() => {
        slots.delete(deliveryId);
        const freed = slotFreed;
        slotFreed = deferred();
        freed.resolve();
      });
  };

  const handle = async (slot: Slot): Promise<void> => {
    const { deliveryId } = slot.delivery;
    if (unconfirmed.has(deliveryId)) {
      log.note('its workflow had succeeded before; acknowledged without running it again', deliveryId);
      await settle(slot, { ok: true });
      return;
    }
    if (acknowledge === 'start') {
      // Not known to be acknowledged means not run: it comes again, and would run twice.
      if (await settle(slot, { ok: true })) await ended(slot.delivery);
      return;
    }
    const over = new AbortController();
    const extending = extendUntil(over.signal, slot);
    const ending = await ended(slot.delivery);
    over.abort();
    await extending;
    await settle(slot, acknowledge === 'end' ? { ok: true } : ending);
  };

  /** All four ends a run can have: a result, "nothing was started", an exception, none at all. */
  const ended = async (delivery: Delivery): Promise<Ending> => {
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

  const extendUntil = async (over: AbortSignal, slot: Slot): Promise<void> => {
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

  /** Says how it ended, again and again while the lease may still be ours. Returns whether Clickrelay took note. */
  const settle = async (slot: Slot, ending: Ending): Promise<boolean> => {
    const { deliveryId } = slot.delivery;
    for (let failures = 0; ; failures++) {
      const { delivery } = slot;
      try {
        if (ending.ok) await relay.ack(delivery);
        else await relay.nack(delivery, { error: ending.error, retry: retryFailures });
        unconfirmed.delete(deliveryId);
        return true;
      } catch (error) {
        const failure = asRelayError(error);
        // A new lease came in meanwhile: settle that one.
        if (failure.isLost && slot.delivery !== delivery) continue;
        if (!failure.isOutage || Date.now() > slot.leaseEndsAt) {
          if (ending.ok && acknowledge !== 'start' && failure.code !== 'delivery_not_found') remember(deliveryId);
          log.note(`could not be settled, so it comes again: ${failure.message}`, deliveryId);
          return false;
        }
        await pause(backOff(failures, pace.backOffMs));
      }
    }
  };

  const remember = (deliveryId: string): void => {
    unconfirmed.add(deliveryId);
    if (unconfirmed.size <= MAX_UNCONFIRMED) return;
    for (const oldest of unconfirmed) {
      unconfirmed.delete(oldest);
      break;
    }
  };

  const leasing = leaseForEver();

  const idle = async (): Promise<void> => {
    await leasing;
    while (slots.size > 0) await slotFreed.promise;
  };

  return {
    async close() {
      closing.abort();
      const over = new AbortController();
      await Promise.race([idle(), pause(pace.graceMs, over.signal)]);
      over.abort();
    },
    idle,
    inFlight: () => slots.size,
  };
};

/** Doubles from the first pause to the longest, and spreads: consumers that were cut off together do not return together. */
const backOff = (failures: number, [firstMs, longestMs]: readonly [number, number]): number => {
  const pauseMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures, 20));
  return pauseMs * (0.5 + Math.random() / 2);
};

const asRelayError = (error: unknown): RelayError =>
  error instanceof RelayError ? error : new RelayError(messageOf(error));

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
