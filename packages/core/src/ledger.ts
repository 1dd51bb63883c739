/** What became of the events routed to one destination. */
export interface DestinationLedger {
  readonly id: string;
  /** The sum of the others, without `retrying`. */
  readonly accepted: number;
  readonly delivered: number;
  /** Waiting, running, or waiting for another attempt. */
  readonly pending: number;
  /** How many of `pending` and `parked` failed before. */
  readonly retrying: number;
  /** Kept and not tried: a person paused the destination, its breaker is open, or it answered 410. */
  readonly parked: number;
  readonly dead: number;
  /** Given up by a person, who removed the dead letter or the whole destination. */
  readonly removed: number;
  readonly unaccounted: number;
  /** Some of the unaccounted deliveries. */
  readonly differing: readonly Difference[];
}

export interface Difference {
  readonly deliveryId: string;
  readonly eventId: string;
  /**
   * - `never_queued`: the event was routed, but there is no trace of a delivery.
   * - `no_job`: the delivery is pending, but has no job to carry it on.
   * - `no_dead_letter`: the delivery ended without success, but is not among the dead letters.
   */
  readonly problem: 'never_queued' | 'no_job' | 'no_dead_letter';
}

export interface Ledger {
  /** Covers events logged from this time on; null for all. */
  readonly from: string | null;
  /** Covers events logged before this time. */
  readonly to: string;
  /** How many events were checked. */
  readonly events: number;
  /** How many of them no destination wanted. */
  readonly unrouted: number;
  /** Events before this time may have left the log, as every delivery of theirs had ended; null when none has. */
  readonly completeSince: string | null;
  readonly balanced: boolean;
  readonly destinations: readonly DestinationLedger[];
}

/** How many differing deliveries a ledger names for each destination. */
export const MOST_DIFFERING = 20;

/**
 * Adds up the ledgers of consecutive parts of one time span.
 * @throws when there are none
 */
export const addLedgers = (parts: readonly Ledger[]): Ledger => {
  const last = parts.at(-1);
  if (last === undefined) throw new Error('a ledger has at least one part');
  const rows = new Map<string, DestinationLedger>();
  for (const row of parts.flatMap(({ destinations }) => destinations)) {
    const sum = rows.get(row.id);
    rows.set(row.id, sum === undefined ? row : addRows(sum, row));
  }
  return {
    from: last.from,
    to: last.to,
    events: parts.reduce((sum, { events }) => sum + events, 0),
    unrouted: parts.reduce((sum, { unrouted }) => sum + unrouted, 0),
    completeSince: last.completeSince,
    balanced: parts.every(({ balanced }) => balanced),
    destinations: [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
};

const addRows = (a: DestinationLedger, b: DestinationLedger): DestinationLedger => ({
  id: a.id,
  accepted: a.accepted + b.accepted,
  delivered: a.delivered + b.delivered,
  pending: a.pending + b.pending,
  retrying: a.retrying + b.retrying,
  parked: a.parked + b.parked,
  dead: a.dead + b.dead,
  removed: a.removed + b.removed,
  unaccounted: a.unaccounted + b.unaccounted,
  differing: [...a.differing, ...b.differing].slice(0, MOST_DIFFERING),
});
