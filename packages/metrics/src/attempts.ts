import type { Registry } from 'prom-client';
import { type Cell, PlainCounter } from './plain.ts';

/** An attempt as it is counted. */
export interface CountedAttempt {
  readonly destinationId: string;
  readonly durationMs: number;
  readonly outcome: { readonly kind: 'delivered' | 'retry' | 'dead_letter' };
  readonly error: { readonly code: string } | undefined;
}

export interface AttemptMetrics {
  attempted(attempt: CountedAttempt): void;
  /** Its destination is no more. */
  forget(destinationId: string): void;
}

interface OfDestination {
  /** By outcome and error. */
  readonly counts: Map<string, Cell>;
  readonly seconds: Cell;
}

/** An adapter that is not ours may make up codes: labels are for those that are known. */
const ERRORS: ReadonlySet<string> = new Set([
  'destination_rejected',
  'destination_timeout',
  'destination_unreachable',
  'destination_refused',
  'delivery_not_built',
  'delivery_aborted',
  'nacked',
  'lease_expired',
  'crashes_consumer',
]);

/** Attempts at deliveries: of a worker, and of what consumers did with leases. */
export const createAttemptMetrics = (registry: Registry): AttemptMetrics => {
  const registers = [registry];
  const attempts = new PlainCounter({
    name: 'clickrelay_attempts_total',
    help: 'Attempts at deliveries by destination and outcome: delivered, retry, dead_letter; with the error code',
    labelNames: ['destination', 'outcome', 'error'],
    registers,
  });
  const seconds = new PlainCounter({
    name: 'clickrelay_attempt_seconds_total',
    help: 'How long attempts took together; for pull destinations, how long leases were held',
    labelNames: ['destination'],
    registers,
  });
  const destinations = new Map<string, OfDestination>();
  const openDestination = (destination: string): OfDestination => {
    const opened = { counts: new Map<string, Cell>(), seconds: seconds.cell({ destination }) };
    destinations.set(destination, opened);
    opened.counts.set('delivered', attempts.cell({ destination, outcome: 'delivered', error: '' }));
    return opened;
  };

  return {
    attempted: ({ destinationId, durationMs, outcome: { kind: outcome }, error }) => {
      const of = destinations.get(destinationId) ?? openDestination(destinationId);
      of.seconds.value += durationMs / 1_000;
      const code = error === undefined || ERRORS.has(error.code) ? error?.code : 'other';
      const key = code === undefined ? outcome : `${outcome} ${code}`;
      let cell = of.counts.get(key);
      if (cell === undefined) {
        cell = attempts.cell({ destination: destinationId, outcome, error: code ?? '' });
        of.counts.set(key, cell);
      }
      cell.value++;
    },
    forget: (destinationId) => {
      const of = destinations.get(destinationId);
      if (of === undefined) return;
      destinations.delete(destinationId);
      seconds.forget(of.seconds);
      for (const cell of of.counts.values()) attempts.forget(cell);
    },
  };
};
