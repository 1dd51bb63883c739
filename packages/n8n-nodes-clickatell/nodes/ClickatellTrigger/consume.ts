import type { RelayError } from '../shared/call-relay.ts';
import { deferred, pause } from '../shared/pause.ts';
import type { Delivery } from './relay.ts';
import {
  asRelayError,
  backOff,
  type Log,
  messageOf,
  type Pace,
  type RunOptions,
  type Runs,
  runDelivery,
  type Slot,
} from './run-delivery.ts';

export interface ConsumeOptions extends RunOptions {
  /** Makes the destination. */
  readonly declare: () => Promise<void>;
  /** Whether the destination is known to exist already. */
  readonly declared: boolean;
  /** Runs at a time. */
  readonly concurrency: number;
  readonly pace?: Partial<Pace>;
}

const PACE: Pace = { waitMs: 4_000, leaseMs: 60_000, backOffMs: [250, 4_000], longMs: 60_000, graceMs: 3_000 };

export interface Consumer {
  /** Leases nothing more, and waits a moment for the runs. A longer run is settled when it ends. */
  close(): Promise<void>;
  /** Resolves when everything that was begun has ended; for tests. */
  readonly idle: () => Promise<void>;
  readonly inFlight: () => number;
}

/** What a consumer knows while it runs. */
interface Consuming {
  readonly runs: Runs;
  readonly declare: () => Promise<void>;
  readonly concurrency: number;
  readonly closing: AbortController;
  readonly closed: Promise<void>;
  /** By delivery id. */
  readonly slots: Map<string, Slot>;
  slotFreed: ReturnType<typeof deferred>;
  /** Whether the destination exists. */
  declared: boolean;
}

/**
 * Leases deliveries and runs the workflow for each, `concurrency` at a time, until closed. Every slot is freed again,
 * whatever Clickrelay, n8n or the workflow do: every wait has an end.
 */
export const consume = ({ declare, declared, concurrency, pace, ...run }: ConsumeOptions): Consumer => {
  const closing = new AbortController();
  const consuming: Consuming = {
    runs: { ...run, log: unbreakable(run.log), pace: { ...PACE, ...pace }, unconfirmed: new Set() },
    declare,
    concurrency,
    closing,
    closed: new Promise((resolve) => {
      closing.signal.addEventListener('abort', () => resolve(), { once: true });
    }),
    slots: new Map(),
    slotFreed: deferred(),
    declared,
  };
  const leasing = leaseUntilClosed(consuming);

  const idle = async (): Promise<void> => {
    await leasing;
    while (consuming.slots.size > 0) await consuming.slotFreed.promise;
  };

  return {
    async close() {
      closing.abort();
      const over = new AbortController();
      await Promise.race([idle(), pause(consuming.runs.pace.graceMs, over.signal)]);
      over.abort();
    },
    idle,
    inFlight: () => consuming.slots.size,
  };
};

const leaseUntilClosed = async (consuming: Consuming): Promise<void> => {
  const { declare, concurrency, closed, slots } = consuming;
  const { relay, pace, log } = consuming.runs;
  const { signal } = consuming.closing;
  const trouble = tellTrouble(log, pace);
  let failures = 0;
  while (!signal.aborted) {
    if (slots.size >= concurrency) {
      await Promise.race([consuming.slotFreed.promise, closed]);
      continue;
    }
    try {
      if (!consuming.declared) await declare();
      consuming.declared = true;
      const ask = { max: concurrency - slots.size, waitMs: pace.waitMs, leaseMs: pace.leaseMs };
      const deliveries = await relay.lease(ask, signal);
      trouble.end();
      failures = 0;
      // Closed meanwhile: the leases expire, and the deliveries come again.
      if (!signal.aborted) for (const delivery of deliveries) take(consuming, delivery);
    } catch (error) {
      if (signal.aborted) return;
      const failure = asRelayError(error);
      // The destination was removed, or Clickrelay was set up anew: declare it again.
      if (failure.isUnknownDestination && consuming.declared) consuming.declared = false;
      else trouble.note(failure);
      await pause(backOff(failures++, pace.backOffMs), signal);
    }
  }
};

/** Tells of each trouble once, of one that lasts once more, and of its end. */
const tellTrouble = (log: Log, { longMs }: Pace) => {
  let told: 'nothing' | 'away' | 'refused' = 'nothing';
  let awaySince: number | undefined;
  let isToldLong = false;
  return {
    note: (failure: RelayError): void => {
      const kind = failure.isOutage ? 'away' : 'refused';
      if (told !== kind) log[kind](failure);
      told = kind;
      if (kind === 'refused') return;
      awaySince ??= Date.now();
      if (isToldLong || Date.now() - awaySince < longMs) return;
      isToldLong = true;
      log.awayForLong(failure);
    },
    end: (): void => {
      if (told !== 'nothing') log.back(isToldLong && awaySince !== undefined ? Date.now() - awaySince : undefined);
      told = 'nothing';
      awaySince = undefined;
      isToldLong = false;
    },
  };
};

/** A log that throws, as n8n's functions may, must not end the loop: nobody would start it again. */
const unbreakable = (log: Log): Log => {
  const safely =
    <Arguments extends unknown[]>(tell: (...told: Arguments) => void) =>
    (...told: Arguments): void => {
      try {
        tell(...told);
      } catch {
        // What was to be told is lost; the events are not.
      }
    };
  return {
    away: safely((error) => log.away(error)),
    awayForLong: safely((error) => log.awayForLong(error)),
    back: safely((awayMs) => log.back(awayMs)),
    refused: safely((error) => log.refused(error)),
    ignored: safely((deliveryId) => log.ignored(deliveryId)),
    note: safely((message, deliveryId) => log.note(message, deliveryId)),
  };
};

/** Gives a leased delivery a slot, and frees the slot when the delivery is settled. */
const take = (consuming: Consuming, delivery: Delivery): void => {
  const { runs, slots, concurrency } = consuming;
  const { deliveryId } = delivery;
  const leaseEndsAt = Date.now() + runs.pace.leaseMs;
  const running = slots.get(deliveryId);
  if (running !== undefined) {
    // Its lease ran out while Clickrelay was away, but its run goes on here: keep that run, with the new lease.
    running.delivery = delivery;
    running.leaseEndsAt = leaseEndsAt;
    runs.log.note('leased again while its workflow still runs; not started twice', deliveryId);
    return;
  }
  // More than was asked for: leave it, so that its lease expires and it comes again.
  if (slots.size >= concurrency) return;
  const slot: Slot = { delivery, leaseEndsAt };
  slots.set(deliveryId, slot);
  void runDelivery(runs, slot)
    // Nothing in there throws by design, but a slot must not depend on that.
    .catch((error: unknown) => runs.log.note(`given up: ${messageOf(error)}`, deliveryId))
    .finally(() => {
      slots.delete(deliveryId);
      const freed = consuming.slotFreed;
      consuming.slotFreed = deferred();
      freed.resolve();
    });
};
