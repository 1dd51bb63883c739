/** What became of the events that were routed to one destination. */
export interface DestinationLedger {
  readonly id: string;
  /** The sum of all the others, `retrying` apart. */
  readonly accepted: number;
  readonly delivered: number;
  /** Waiting, under way, or waiting for another attempt. */
  readonly pending: number;
  /** Those of `pending` and `parked` that failed before. */
  readonly retrying: number;
  /** Kept and not tried: the destination is paused, or its breaker is open. */
  readonly parked: number;
  readonly dead: number;
  /** Given up by a person: a dead letter that was removed, or a delivery of a destination that was. */
  readonly removed: number;
  readonly unaccounted: number;
  /** Some of those that are unaccounted for. */
  readonly differing: readonly Difference[];
}

export interface Difference {
  readonly deliveryId: string;
  readonly eventId: string;
  /**
   * - `never_queued`: routed, and nothing is known of a delivery.
   * - `no_job`: pending, and no job is there to go on with it.
   * - `no_dead_letter`: ended without success, and not among the dead letters.
   */
  readonly problem: 'never_queued' | 'no_job' | 'no_dead_letter';
}

export interface Ledger {
  /** Of the events that were logged from then on; null for all. */
  readonly from: string | null;
  /** And before this time. */
  readonly to: string;
  /** Events looked at. */
  readonly events: number;
  /** Those of them that no destination wanted. */
  readonly unrouted: number;
  /** Events before this time may have left the log, because they were owed to nobody; null when none has. */
  readonly completeSince: string | null;
  readonly balanced: boolean;
  readonly destinations: readonly DestinationLedger[];
}

/** How many differing deliveries a ledger names of each destination. */
export const MOST_DIFFERING = 20;

/**
 * The whole of which these are the parts, one after the other, of one time span.
 * @throws when there is none
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
