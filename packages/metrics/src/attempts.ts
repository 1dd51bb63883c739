import { Counter, type Registry } from '@prometheus-io/client';

export interface CountedAttempt {
  readonly destinationId: string;
  readonly durationMs: number;
  readonly outcome: { readonly kind: (typeof OUTCOMES)[number] };
  readonly error: { readonly code: string } | undefined;
}

export interface AttemptMetrics {
  attempted(attempt: CountedAttempt): void;
  /** Drops the figures of a destination that was removed. */
  forget(destinationId: string): void;
}

const OUTCOMES = ['delivered', 'retry', 'dead_letter'] as const;

/** The error codes that become labels. A loaded adapter may invent codes without end: those become `other`. */
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

/** Counts attempts at deliveries: a worker's, and what consumers did with their leases. */
export const createAttemptMetrics = (registry: Registry): AttemptMetrics => {
  const registers = [registry];
  const attempts = new Counter({
    name: 'clickrelay_attempts_total',
    help: 'Attempts at deliveries by destination, outcome (delivered, retry, dead_letter) and error code',
    labelNames: ['destination', 'outcome', 'error'],
    registers,
  });
  const seconds = new Counter({
    name: 'clickrelay_attempt_seconds_total',
    help: 'Total time that attempts took; for pull destinations, that leases were held',
    labelNames: ['destination'],
    registers,
  });
  const destinations = new Set<string>();

  return {
    attempted: ({ destinationId: destination, durationMs, outcome: { kind: outcome }, error }) => {
      if (!destinations.has(destination)) {
        destinations.add(destination);
        // There from the first attempt on, so that the first success shows as an increase.
        attempts.inc({ destination, outcome: 'delivered', error: '' }, 0);
      }
      seconds.inc({ destination }, durationMs / 1_000);
      const code = error === undefined || ERRORS.has(error.code) ? error?.code : 'other';
      attempts.inc({ destination, outcome, error: code ?? '' });
    },
    forget: (destination) => {
      if (!destinations.delete(destination)) return;
      seconds.remove({ destination });
      for (const outcome of OUTCOMES) {
        for (const error of ['', 'other', ...ERRORS]) attempts.remove({ destination, outcome, error });
      }
    },
  };
};
